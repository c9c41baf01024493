"""The energy of small rigid molecules anywhere above one face of a rigid surface, tabulated once and read off a grid.

Coulomb by Ewald's sum over the surface's periodic images, Lennard-Jones with Lorentz-Berthelot mixing to a cut-off and,
beyond it, with the surface laterally uniform: what `simulate.energy` and `simulate.dispersion` say of the two, without
the molecule's own periodic images.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from oracles.openmm.simulate.dispersion import plane_integral

COULOMB = 138.935457644
"""kJ nm/mol/e^2, CODATA 2018."""
TOLERANCE = 1e-4
"""Of Ewald's sum at the cut-off in either space."""
NEAREST = 0.05
"""nm; nearer than this all points are alike, and inside an atom."""
EDGE = 6
"""Nodes by which the grid is continued across the cell's edges, where splines end."""
SOFT = 5.0
"""kJ/mol above which splines follow the logarithm of Lennard-Jones energies: 1 and 20 are twice as far off."""
OVERLAP = 1e5
"""kJ/mol of a molecule with an atom below the grid."""


class Sites(NamedTuple):
    """Atoms of a surface: positions (n, 3) nm, charges e, sigma nm and epsilon kJ/mol, each (n,)."""

    positions: np.ndarray
    charges: np.ndarray
    sigma: np.ndarray
    epsilon: np.ndarray


