"""Designs as rows of numbers: numbers scaled to [0, 1] first, then one code per choice, then descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from acquisition.descriptors import Group, groups
from loop.space import Space, is_text
from loop.types import Design, Parameter


class Encoding:
    """The free parameters of a space as columns.

    `integer`, `real` and choices that are all numbers become numeric columns scaled to [0, 1]; the other choices
    become category columns holding the position of the choice. Descriptors follow, scaled to [0, 1]: groups of
    `described` columns each for choices, then of `generated` columns each for molecules, which have no category. A
    space without a free parameter has one constant numeric column, so that its only design can still be modelled.
    """

    def __init__(self, space: Space) -> None:
        self.numeric = tuple(p for p in space.free if is_numeric(p))
        self.categorical = tuple(p for p in space.free if not is_numeric(p) and p.molecules is None)
        self.groups = groups(space)
        self.n_numeric = max(len(self.numeric), 0 if self.categorical or self.groups else 1)
        self.n_categorical = len(self.categorical)
        self.choices = tuple(len(p.choices) for p in self.categorical)
        sizes = [(group.parameter.molecules is not None, len(group.names)) for group in self.groups]
        self.described = tuple(size for generated, size in sizes if not generated)
        self.generated = tuple(size for generated, size in sizes if generated)

    @property
    def width(self) -> int:
        return self.n_numeric + self.n_categorical + sum(self.described) + sum(self.generated)

    def rows(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, width) float64."""
        table = np.zeros((len(designs), self.width))
        for column, p in enumerate(self.numeric):
            low, high = limits(p)
            values = np.array([float(design.values[p.name]) for design in designs])
            table[:, column] = (values - low) / (high - low)
        for column, p in enumerate(self.categorical, start=self.n_numeric):
            table[:, column] = [p.choices.index(design.values[p.name]) for design in designs]
        for group, columns in self._groups():
            table[:, columns] = group.columns([design.values[group.parameter.name] for design in designs])
        return table

    def _groups(self) -> Iterator[tuple[Group, slice]]:
        """The described groups with their columns."""
        start = self.n_numeric + self.n_categorical
        for group, width in zip(self.groups, (*self.described, *self.generated), strict=True):
            yield group, slice(start, start + width)
            start += width

    def at(self, fractions: np.ndarray) -> np.ndarray:
        """The rows at fractions (n, width) in [0, 1) along each column, every choice equally wide; of generated
        molecules the descriptors are taken along their scales."""
        table = np.array(fractions, dtype=float)
        for column, p in enumerate(self.categorical, start=self.n_numeric):
            table[:, column] = np.floor(table[:, column] * len(p.choices))
        codes = {p.name: column for column, p in enumerate(self.categorical, start=self.n_numeric)}
        for group, columns in self._groups():
            if group.parameter.name in codes:
                told = group.columns(group.parameter.choices)
                table[:, columns] = told[table[:, codes[group.parameter.name]].astype(int)]
        return table

    def distances(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """(len(a), len(b)) Gower distance: scaled differences of the numbers, plus one per differing choice, plus the
        mean difference of their descriptors for each generated molecule."""
        k, c = self.n_numeric, self.n_numeric + self.n_categorical
        apart = np.abs(a[:, None, :k] - b[None, :, :k]).sum(-1)
        apart = apart + (a[:, None, k:c] != b[None, :, k:c]).sum(-1)
        for group, columns in self._groups():
            if group.parameter.molecules is not None:
                apart = apart + np.abs(a[:, None, columns] - b[None, :, columns]).mean(-1)
        return np.asarray(apart)


def is_numeric(p: Parameter) -> bool:
    """True where the values of the parameter have an order and distances."""
    return not is_text(p)


def limits(p: Parameter) -> tuple[float, float]:
    """The least and greatest value of a numeric parameter."""
    if p.bounds is not None:
        return p.bounds
    numbers = [float(choice) for choice in p.choices]
    return min(numbers), max(numbers)
