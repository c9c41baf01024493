"""Bonds that run through rings: a push-off cannot cure them, so that chains are not packed that way."""

from __future__ import annotations

import numpy as np

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import rings

MARGIN = 0.02
"""nm beyond a ring's atoms at which a bond still counts as through it."""


def threaded(
    ringed: Molecule, x: np.ndarray, bonded: Molecule, y: np.ndarray, lateral: tuple[float, ...] | None
) -> bool:
    """Whether a bond between heavy atoms of `bonded` at y (m, 3) nm runs through a ring of `ringed` at x (n, 3), in
    a box periodic along x and y, and z where `lateral` has three edges; None is one and the same molecule in free
    space."""
    found = rings(ringed.smiles)
    if not found:
        return False
    pairs = np.array([(i, j) for i, j in bonded.bonds if "H" not in (bonded.elements[i], bonded.elements[j])])
    for ring in found:
        atoms = list(ring)
        if lateral is None:
            touched = np.isin(pairs, atoms).any(axis=1)
            if _through(x[atoms], y[pairs[~touched]], None):
                return True
        elif _through(x[atoms], y[pairs], lateral):
            return True
    return False


def _through(ring: np.ndarray, bonds: np.ndarray, lateral: tuple[float, ...] | None) -> bool:
    """Whether one of the `bonds` (k, 2, 3) crosses the disc about the `ring` (r, 3)."""
    centre = ring.mean(axis=0)
    normal = np.linalg.svd(ring - centre)[2][2]
    apart = bonds - centre
    if lateral is not None:
        box = np.array([*lateral, np.inf])[:3]
        apart = apart - np.round(apart.mean(axis=1) / box)[:, None] * np.where(np.isinf(box), 0.0, box)
    heights = apart @ normal
    crossing = heights[:, 0] * heights[:, 1] < 0
    start, end, share = apart[crossing, 0], apart[crossing, 1], heights[crossing, 0]
    share = (share / (share - heights[crossing, 1]))[:, None]
    radius = np.linalg.norm(ring - centre, axis=1).max() + MARGIN
    return bool((np.linalg.norm(start + share * (end - start), axis=1) < radius).any())
