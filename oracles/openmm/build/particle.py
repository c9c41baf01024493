"""Whole nanoparticles cut from a crystal: a ball of metals, each with the oxygens that the wanted hydroxyls leave it.

A ball that keeps every oxygen of its metals has far too many: 17 formal charges too many per nm^2 of magnetite. In
solution protons and water make up for that. Here oxygens are left out, those with the fewest metals first, until the
ball with its wanted hydroxyls is as nearly neutral as whole oxygens allow: two hydrogens and an oxygen are a water, so
that any hydroxyl density within the sites has its own stoichiometry. A metal keeps at least four oxygens; silicon,
which has four, keeps all of them, and silica is neutral only where every dangling oxygen carries a hydrogen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from loop.seeds import derive
from oracles.openmm.build.crystal import unit_cell
from oracles.openmm.build.slab import BOND
from oracles.openmm.forcefield.oxides import OXYGEN, bare_charges
from oracles.openmm.materials import catalogue

FEWEST_OXYGENS = 4
"""Oxygens that a metal keeps: octahedral ones may lose two, as at steps and corners, tetrahedral ones none."""
SAME_PLACE = 1e-3
"""nm."""


@dataclass(frozen=True, eq=False)
class Particle:
    """A bare particle, its centre at the origin: metals within `radius` (nm) of it, and oxygens.

    positions (n, 3) nm; bonds (k, 2) pairs of a metal and an oxygen; `exposed` are the oxygens that lack a metal of the
    bulk's, those with the fewest metals first; they lie at `radius` on average, within 0.06 nm.
    """

    oxide: str
    radius: float
    elements: tuple[str, ...]
    sites: tuple[str, ...]
    positions: np.ndarray
    bonds: np.ndarray
    exposed: np.ndarray

    @property
    def area(self) -> float:
        """nm^2 of the sphere."""
        return 4 * math.pi * self.radius**2

    @property
    def metals(self) -> np.ndarray:
        return np.flatnonzero(np.array(self.sites) != OXYGEN)

    @property
    def coordination(self) -> np.ndarray:
        """(n,) bonds of each atom."""
        return np.bincount(self.bonds.ravel(), minlength=len(self.sites))

    def bound_metals(self, oxygen: int) -> np.ndarray:
        """Metals bound to an oxygen."""
        first, last = np.searchsorted(self._by_oxygen[:, 1], [oxygen, oxygen + 1])
        return np.asarray(self._by_oxygen[first:last, 0])

    @cached_property
    def _by_oxygen(self) -> np.ndarray:
        return np.asarray(self.bonds[np.argsort(self.bonds[:, 1], kind="stable")])

    @cached_property
    def opposite(self) -> np.ndarray:
        """(n,) the atom at each one's image through the centre; the atom itself where there is none."""
        from scipy.spatial import cKDTree

        apart, atoms = cKDTree(self.positions).query(-self.positions)
        return np.where(apart < SAME_PLACE, atoms, np.arange(len(self.sites)))

    def charges(self, model: str) -> np.ndarray:
        """(n,) e by an oxide model, before neutralisation. Raises UnknownMaterial where it lacks the oxide."""
        return bare_charges(model, self.oxide, self.sites, self.bonds)

    def dipole(self, model: str) -> float:
        """Length of the dipole about the centre, e nm."""
        return float(np.linalg.norm(self.charges(model) @ self.positions))


@cache
def build_particle(oxide: str, radius: float, left_out: int = 0) -> Particle:
    """The particle of a radius (nm) with so many oxygens left out, or as many as its metals can spare.

    Which ones is drawn, but always the same: as for slabs, replicas differ by their hydroxyls. Raises UnknownMaterial.
    """
    if not left_out:
        return _ball(oxide, radius)
    full = build_particle(oxide, radius)
    return _without(full, _spared(full, left_out))


def _ball(oxide: str, radius: float) -> Particle:
    """Metals within the radius of the crystal's centre, with all their oxygens."""
    from scipy.spatial import cKDTree

    cell = unit_cell(oxide)
    # planes of the lattice are 1/|column of the inverse| apart
    reach = np.ceil((radius + BOND) * np.linalg.norm(np.linalg.inv(cell.vectors), axis=0)).astype(int) + 1
    shifts = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = ((shifts[:, None] + (cell.fractions - cell.centre)) @ cell.vectors).reshape(-1, 3)
    sites = np.tile(np.array(cell.sites), len(shifts))
    near = np.linalg.norm(positions, axis=1) < radius + BOND
    positions, sites = positions[near], sites[near]
    metal = sites != OXYGEN
    inside = metal & (np.linalg.norm(positions, axis=1) <= radius)
    oxygens = np.flatnonzero(~metal)
    bound = cKDTree(positions[oxygens]).query_ball_tree(cKDTree(positions[inside]), BOND)
    kept = np.sort(np.concatenate([np.flatnonzero(inside), oxygens[[len(around) > 0 for around in bound]]]))
    return _particle(oxide, radius, sites[kept], positions[kept])


def _particle(oxide: str, radius: float, sites: np.ndarray, positions: np.ndarray) -> Particle:
    from scipy.spatial import cKDTree

    elements = {site["name"]: site["element"] for site in catalogue.oxide(oxide)["sites"]}
    metals, oxygens = np.flatnonzero(sites != OXYGEN), np.flatnonzero(sites == OXYGEN)
    near = cKDTree(positions[metals]).query_ball_tree(cKDTree(positions[oxygens]), BOND)
    bonds = np.array([(metals[k], oxygens[i]) for k, around in enumerate(near) for i in sorted(around)])
    coordination = np.bincount(bonds.ravel(), minlength=len(sites))
    lacking = oxygens[coordination[oxygens] < coordination[oxygens].max()]
    return Particle(
        oxide=oxide,
        radius=radius,
        elements=tuple(elements[site] for site in sites),
        sites=tuple(sites.tolist()),
        positions=positions,
        bonds=bonds,
        exposed=lacking[np.argsort(coordination[lacking], kind="stable")],
    )


def _spared(full: Particle, left_out: int) -> np.ndarray:
    """Oxygens to leave out, those with the fewest metals first and of equals drawn ones; each with its image through
    the centre, so that what is left has no dipole."""
    rng = np.random.default_rng(derive(0, "cut", full.oxide, left_out))
    coordination = full.coordination
    gone = np.zeros(len(full.sites), dtype=bool)
    drawn = rng.permutation(full.exposed)
    for oxygen in drawn[np.argsort(coordination[drawn], kind="stable")].tolist():
        pair = np.unique([oxygen, full.opposite[oxygen]])
        if gone.sum() >= left_out:
            break
        around = np.concatenate([full.bound_metals(o) for o in pair])
        if not gone[oxygen] and (coordination[around] > FEWEST_OXYGENS).all():
            coordination[around] -= 1
            gone[pair] = True
    return np.flatnonzero(gone)


def _without(full: Particle, gone: np.ndarray) -> Particle:
    kept = np.setdiff1d(np.arange(len(full.sites)), gone)
    return _particle(full.oxide, full.radius, np.array(full.sites)[kept], full.positions[kept])
