"""Rigid oxide slabs: symmetric windows of a crystal with the named termination."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from oracles.openmm.build.crystal import Window, surface_cell, window
from oracles.openmm.forcefield.oxides import OXYGEN, bare_charges
from oracles.openmm.materials import catalogue

BOND = 0.245
"""nm; metal and oxygen are bound within it (bulk distances are 0.160 to 0.213 nm, the next ones above 0.29)."""
EXPOSED_DEPTH = 0.1
"""nm; oxygens within this depth of a face's outermost oxygen carry hydroxyls, where they lack a metal."""


@dataclass(frozen=True, eq=False)
class Slab:
    """A bare slab, symmetric about its middle: its lower plane at z = 0, its atoms within the lateral cell.

    positions (n, 3) nm; `lower` and `upper` are the exposed oxygens of the two faces that lack a metal of the bulk's;
    bonds (k, 2) pairs of a metal and an oxygen.
    """

    oxide: str
    elements: tuple[str, ...]
    sites: tuple[str, ...]
    positions: np.ndarray
    lateral: tuple[float, float]
    lower: np.ndarray
    upper: np.ndarray
    bonds: np.ndarray

    @property
    def area(self) -> float:
        return self.lateral[0] * self.lateral[1]

    @property
    def height(self) -> float:
        return float(np.ptp(self.positions[:, 2]))

    @cached_property
    def metals(self) -> np.ndarray:
        return np.array([i for i, site in enumerate(self.sites) if site != OXYGEN])

    @property
    def coordination(self) -> np.ndarray:
        """(n,) bonds of each atom."""
        return np.bincount(self.bonds.ravel(), minlength=len(self.sites))

    def bound_metals(self, oxygen: int) -> np.ndarray:
        """Metals bound to an oxygen."""
        return np.asarray(self.bonds[self.bonds[:, 1] == oxygen, 0])

    @property
    def open_metals(self) -> np.ndarray:
        """Metals of both faces with fewer oxygens than in the bulk."""
        return _lacking(self.sites, self.coordination, self.metals)

    def charges(self, model: str) -> np.ndarray:
        """(n,) e by an oxide model, before neutralisation. Raises UnknownMaterial where it lacks the oxide."""
        return bare_charges(model, self.oxide, self.sites, self.bonds)

    def dipole(self, model: str) -> float:
        """Normal dipole about the middle, e nm; none in a symmetric slab, up to rounding."""
        return float(self.charges(model) @ (self.positions[:, 2] - 0.5 * self.height))


@cache
def build_slab(oxide: str, facet: str, termination: str, lateral: tuple[float, float], thickness: float) -> Slab:
    """The slab of a facet whose box edges reach `lateral` and whose thickness is nearest to `thickness` (nm).

    Names are the catalogue's own (see `catalogue.facet_name`, `termination_name`). Raises UnknownMaterial.
    """
    end = catalogue.end(oxide, facet, termination)
    cell = surface_cell(oxide, end["cell"])
    taken = _thinned(window(cell, end["layers"], thickness), end["outermost"])
    sites = [cell.sites[i] for layer in taken.layers for i in layer]

    repeats = [math.ceil(wanted / edge - 1e-6) for wanted, edge in zip(lateral, cell.edges, strict=True)]
    shifts = [(i * cell.edges[0], j * cell.edges[1], 0.0) for i in range(repeats[0]) for j in range(repeats[1])]
    positions = np.concatenate([taken.positions + shift for shift in shifts])
    all_sites = tuple(sites * len(shifts))
    edges = (repeats[0] * cell.edges[0], repeats[1] * cell.edges[1])
    bonds = _bonds(positions, all_sites, edges)
    elements = {site["name"]: site["element"] for site in catalogue.oxide(oxide)["sites"]}
    lower, upper = _exposed(positions[:, 2], all_sites, bonds)
    return Slab(
        oxide=oxide,
        elements=tuple(elements[site] for site in all_sites),
        sites=all_sites,
        positions=positions,
        lateral=edges,
        lower=lower,
        upper=upper,
        bonds=bonds,
    )


def _thinned(taken: Window, share: float) -> Window:
    """The window with that share of the atoms of its outermost layers, the same number at both faces."""
    if share == 1.0:
        return taken
    sizes = [len(layer) for layer in taken.layers]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    keep = np.ones(starts[-1], dtype=bool)
    layers = list(taken.layers)
    for k in (0, len(sizes) - 1):
        here = np.arange(starts[k], starts[k + 1])
        x = np.round(taken.positions[here, :2], 6)
        left = np.sort(np.lexsort((x[:, 1], x[:, 0]))[: round(share * len(here))])
        keep[here] = np.isin(np.arange(len(here)), left)
        layers[k] = taken.layers[k][left]
    return Window(taken.labels, tuple(layers), taken.positions[keep])


def _bonds(positions: np.ndarray, sites: tuple[str, ...], lateral: tuple[float, float]) -> np.ndarray:
    from scipy.spatial import cKDTree

    box = np.array([*lateral, np.ptp(positions[:, 2]) + 2 * BOND])
    inside = folded(positions, box)
    metal = np.array([site != OXYGEN for site in sites])
    metals, oxygens = np.flatnonzero(metal), np.flatnonzero(~metal)
    near = cKDTree(inside[metals], boxsize=box).query_ball_tree(cKDTree(inside[oxygens], boxsize=box), BOND)
    return np.array([(metals[k], oxygens[i]) for k, around in enumerate(near) for i in sorted(around)])


def folded(positions: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Positions (n, 3) inside the periodic `box`, its upper faces excluded in spite of rounding."""
    inside = positions % box
    return np.where(inside < box, inside, 0.0)


def _lacking(sites: tuple[str, ...], coordination: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Those of the atoms with fewer bonds than their site has in the middle of the slab."""
    named = np.array(sites)
    full = {site: coordination[named == site].max() for site in set(sites)}
    return np.array([i for i in atoms if coordination[i] < full[sites[i]]], dtype=int)


def _exposed(z: np.ndarray, sites: tuple[str, ...], bonds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    oxygens = np.array([i for i, site in enumerate(sites) if site == OXYGEN])
    heights = z[oxygens]
    coordination = np.bincount(bonds.ravel(), minlength=len(sites))
    return (
        _lacking(sites, coordination, oxygens[heights < heights.min() + EXPOSED_DEPTH]),
        _lacking(sites, coordination, oxygens[heights > heights.max() - EXPOSED_DEPTH]),
    )
