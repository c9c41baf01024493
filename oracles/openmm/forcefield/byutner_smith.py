"""The Byutner-Smith force field of poly(vinylidene fluoride) on a molecule made of CH3, CH2, CF2 and CF3."""

from __future__ import annotations

import math

import numpy as np

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.forcefield.parameters import Parameters, Uncovered
from oracles.openmm.materials import catalogue


def assign(molecule: Molecule) -> Parameters:
    """Parameters of H-(CH2CF2)n-F and its relatives. Raises Uncovered for an atom or torsion the set does not have."""
    field = catalogue.data("byutner_smith")
    kinds = [_kind(molecule, i) for i in range(len(molecule.elements))]
    atoms = [field["atoms"][kind] for kind in kinds]
    bonds, angles, torsions = [], [], []
    for i, j in molecule.bonds:
        term = field["bonds"][_key(molecule, i, j)]
        bonds.append((i, j, term["length"], term["stiffness"]))
    for i, j, k in molecule.angles:
        term = field["angles"][_key(molecule, i, j, k)]
        angles.append((i, j, k, math.radians(term["angle"]), term["stiffness"]))
    for i, j, k, m in molecule.torsions:
        key = _key(molecule, i, j, k, m)
        if key in field["torsions"]:
            terms = field["torsions"][key]["terms"]
            torsions += [(i, j, k, m, n, math.pi, k_n) for n, k_n in enumerate(terms, start=1)]
        elif "H" not in key:
            raise Uncovered(f"byutner-smith has no {key} torsion, atoms {i}, {j}, {k}, {m} of {molecule.smiles}")
    return Parameters(
        charges=np.array([atom["charge"] for atom in atoms]),
        sigma=np.array([atom["sigma"] for atom in atoms]),
        epsilon=np.array([atom["epsilon"] for atom in atoms]),
        bonds=tuple(bonds),
        angles=tuple(angles),
        torsions=tuple(torsions),
        coulomb14=field["coulomb14"],
        lj14=field["lj14"],
    )


def _kind(molecule: Molecule, atom: int) -> str:
    element = molecule.elements[atom]
    if element in ("H", "F"):
        return element
    around = [molecule.elements[j] for j in molecule.neighbours[atom]]
    for ligand in ("H", "F"):
        kind = f"{element}{ligand}{around.count(ligand)}"
        if around.count(ligand) + around.count("C") == 4 and kind in catalogue.data("byutner_smith")["atoms"]:
            return kind
    raise Uncovered(f"byutner-smith has no type for atom {atom} of {molecule.smiles}: {element} bound to {around}")


def _key(molecule: Molecule, *atoms: int) -> str:
    """Elements joined by hyphens, in the order that sorts first."""
    names = [molecule.elements[i] for i in atoms]
    return "-".join(min(names, names[::-1]))
