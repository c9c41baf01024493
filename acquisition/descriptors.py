"""What is known of choices and molecules besides their names, as columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loop.space import Description, Space, at_fraction
from loop.types import Parameter, Value

REFERENCES = 64
"""Random molecules whose descriptors set the scale of a generated parameter."""
LEAST_CHOICES = 3
"""Between fewer, descriptors tell no more than the names."""

SAME = 1e-6
"""Scaled descriptors that differ by no more than this count as one."""


@dataclass(frozen=True, slots=True)
class Group:
    """The described values of one parameter: `names` of the descriptors, the `low` and `span` that scale them to [0, 1]
    over its choices (over random molecules where they are generated), and the `middle` in place of a missing one."""

    space: Space
    parameter: Parameter
    names: tuple[str, ...]
    low: np.ndarray
    span: np.ndarray
    middle: np.ndarray

    def columns(self, values: Sequence[Value]) -> np.ndarray:
        """(n, descriptors) of values of the parameter."""
        told = {value: self._row(self.space.describe(self.parameter.name, value)) for value in dict.fromkeys(values)}
        return np.array([told[value] for value in values]).reshape(len(values), len(self.names))

    def _row(self, description: Mapping[str, float]) -> np.ndarray:
        raw = np.array([description.get(name, np.nan) for name in self.names])
        return np.where(np.isfinite(raw), (raw - self.low) / self.span, self.middle)


def groups(space: Space) -> tuple[Group, ...]:
    """The parameters of a space whose values are described by something that differs between them, generated molecules
    last."""
    found = [group(space, p) for p in space.free if p.bounds is None]
    told = [g for g in found if g is not None and g.names]
    return tuple(sorted(told, key=lambda g: g.parameter.molecules is not None))


def group(space: Space, p: Parameter) -> Group | None:
    if p.molecules is not None:
        drawn = dict.fromkeys(at_fraction(p, (k + 0.5) / REFERENCES) for k in range(REFERENCES))
        return scaled(space, p, [space.describe(p.name, value) for value in drawn])
    told = space.descriptors(p.name)
    if told is None or len(told) < LEAST_CHOICES:
        return None
    return scaled(space, p, list(told.values()))


def scaled(space: Space, p: Parameter, told: Sequence[Description]) -> Group:
    """The group scaled by these descriptions. Of descriptors that rise and fall together the first is kept."""
    names = list(dict.fromkeys(name for description in told for name in description))
    table = np.array([[description.get(name, np.nan) for name in names] for description in told], dtype=float)
    table = np.where(np.isfinite(table), table, np.nan)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    keep = np.flatnonzero(high > low)
    unit = (table[:, keep] - low[keep]) / (high - low)[keep]
    kept: list[int] = []
    for k in range(len(keep)):
        if not any(np.nanmax(np.abs(unit[:, k] - unit[:, j])) < SAME for j in kept):
            kept.append(k)
    keep = keep[kept]
    middle = np.nanmean(unit[:, kept], axis=0) if kept else np.zeros(0)
    return Group(space, p, tuple(names[k] for k in keep), low[keep], (high - low)[keep], middle)
