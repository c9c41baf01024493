"""What the corpus never shows: the decoder's mask for rules that are code, such as an oracle's checks.

Combinations of two or three choices that chance would show often and that no valid design has, and the ends of a number
under one or two choices. Learnt from the rule-valid corpus, so a rule that leaves a rare valid corner may hide it from
the generator; the uniform part of a pool does not read this mask.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from generators.encoding import Fields

EXPECTED = 20.0
"""A combination that independent choices would show so often, and that is never seen, is held impossible (p < 1e-8)."""
MOST_CELLS = 5.0
"""Combinations of wider columns are not counted: chance would show hardly any of them EXPECTED times."""
ENOUGH = 100
"""Free numbers seen before their ends are believed: the true end is then within about 1 % of the range."""
SHORT = 0.05
"""Share of the range that must be missing at an end before it counts as cut off."""


Combination = tuple[tuple[int, ...], tuple[int, ...]]
"""Columns of the categorical fields, and the choice of each."""
End = tuple[tuple[int, ...], tuple[int, ...], int, float, float]


@dataclass(frozen=True, slots=True)
class Support:
    """`absent`: combinations never seen. `ends`: a combination, the column of a number, and its lowest and highest
    fraction of the range there."""

    absent: tuple[Combination, ...] = ()
    ends: tuple[End, ...] = ()

    def allowed(self, column: int, size: int, codes: np.ndarray, decoded: Sequence[int]) -> np.ndarray:
        """(n, size) whether each choice of the column goes with the `codes` (n, C) of the columns decoded before."""
        import numpy as np

        free = np.ones((len(codes), size), dtype=bool)
        for columns, choices in self.absent:
            if column in columns and all(c == column or c in decoded for c in columns):
                given = [(c, k) for c, k in zip(columns, choices, strict=True) if c != column]
                clash = np.logical_and.reduce([codes[:, c] == k for c, k in given])
                free[clash, choices[columns.index(column)]] = False
        return free

    def limits(self, number: int, codes: np.ndarray, decoded: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """(n,) lowest and highest fraction of the number; infinite where nothing is cut off."""
        import numpy as np

        low, high = np.full(len(codes), -np.inf), np.full(len(codes), np.inf)
        for columns, choices, of, least, most in self.ends:
            if of == number and all(c in decoded for c in columns):
                holds = np.logical_and.reduce([codes[:, c] == k for c, k in zip(columns, choices, strict=True)])
                low[holds] = np.maximum(low[holds], least if least > SHORT else -np.inf)
                high[holds] = np.minimum(high[holds], most if most < 1.0 - SHORT else np.inf)
        return low, high

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        return {"absent": self.absent, "ends": self.ends}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Support:
        absent = tuple((tuple(columns), tuple(choices)) for columns, choices in facts["absent"])
        ends = ((tuple(columns), tuple(choices), *rest) for columns, choices, *rest in facts["ends"])
        return cls(absent, tuple(ends))


NOTHING = Support()


def learn_support(fields: Fields, sizes: Sequence[int]) -> Support:
    """What the designs (valid, spread evenly over their space) never show."""
    absent: dict[Combination, None] = {}
    ends: list[End] = []
    for order in (1, 2, 3):
        for columns in itertools.combinations(range(len(sizes)), order):
            if order > 1 and math.prod(sizes[c] for c in columns) * EXPECTED <= MOST_CELLS * len(fields.choices):
                for choices in _never_seen(fields.choices[:, columns], [sizes[c] for c in columns]):
                    if not _implied(columns, choices, absent):
                        absent.setdefault((columns, choices))
            if order < 3:
                ends += _cut_off(fields, columns)
    return Support(tuple(absent), tuple(ends))


def _never_seen(codes: np.ndarray, sizes: Sequence[int]) -> list[tuple[int, ...]]:
    import numpy as np

    counts = np.bincount(np.ravel_multi_index(codes.T, sizes), minlength=int(np.prod(sizes))).reshape(sizes)
    expected = np.array(float(len(codes)))
    for i, size in enumerate(sizes):
        share = np.bincount(codes[:, i], minlength=size) / len(codes)
        expected = expected[..., None] * share
    return [tuple(map(int, found)) for found in np.argwhere((counts == 0) & (expected >= EXPECTED))]


def _implied(columns: tuple[int, ...], choices: tuple[int, ...], absent: Mapping[Combination, None]) -> bool:
    pairs = itertools.combinations(zip(columns, choices, strict=True), 2)
    return len(columns) > 2 and any(((a[0], b[0]), (a[1], b[1])) in absent for a, b in pairs)


def _cut_off(fields: Fields, columns: tuple[int, ...]) -> list[End]:
    import numpy as np

    found = []
    for choices in np.unique(fields.choices[:, columns], axis=0):
        rows = (fields.choices[:, columns] == choices).all(1)
        for of in range(fields.numbers.shape[1]):
            seen = fields.numbers[rows & fields.free_numbers[:, of], of]
            if len(seen) >= ENOUGH and (seen.min() > SHORT or seen.max() < 1.0 - SHORT):
                found.append((columns, tuple(map(int, choices)), of, float(seen.min()), float(seen.max())))
    return found
