"""How chains are folded: dihedrals, trans fractions; and how thick a first layer is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FIRST_LAYER = 0.38
"""nm. A thicker layer (0.55) dilutes the surface's effect on the dipole from signal over noise 2.4 to 0.9."""
TRANS = 120.0
"""Degrees: a backbone dihedral beyond +-120 is trans."""


def backbone_dihedrals(backbones: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Atoms (dihedrals, 4) of every run of four backbone atoms, and (pairs, 2) indices of neighbours in one chain."""
    quads, pairs, start = [], [], 0
    for chain in backbones:
        count = max(0, len(chain) - 3)
        quads += [chain[i : i + 4] for i in range(count)]
        pairs += [(start + i, start + i + 1) for i in range(count - 1)]
        start += count
    return np.array(quads, dtype=int).reshape(-1, 4), np.array(pairs, dtype=int).reshape(-1, 2)


def dihedrals(positions: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Angles (frames, dihedrals) in degrees, 180 = trans, from `positions` (frames, N, 3), molecules whole."""
    a, b, c, d = (positions[:, quads[:, k]] for k in range(4))
    u, v, w = b - a, c - b, d - c
    n1, n2 = np.cross(u, v), np.cross(v, w)
    x = (n1 * n2).sum(-1)
    y = (np.cross(n1, n2) * v).sum(-1) / np.linalg.norm(v, axis=-1)
    return np.asarray(np.degrees(np.arctan2(y, x)))


def trans_fractions(angles: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(frames,) fraction of trans dihedrals, and of neighbouring pairs that are both trans, from angles in degrees."""
    trans = np.abs(angles) > TRANS
    return trans.mean(axis=1), (trans[:, pairs[:, 0]] & trans[:, pairs[:, 1]]).mean(axis=1)
