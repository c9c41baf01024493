"""Parameters of alkyl silanols: silicon and its hydroxyls from OPLS-AA, the rest from Sage on the molecule with carbon
in place of silicon and hydrogen in place of its hydroxyls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import mapped
from oracles.openmm.forcefield import sage
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.materials import catalogue


def assign(molecule: Molecule, cache: Path | None = None) -> Parameters:
    """Parameters of a molecule whose silicon atoms have OH and sp3 carbons only."""
    group = _group(molecule)
    kept = [i for i in range(len(molecule.elements)) if group.get(i) != "H"]
    carbon = sage.assign(_analogue(molecule, group, kept), cache)
    return _merged(molecule, group, kept, carbon)


def _group(molecule: Molecule) -> dict[int, str]:
    """Si, O and H by atom: every silicon and its hydroxyls."""
    group = {i: "Si" for i, element in enumerate(molecule.elements) if element == "Si"}
    for silicon in list(group):
        for oxygen in molecule.neighbours[silicon]:
            if molecule.elements[oxygen] == "O":
                group[oxygen] = "O"
                group |= {j: "H" for j in molecule.neighbours[oxygen] if molecule.elements[j] == "H"}
    return group


def _analogue(molecule: Molecule, group: dict[int, str], kept: Sequence[int]) -> Molecule:
    """The molecule with carbon for silicon and hydrogen for its hydroxyls; atoms are the `kept`, in order."""
    from rdkit import Chem

    graph = Chem.RWMol(mapped(molecule.smiles))
    for atom, kind in group.items():
        graph.GetAtomWithIdx(atom).SetAtomicNum({"Si": 6, "O": 1, "H": 1}[kind])
    for atom in sorted(set(group) - set(kept), reverse=True):
        graph.RemoveAtom(atom)
    for atom in graph.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return Molecule(
        smiles=Chem.MolToSmiles(graph),
        elements=tuple(atom.GetSymbol() for atom in graph.GetAtoms()),
        bonds=tuple((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in graph.GetBonds()),
        monomer=np.zeros(len(kept), dtype=int),
        backbone=np.zeros(0, dtype=int),
    )


def _merged(molecule: Molecule, group: dict[int, str], kept: Sequence[int], carbon: Parameters) -> Parameters:
    """The analogue's terms but where an atom of `group` takes part, and the table's there."""

    def others(terms: Sequence[Any], atoms: int) -> list[Any]:
        renumbered = [(*(kept[i] for i in term[:atoms]), *term[atoms:]) for term in terms]
        return [term for term in renumbered if not set(term[:atoms]) & set(group)]

    table = catalogue.data("silicon")
    bonds, angles, torsions = others(carbon.bonds, 2), others(carbon.angles, 3), others(carbon.torsions, 4)
    for atoms in _touching(molecule.bonds, group):
        term = _term(table["bonds"], molecule, atoms)
        bonds.append((*atoms, term["length"], term["stiffness"]))
    for atoms in _touching(molecule.angles, group):
        term = _term(table["angles"], molecule, atoms)
        angles.append((*atoms, math.radians(term["angle"]), term["stiffness"]))
    for atoms in _touching(molecule.torsions, group):
        term = _term(table["torsions"], molecule, atoms)
        waves = zip((1, 2, 3), (0.0, math.pi, 0.0), term["terms"], strict=True)
        torsions += [(*atoms, n, phase, v / 2) for n, phase, v in waves if v]
    sigma, epsilon, charges = _atoms(molecule, group, kept, carbon)
    return replace(
        carbon,
        charges=charges,
        sigma=sigma,
        epsilon=epsilon,
        bonds=tuple(bonds),
        angles=tuple(angles),
        torsions=tuple(torsions),
    )


def _atoms(
    molecule: Molecule, group: dict[int, str], kept: Sequence[int], carbon: Parameters
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """sigma, epsilon and charges; the carbons on a silicon make the molecule neutral, each by the same amount."""
    table = catalogue.data("silicon")
    n = len(molecule.elements)
    sigma, epsilon, charges = np.zeros(n), np.zeros(n), np.zeros(n)
    sigma[kept], epsilon[kept], charges[kept] = carbon.sigma, carbon.epsilon, carbon.charges
    for atom, kind in group.items():
        entry = table["atoms"][kind]
        sigma[atom], epsilon[atom] = entry["sigma"], entry["epsilon"]
        around = [molecule.elements[j] for j in molecule.neighbours[atom]]
        charges[atom] = sum(table["charges"][e]["value"] for e in around) if kind == "Si" else entry["charge"]
    carbons = [j for i in group if group[i] == "Si" for j in molecule.neighbours[i] if molecule.elements[j] == "C"]
    np.subtract.at(charges, carbons, charges.sum() / len(carbons))
    return sigma, epsilon, charges


def _touching(terms: Sequence[Any], group: dict[int, str]) -> list[Any]:
    return [atoms for atoms in terms if set(atoms) & set(group)]


def _term(table: dict[str, Any], molecule: Molecule, atoms: Sequence[int]) -> Any:
    """The first entry whose name fits the elements, read from either end. Raises ValueError."""
    names = [molecule.elements[i] for i in atoms]
    for name, term in table.items():
        pattern = name.split("-")
        if any(all(p in ("*", e) for p, e in zip(pattern, read, strict=True)) for read in (names, names[::-1])):
            return term
    raise ValueError(f"no parameters for {'-'.join(names)} at {list(atoms)} of {molecule.smiles}")
