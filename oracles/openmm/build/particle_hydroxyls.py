"""Hydroxyl groups on a particle: on the oxygens with the fewest metals, at random among equals, without a dipole.

A dangling oxygen is the first to take up a proton. A random pattern on a whole particle would have a dipole of some
100 D, which nothing in the melt calls for: hydroxyls are exchanged for free oxygens of their kind until next to nothing
is left of it.
"""

from __future__ import annotations

import numpy as np

from oracles.openmm.build.geometry import outward
from oracles.openmm.build.hydroxyls import Hydroxyls, hydroxyl_charge
from oracles.openmm.build.particle import Particle
from oracles.openmm.build.particle_ligands import blocked
from oracles.openmm.forcefield.oxides import hydroxyl_gain
from oracles.openmm.materials import catalogue

PATTERNS, EXCHANGES = 8, 20
"""Patterns drawn, of which the one with the smallest dipole is taken, and exchanges in each."""
NO_ANCHORS = np.empty((0, 1), dtype=int)


def hydroxylate(particle: Particle, groups: int, model: str, seed: int, anchors: np.ndarray = NO_ANCHORS) -> Hydroxyls:
    """So many hydroxyls on the exposed oxygens that no ligand keeps from it by its `anchors`, (ligands, anchors each);
    hydrogens point away from the centre."""
    rng = np.random.default_rng(seed)
    length = float(catalogue.data(model)["hydroxyl_bond"]["length"])
    theta = np.deg2rad(catalogue.data(model)["hydroxyl_angle"]["angle"])
    free = particle.exposed[~np.isin(particle.exposed, blocked(particle, anchors))]
    hydrogens = particle.positions + length * outward(particle.positions)
    charge = float(catalogue.data(model)["hydrogen"]["charge"])
    moments = hydroxyl_gain(model) * particle.positions + charge * hydrogens
    bare = particle.charges(model) @ particle.positions
    bare = bare + hydroxyl_charge(model) * particle.positions[anchors.ravel()].sum(axis=0)
    patterns = [_pattern(particle, rng.permutation(free), groups, moments, bare) for _ in range(PATTERNS)]
    oxygens = np.sort(min(patterns, key=lambda o: float(np.linalg.norm(bare + moments[o].sum(axis=0)))))
    angles = [(int(metal), k, theta) for k, o in enumerate(oxygens) for metal in particle.bound_metals(int(o))]
    return Hydroxyls(oxygens, hydrogens[oxygens], tuple(angles))


def _pattern(particle: Particle, drawn: np.ndarray, groups: int, moments: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """The oxygens of one pattern, those `drawn` first among equals, after the exchanges, one by one, that lower the
    dipole (e nm) most. `moments` (n, 3) is what a hydroxyl on an atom adds to that of the `bare` particle."""
    metals = particle.coordination
    ordered = drawn[np.argsort(metals[drawn], kind="stable")]
    oxygens, free = ordered[:groups].copy(), ordered[groups:].copy()
    if not len(oxygens) or not len(free):
        return oxygens
    movable = np.flatnonzero(metals[oxygens] == metals[oxygens[-1]])
    free = free[metals[free] == metals[oxygens[-1]]]
    dipole = bare + moments[oxygens].sum(axis=0)
    for _ in range(EXCHANGES if len(free) else 0):
        after = dipole + moments[free][None] - moments[oxygens[movable]][:, None]
        size = np.linalg.norm(after, axis=-1)
        i, j = np.unravel_index(int(np.argmin(size)), size.shape)
        if size[i, j] >= np.linalg.norm(dipole):
            break
        dipole = after[i, j]
        oxygens[movable[i]], free[j] = free[j], oxygens[movable[i]]
    return oxygens
