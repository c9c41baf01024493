"""Positions and angles of atoms from those before them; distances from planes and spheres."""

from __future__ import annotations

from collections.abc import Sequence

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


def from_planes(z: np.ndarray, top: np.ndarray, gap: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance d (nm) of points from the nearest outermost atom plane and the sign s of that plane's outward normal.

    `z` (frames, points) nm, any periodic image; the polymer fills [top, top + gap] of a box of `height`, each
    (frames,). s is +1 for the lower interface of the gap (the slab's upper side), -1 for the upper;
    d < 0 lies inside the slab.
    """
    middle = (top + gap / 2)[:, None]
    half = (height / 2)[:, None]
    above = (z - middle + half) % height[:, None] - half
    return (gap / 2)[:, None] - np.abs(above), np.where(above < 0, 1.0, -1.0)


def from_sphere(x: np.ndarray, centre: np.ndarray, radius: float, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance d (nm) of points from a sphere, below 0 inside it, and the outward normal there.

    `x` (frames, points, 3) nm, any periodic image; the sphere has its `centre` (frames, 3) in a cube of `edge`
    (frames,).
    """
    apart = x - centre[:, None]
    apart = apart - np.round(apart / edge[:, None, None]) * edge[:, None, None]
    r = np.linalg.norm(apart, axis=-1)
    return r - radius, apart / r[..., None]


def outward(x: np.ndarray) -> np.ndarray:
    """(n, 3) unit vectors from the origin towards points (n, 3); none at the origin itself."""
    r = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(r, 1e-9))


def wrapped(apart: np.ndarray, lateral: Sequence[float] | np.ndarray) -> np.ndarray:
    """Vectors (..., 3) between the nearest images in a periodic rectangle of edges `lateral`, nm along x and y."""
    nearest = apart.copy()
    nearest[..., :2] -= np.round(apart[..., :2] / lateral) * lateral
    return nearest
