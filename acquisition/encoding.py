"""Designs as rows of numbers: numbers scaled to [0, 1] first, then one code per choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loop.space import Space
from loop.types import Design, Parameter


class Encoding:
    """The free parameters of a space as columns.

    `integer`, `real` and choices that are all numbers become numeric columns scaled to [0, 1]; the other choices
    become category columns holding the position of the choice. A space without a free parameter has one constant
    numeric column, so that its only design can still be modelled.
    """

    def __init__(self, space: Space) -> None:
        self.numeric = tuple(p for p in space.free if is_numeric(p))
        self.categorical = tuple(p for p in space.free if not is_numeric(p))
        self.n_numeric = max(len(self.numeric), 0 if self.categorical else 1)
        self.n_categorical = len(self.categorical)

    @property
    def width(self) -> int:
        return self.n_numeric + self.n_categorical

    def rows(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, width) float64."""
        table = np.zeros((len(designs), self.width))
        for column, p in enumerate(self.numeric):
            low, high = limits(p)
            values = np.array([float(design.values[p.name]) for design in designs])
            table[:, column] = (values - low) / (high - low)
        for column, p in enumerate(self.categorical, start=self.n_numeric):
            table[:, column] = [p.choices.index(design.values[p.name]) for design in designs]
        return table

    def at(self, fractions: np.ndarray) -> np.ndarray:
        """The rows at fractions (n, width) in [0, 1) along each column, every choice equally wide."""
        table = np.array(fractions, dtype=float)
        for column, p in enumerate(self.categorical, start=self.n_numeric):
            table[:, column] = np.floor(table[:, column] * len(p.choices))
        return table

    def distances(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """(len(a), len(b)) Gower distance: scaled differences of the numbers plus one per differing choice."""
        k = self.n_numeric
        apart = np.abs(a[:, None, :k] - b[None, :, :k]).sum(-1)
        return np.asarray(apart + (a[:, None, k:] != b[None, :, k:]).sum(-1))


def is_numeric(p: Parameter) -> bool:
    """True where the values of the parameter have an order and distances."""
    return p.bounds is not None or not any(isinstance(choice, str) for choice in p.choices)


def limits(p: Parameter) -> tuple[float, float]:
    """The least and greatest value of a numeric parameter."""
    if p.bounds is not None:
        return p.bounds
    numbers = [float(choice) for choice in p.choices]
    return min(numbers), max(numbers)
