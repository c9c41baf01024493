"""Fluorine on bare metal, which fixed charges bind more strongly and more closely than nature does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.build.slab import folded

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

CONTACT = 0.22
"""nm; metal-fluorine bonds of fluorides are 0.18 to 0.21 nm long, and a C-F group has no business being as close."""


def fluorine_contacts(film: Specimen, frames: np.ndarray, height: float) -> float:
    """Pairs of a fluorine and a metal of the oxide within 0.22 nm of each other, per nm^2 of interface, the mean over
    `frames` (k, N, 3) nm of a box of `height` nm."""
    from scipy.spatial import cKDTree

    elements = np.array([atom.element.symbol for atom in film.topology.atoms()])
    fluorines, metals = np.flatnonzero(elements == "F"), film.slab[elements[film.slab] != "O"]
    box = film.cell(height)
    pairs = 0
    for frame in frames:
        near = (cKDTree(folded(frame[atoms].astype(float), box), boxsize=box) for atoms in (fluorines, metals))
        pairs += next(near).count_neighbors(next(near), CONTACT) if len(fluorines) else 0
    return float(pairs / (len(frames) * film.interface))