class Landscape:
    """Energies between `low` and `high` (z, nm) over the upper face of a surface in a periodic cell (3,) nm.

    `kinds` are the (sigma, epsilon) that atoms may have, `step` (nm) is the wanted distance of nodes. Between nodes are
    cubic splines, of asinh(U / SOFT) for Lennard-Jones, whose walls they could not follow otherwise. With a step of
    0.06 dimers of PVDF and PEO, -25 kJ/mol on average, are off by 0.2 (Coulomb) and 0.9 kJ/mol, root mean square.
    """

    def __init__(
        self,
        sites: Sites,
        cell: np.ndarray,
        kinds: Sequence[tuple[float, float]],
        low: float,
        high: float,
        cutoff: float,
        step: float,
    ) -> None:
        self._nodes = np.ceil(cell[:2] / step).astype(int)
        self._step = np.array([*(cell[:2] / self._nodes), step])
        self._low = low
        axes = [np.arange(n) * d for n, d in zip(self._nodes, self._step[:2], strict=True)]
        axes.append(low + step * np.arange(int(np.ceil((high - low) / step)) + 2))
        near = _Neighbours(sites, cell, axes, cutoff)
        alpha = float(np.sqrt(-np.log(2 * TOLERANCE)) / cutoff)
        potential = near.screened(sites.charges, alpha) + _reciprocal(sites, cell, axes, alpha)
        self._potential = _spline(COULOMB * potential)
        self._cores = [_spline(np.arcsinh(near.lennard_jones(sites, kind) / SOFT)) for kind in kinds]

    def __call__(self, points: np.ndarray, charges: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coulomb and Lennard-Jones energy (...,) kJ/mol of molecules at `points` (..., n, 3) nm whose atoms have
        `charges` (n,) e and numbers (n,) of `kinds`. An atom below `low` is an overlap."""
        from scipy.ndimage import map_coordinates

        at = (points - (0.0, 0.0, self._low)) / self._step
        at[..., :2] = at[..., :2] % self._nodes + EDGE

        def read(spline: np.ndarray, atoms: np.ndarray | slice) -> np.ndarray:
            chosen = at[..., atoms, :]
            flat = chosen.reshape(-1, 3).T
            found = map_coordinates(spline, flat, order=3, prefilter=False, mode="nearest")
            return np.asarray(found).reshape(chosen.shape[:-1])

        coulomb = read(self._potential, slice(None)) @ charges
        lj = np.zeros_like(coulomb)
        for kind, spline in enumerate(self._cores):
            atoms = np.flatnonzero(kinds == kind)
            if len(atoms):
                lj += SOFT * np.sinh(read(spline, atoms)).sum(axis=-1)
        return coulomb, np.where(points[..., 2].min(axis=-1) < self._low, OVERLAP, lj)


class _Neighbours:
    """Pairs of a grid's node and an atom, in any image along x and y, within the cut-off."""

    def __init__(self, sites: Sites, cell: np.ndarray, axes: Sequence[np.ndarray], cutoff: float) -> None:
        from scipy.spatial import cKDTree

        self._shape = tuple(len(axis) for axis in axes)
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        inside = sites.positions.copy()
        inside[:, :2] %= cell[:2]
        images = np.concatenate([inside + shift for shift in _images(cell, cutoff)])
        atoms = np.tile(np.arange(len(inside)), len(images) // len(inside))
        low, high = nodes.min(axis=0) - cutoff, nodes.max(axis=0) + cutoff
        close = ((images > low) & (images < high)).all(axis=1)
        found = cKDTree(nodes).sparse_distance_matrix(cKDTree(images[close]), cutoff, output_type="ndarray")
        self._node, self._atom = found["i"], atoms[close][found["j"]]
        self._r = np.maximum(found["v"], NEAREST)
        self._z, self._area, self._cutoff = axes[2], float(cell[0] * cell[1]), cutoff

    def screened(self, charges: np.ndarray, alpha: float) -> np.ndarray:
        """sum q erfc(alpha r) / r at every node, e/nm."""
        from scipy.special import erfc

        r = np.linspace(NEAREST, self._cutoff, 4096)
        return self._summed(charges[self._atom] * np.interp(self._r, r, erfc(alpha * r) / r))

    def lennard_jones(self, sites: Sites, kind: tuple[float, float]) -> np.ndarray:
        """kJ/mol of an atom of this sigma and epsilon at every node, what lies beyond the cut-off included."""
        sigma6 = ((sites.sigma + kind[0]) / 2) ** 6
        c6 = 4 * np.sqrt(sites.epsilon * kind[1]) * sigma6
        inverse6 = self._r**-6.0
        within = self._summed(((c6 * sigma6)[self._atom] * inverse6 - c6[self._atom]) * inverse6)
        apart = np.abs(self._z[:, None] - sites.positions[None, :, 2])
        return within - plane_integral(apart, self._cutoff, self._cutoff) @ c6 / self._area

    def _summed(self, terms: np.ndarray) -> np.ndarray:
        return np.bincount(self._node, terms, int(np.prod(self._shape))).reshape(self._shape)


def _images(cell: np.ndarray, cutoff: float) -> list[np.ndarray]:
    """(3,) nm to all images along x and y that a cut-off reaches."""
    reach = [range(-n, n + 1) for n in np.ceil(cutoff / cell[:2]).astype(int)]
    return [np.array((*shift, 0)) * cell for shift in product(*reach)]


def _reciprocal(sites: Sites, cell: np.ndarray, axes: Sequence[np.ndarray], alpha: float) -> np.ndarray:
    """The smooth part of Ewald's sum on the grid, e/nm; the k = 0 term of a neutral surface is none."""
    largest = 2 * alpha * np.sqrt(-np.log(TOLERANCE))
    waves = [2 * np.pi / edge * np.arange(-(n := int(largest * edge / (2 * np.pi))), n + 1) for edge in cell]
    square = sum(k**2 for k in np.meshgrid(*waves, indexing="ij"))
    with np.errstate(divide="ignore"):
        weight = np.where(square > 0, 4 * np.pi / np.prod(cell) * np.exp(-square / (4 * alpha**2)) / square, 0.0)
    phases = [np.exp(-1j * np.outer(x, k)) for x, k in zip(sites.positions.T, waves, strict=True)]
    structure = np.einsum("n,na,nb,nc->abc", sites.charges, *phases, optimize=True)
    fields = [np.exp(1j * np.outer(axis, k)) for axis, k in zip(axes, waves, strict=True)]
    return np.asarray(np.einsum("abc,xa,yb,zc->xyz", weight * structure, *fields, optimize=True).real)


def _spline(values: np.ndarray) -> np.ndarray:
    """Coefficients of the cubic spline through periodic (x, y) and open (z) nodes."""
    from scipy.ndimage import spline_filter

    return np.asarray(spline_filter(np.pad(values, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="wrap"), order=3))
