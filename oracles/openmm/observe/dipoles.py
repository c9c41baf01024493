"""Dipole moments of repeat units and of whole films."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.constants import FARADAY
from oracles.openmm.simulate.energy import charges

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

E_NM_PER_DEBYE = 0.0208194
"""1 D = 3.33564e-30 C m."""


class Units:
    """Groups of atoms (repeat units) with their centres of mass and dipoles.

    `masses` (N,) amu are the elements' own, so that where a unit is does not depend on how hydrogens are weighted for
    the time step; `charges` (N,) e.
    """

    def __init__(self, groups: Sequence[np.ndarray], masses: np.ndarray, charges: np.ndarray) -> None:
        self._weights = np.zeros((len(groups), len(masses)))
        self._charges = np.zeros_like(self._weights)
        for row, atoms in enumerate(groups):
            self._weights[row, atoms] = masses[atoms] / masses[atoms].sum()
            self._charges[row, atoms] = charges[atoms]
        self._net = self._charges.sum(axis=1)

    def __len__(self) -> int:
        return len(self._weights)

    def centres(self, positions: np.ndarray) -> np.ndarray:
        """(frames, units, 3) nm from `positions` (frames, N, 3), molecules whole."""
        return np.asarray(self._weights @ positions)

    def dipoles(self, positions: np.ndarray) -> np.ndarray:
        """(frames, units, 3) D: sum of q_i (r_i - r_com) over a unit's atoms. Measuring from the centre of mass makes
        the slightly charged end units count like the others."""
        moments = self._charges @ positions - self._net[:, None] * self.centres(positions)
        return np.asarray(moments / E_NM_PER_DEBYE)

    def fields(self, forces: np.ndarray) -> np.ndarray:
        """(frames, units, 3) V/nm, the uniform field that fits the Coulomb forces (frames, N, 3) kJ/mol/nm on a unit's
        atoms best, E = sum q_i F_i / sum q_i^2."""
        squares = (self._charges**2).sum(axis=1)[:, None]
        return np.asarray(self._charges @ forces / (FARADAY * squares))


class Moments:
    """Dipole moments of a film: of its polymer, and of all atoms that move."""

    def __init__(self, film: Specimen) -> None:
        q = charges(film.system)
        moves = np.array([film.system.getParticleMass(atom)._value > 0 for atom in range(len(q))])
        chains = np.isin(np.arange(len(q)), film.polymer)
        self._charges = {"polymer_moment": q * chains, "mobile_moment": q * moves}

    def series(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """`polymer_moment` and `mobile_moment` (frames, 3) e nm of `positions` (frames, N, 3) nm, molecules whole.

        A chain is neutral: it counts alike in every periodic image.
        """
        return {name: np.einsum("i,fic->fc", q, positions) for name, q in self._charges.items()}
