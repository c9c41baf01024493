"""Side groups that two gauche bonds of opposite sign bring together: why meso and racemo diads prefer other states.

g+g- sets the ends of five atoms in a row against each other, as in pentane (Abe, Jernigan, Flory, J. Am. Chem. Soc.
1966, 88, 631). The ends may be side groups: trans trans does it in a meso diad, one of the trans gauche in a racemo one
(Flory, Mark, Abe, J. Am. Chem. Soc. 1966, 88, 639; Suter, Flory, Macromolecules 1975, 8, 765).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oracles.openmm.build.chains import grow
from oracles.openmm.build.geometry import dihedral
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.rotors import STATES
from oracles.openmm.forcefield.parameters import Parameters


def beside(molecule: Molecule, parameters: Parameters, hands: np.ndarray) -> np.ndarray:
    """(bonds, 3, 3): pairs of heavy atoms so brought together, the chain's own two aside, by the states of the bond
    before and of each bond that has a torsion. `hands` as in `grow`; where the side groups stand is read off the chain
    grown all trans."""
    path = molecule.backbone.tolist()
    bonds = len(path) - 3
    x = grow(molecule, parameters, np.full(bonds, 180.0), hands)
    found = np.zeros((bonds, 3, 3))
    for k in range(1, bonds):
        before, left, middle, right, after = path[k - 1 : k + 4]
        ends = _heavy(molecule, left, middle), _heavy(molecule, right, middle)
        signs = (
            {i: _signs(x[[i, left, middle, right]]) for i in ends[0]},
            {j: _signs(x[[left, middle, right, j]]) for j in ends[1]},
        )
        pairs = [(i, j) for i in ends[0] for j in ends[1] if (i, j) != (before, after)]
        found[k] = sum((np.outer(signs[0][i], signs[1][j]) == -1 for i, j in pairs), np.zeros((3, 3)))
    return found


def _heavy(molecule: Molecule, atom: int, other: int) -> Sequence[int]:
    """Neighbours of an atom, another and hydrogens aside."""
    return [i for i in molecule.neighbours[atom] if i != other and molecule.elements[i] != "H"]


def _signs(x: np.ndarray) -> np.ndarray:
    """(3,) 1, -1 or 0 for gauche+, gauche- or trans of four atoms, whose backbone is trans in `x` (4, 3), in each state
    of that backbone."""
    turned = np.degrees(dihedral(*x)) + np.array([0.0, -120.0, 120.0])  # from trans to each of STATES
    thirds = np.round((turned - 180.0) / 120.0).astype(int) % 3
    return np.asarray(STATES[[0, 2, 1]][thirds])  # 180, 300 and 60 degrees
