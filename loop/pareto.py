"""Which of several compromises are best, and how much of the objective space they cover; more is better throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def dominators(points: ArrayLike) -> np.ndarray:
    """(n,) how many rows of (n, m) points match each row everywhere and beat it somewhere.

    0 marks the non-dominated rows; equal rows do not dominate each other.
    """
    rows = np.asarray(points, dtype=float)
    if not len(rows):
        return np.zeros(0, dtype=int)
    nowhere_worse = (rows[:, None, :] >= rows[None, :, :]).all(-1)
    somewhere_better = (rows[:, None, :] > rows[None, :, :]).any(-1)
    return np.asarray((nowhere_worse & somewhere_better).sum(0))


def hypervolume(points: ArrayLike, reference: Sequence[float]) -> float:
    """Volume that (n, m) points dominate above the reference point (m,), in the product of the objectives' units.

    Exact, by the exclusive volumes of While, Bradstreet and Barone, IEEE Trans. Evol. Comput. 16, 86 (2012). Points
    that do not beat the reference in every objective count nothing. Raises ValueError where the shapes do not fit.
    """
    corner = np.asarray(reference, dtype=float)
    rows = np.asarray(points, dtype=float).reshape(-1, len(corner))
    gains = rows - corner
    return _union(gains[(gains > 0).all(1)])


def _union(gains: np.ndarray) -> float:
    """Volume of the union of the boxes [0, row]."""
    front = np.unique(gains[dominators(gains) == 0], axis=0)[::-1]
    if front.shape[1] == 2:
        return _staircase(front)
    return sum(_exclusive(front[i], front[i + 1 :]) for i in range(len(front)))


def _exclusive(box: np.ndarray, others: np.ndarray) -> float:
    """Volume of a box [0, box] that no other box covers."""
    return float(np.prod(box)) - (_union(np.minimum(box, others)) if len(others) else 0.0)


def _staircase(front: np.ndarray) -> float:
    """Area of a non-dominated front (n, 2) whose first column falls and second column rises."""
    widths = -np.diff(front[:, 0], append=0.0)
    return float(widths @ front[:, 1])
