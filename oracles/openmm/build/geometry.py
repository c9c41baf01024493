"""Positions and angles of atoms from those before them."""

from __future__ import annotations

import numpy as np

COLLINEAR = 1e-6
"""nm^2; below it three atoms are in line and any plane serves."""


def extend(a: np.ndarray, b: np.ndarray, c: np.ndarray, length: float, angle: float, torsion: float) -> np.ndarray:
    """The atom d bound to c with angle b-c-d and dihedral a-b-c-d (rad): Parsons et al., J. Comput. Chem. 2005, 26,
    1063 (natural extension reference frame)."""
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    if np.linalg.norm(normal) < COLLINEAR:
        normal = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, along)
    return np.asarray(
        c
        + length
        * (-np.cos(angle) * along + np.sin(angle) * np.cos(torsion) * across + np.sin(angle) * np.sin(torsion) * normal)
    )


def dihedral(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """Dihedral a-b-c-d, rad in (-pi, pi], trans = pi."""
    axis = (c - b) / np.linalg.norm(c - b)
    before, after = (a - b) - ((a - b) @ axis) * axis, (d - c) - ((d - c) @ axis) * axis
    return float(np.arctan2(np.cross(axis, before) @ after, before @ after))


def frame(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal columns: from b towards a, then c's side of that line, then their normal."""
    along = (a - b) / np.linalg.norm(a - b)
    side = (c - b) - ((c - b) @ along) * along
    side /= np.linalg.norm(side)
    return np.column_stack([along, side, np.cross(along, side)])
