"""Force-field parameters of one organic molecule, whatever set they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class Uncovered(ValueError):
    """A molecule that a force field has no parameters for. The message names the atoms."""


@dataclass(frozen=True)
class Parameters:
    """charges e, sigma nm, epsilon kJ/mol, each (n,); bonded terms by atom index.

    bonds: (i, j, length nm, stiffness kJ/mol/nm^2) and angles: (i, j, k, angle rad, stiffness kJ/mol/rad^2), energies
    1/2 k x^2; torsions (proper and improper): (i, j, k, l, periodicity, phase rad, k kJ/mol), energies
    k [1 + cos(n phi - phase)].
    Pairs three bonds apart interact with Coulomb and LJ energies scaled by `coulomb14` and `lj14`.
    """

    charges: np.ndarray
    sigma: np.ndarray
    epsilon: np.ndarray
    bonds: tuple[tuple[int, int, float, float], ...]
    angles: tuple[tuple[int, int, int, float, float], ...]
    torsions: tuple[tuple[int, int, int, int, int, float, float], ...]
    coulomb14: float
    lj14: float
