"""The C-C-C-C profile of CF3-CH2-CF2-CH3 ab initio: what the torsions of a PVDF force field should reproduce.

    pip install -c constraints.txt -e ".[validate]"
    python -m benchmarks.validation.ab_initio

Relaxed at fixed dihedral (geomeTRIC), then the energy at a higher level, each angle started from the geometry of the
one before. The result, with all geometries, replaces data/torsion.json; finished angles are kept, so that an
interrupted scan goes on. About 20 CPU-minutes on one core.
"""

from __future__ import annotations

import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyscf import gto
    from rdkit import Chem

SMILES = "CC(F)(F)CC(F)(F)F"
BACKBONE = (0, 1, 4, 5)
ANGLES = tuple(range(180, -1, -20))
GEOMETRY = {"method": "RHF", "basis": "def2-svp", "density_fitting": True}
ENERGY = {"method": "MP2, frozen core", "basis": "def2-tzvpp", "density_fitting": True}
HARTREE = 2625.4996394799
"""kJ/mol."""
RESULT = Path(__file__).parent / "data" / "torsion.json"


def start() -> Chem.Mol:
    """The molecule with a conformer from distance geometry."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.AddHs(Chem.MolFromSmiles(SMILES))
    AllChem.EmbedMolecule(molecule, randomSeed=1)
    AllChem.MMFFOptimizeMolecule(molecule)
    return molecule


def turned(molecule: Chem.Mol, positions: Any, angle: float) -> Any:
    """(n, 3) Angstrom with the backbone dihedral at `angle` degrees; `positions` None is the conformer's own."""
    from rdkit.Chem import rdMolTransforms

    conformer = molecule.GetConformer()
    for i, x in enumerate(positions or []):
        conformer.SetAtomPosition(i, x)
    rdMolTransforms.SetDihedralDeg(conformer, *BACKBONE, float(angle))
    return conformer.GetPositions()


def relaxed(molecule: gto.Mole, folder: Path) -> gto.Mole:
    """The molecule relaxed, its backbone dihedral left as it is."""
    from pyscf import scf
    from pyscf.geomopt.geometric_solver import optimize

    constraint = folder / "constraint.txt"
    constraint.write_text(f"$freeze\ndihedral {' '.join(str(i + 1) for i in BACKBONE)}\n")
    loose = {"convergence_energy": 1e-5, "convergence_grms": 5e-4, "convergence_gmax": 1.5e-3}
    loose |= {"convergence_drms": 5e-3, "convergence_dmax": 1e-2}
    return optimize(scf.RHF(molecule).density_fit(), constraints=str(constraint), maxsteps=40, **loose)


def energy(molecule: gto.Mole) -> dict[str, float]:
    """Hartree-Fock and MP2 energies, hartree."""
    from pyscf import mp, scf

    molecule = molecule.copy()
    molecule.basis = ENERGY["basis"]
    molecule.build()
    field = scf.RHF(molecule).density_fit().run()
    correlated = mp.dfmp2.DFMP2(field, frozen=sum(symbol != "H" for symbol in molecule.elements)).run()
    return {"hf": float(field.e_tot), "mp2": float(correlated.e_tot)}


def scan() -> list[dict[str, Any]]:
    """One point per angle, trans first."""
    import tempfile

    from pyscf import gto

    graph, positions = start(), None
    elements = [atom.GetSymbol() for atom in graph.GetAtoms()]
    points: list[dict[str, Any]] = json.loads(RESULT.read_text())["points"] if RESULT.exists() else []
    if points:
        positions = points[-1]["positions_angstrom"]
    for angle in ANGLES[len(points) :]:
        began = time.process_time()
        atoms = list(zip(elements, turned(graph, positions, angle), strict=True))
        with tempfile.TemporaryDirectory() as folder:
            molecule = relaxed(gto.M(atom=atoms, basis=GEOMETRY["basis"], verbose=0), Path(folder))
        positions = molecule.atom_coords(unit="Angstrom").round(6).tolist()
        seconds = time.process_time() - began
        energies = energy(molecule)
        points.append({"angle": angle, **energies, "positions_angstrom": positions})
        print(angle, energies, f"{seconds:.0f} + {time.process_time() - began - seconds:.0f} CPU s", flush=True)
        write(elements, points)
    return points


def write(elements: list[str], points: list[dict[str, Any]]) -> None:
    """Keep what is done, with where it came from."""
    lowest = min(point["mp2"] for point in points)
    stored = {
        "molecule": SMILES,
        "backbone": BACKBONE,
        "geometry": GEOMETRY,
        "energy": ENERGY,
        "packages": {name: version(name) for name in ("pyscf", "geometric", "rdkit")},
        "command": "python -m benchmarks.validation.ab_initio",
        "elements": elements,
        "points": [{**point, "relative_kJ_mol": (point["mp2"] - lowest) * HARTREE} for point in points],
    }
    RESULT.write_text(json.dumps(stored, indent=1))


if __name__ == "__main__":
    for point in scan():
        print(point["angle"], point["mp2"])
