"""From the decoder's heads to designs, field by field, leaving out what rules forbid given the fields before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.encoding import Encoding, at, pinned_values
from generators.network import Heads
from generators.support import NOTHING, Support
from loop.space import Constraint, Range, canonical_value, clause_holds, grid_step
from loop.types import Design, Parameter, Value

if TYPE_CHECKING:
    import numpy as np

TEMPERATURE = 0.7
"""Of the categorical draws; numbers are drawn at their own standard deviation."""
NUMBER_TRIES = 8
DEAD_ENDS = 3
DEAD = ""
"""Key of a row that no value could continue; no parameter has an empty name."""
UNSEEN = 1e6
"""Taken off the score of a choice that the corpus never shows beside the others: it comes last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One field to decode, its column among the choices or numbers, and the constraints that are settled by it:
    those whose other parameters are all decoded before."""

    parameter: Parameter
    column: int
    settles: tuple[Constraint, ...]

    def forbids(self, values: Mapping[str, Value], value: Value) -> bool:
        trial = {**values, self.parameter.name: value}
        return any(constraint.violated(trial) for constraint in self.settles)

    def pinned(self, values: Mapping[str, Value]) -> Value | None:
        """The one value that a settled constraint leaves, if one does."""
        name = self.parameter.name
        for constraint in self.settles:
            value = pinned_values(constraint).get(name)
            if value is not None and name not in constraint.when and clause_holds(constraint.when, values):
                return value
        return None

    def ends(self) -> list[Value]:
        """Where a settled constraint may begin or cease to hold: the ends of its ranges and of the parameter's own, and
        the numbers beside them."""
        p, name = self.parameter, self.parameter.name
        ends: list[Value | None] = [*(p.bounds or ())]
        for wanted in (clause[name] for c in self.settles for clause in (c.when, c.then or {}) if name in clause):
            ends += (wanted.low, wanted.high) if isinstance(wanted, Range) else wanted
        step = 1.0 if p.kind == "integer" else grid_step(p)
        numbers = (end for end in ends if isinstance(end, int | float))
        return [canonical_value(p, end + k * step) for end in numbers for k in (-1, 0, 1)]


class Decoder:
    """Draws designs from heads. `masked` leaves out choices and numbers that the space's constraints forbid given the
    fields decoded before, and, with a `support`, what the corpus never shows; what neither can see is left to
    `Space.violations`. Where the fields before leave no value, the design is drawn again, DEAD_ENDS times at most.
    `pins` are values every design must take; they are decoded first."""

    def __init__(
        self,
        encoding: Encoding,
        pins: Mapping[str, Value] | None = None,
        *,
        masked: bool = True,
        support: Support = NOTHING,
    ) -> None:
        self.encoding = encoding
        self.support = support if masked else NOTHING
        self.pins = dict(pins or {})
        space = encoding.space
        self._given = {p.name: canonical_value(p, None) for p in space.parameters if p not in space.free} | self.pins
        self._steps = decoding_order(encoding, self._given, masked=masked)

    def draw(self, heads: Heads, rng: np.random.Generator) -> list[Design]:
        """One stochastic design per latent point, canonical but not yet judged."""
        import numpy as np

        rows, left = self._rows(heads, rng), np.arange(len(heads.mean))
        for _ in range(DEAD_ENDS):
            left = np.array([i for i in left if DEAD in rows[i]], dtype=int)
            if not len(left):
                break
            again = self._rows(Heads(heads.logits[left], heads.mean[left], heads.sd[left]), rng)
            for i, row in zip(left, again, strict=True):
                rows[i] = row
        names = self.encoding.space.names
        return [self.encoding.space.canonicalise({name: row[name] for name in names}) for row in rows]

    def _rows(self, heads: Heads, rng: np.random.Generator) -> list[dict[str, Value]]:
        """Values field by field; a row that met a dead end also holds DEAD."""
        import numpy as np

        noise = rng.gumbel(size=heads.logits.shape)
        rows: list[dict[str, Value]] = [dict(self._given) for _ in range(len(heads.mean))]
        codes, decoded = self._codes(len(rows))
        for step in self._steps:
            column = step.column
            if step.parameter.bounds is None:
                size = len(step.parameter.choices)
                scores = heads.logits[:, column, :size] / TEMPERATURE + noise[:, column, :size]
                seen = self.support.allowed(column, size, codes, decoded)
                codes[:, column] = _choose(step, rows, np.argsort(-np.where(seen, scores, scores - UNSEEN), axis=1))
                decoded.append(column)
            else:
                mean, sd = heads.mean[:, column, None], heads.sd[:, column, None]
                tries = (mean + sd * rng.standard_normal((len(rows), NUMBER_TRIES))).clip(0.0, 1.0)
                low, high = (limit[:, None] for limit in self.support.limits(column, codes, decoded))
                outside = (tries < low) | (tries > high)
                order = np.argsort(outside, axis=1, kind="stable")
                _measure(step, rows, np.take_along_axis(tries, order, axis=1).clip(low, high))
        return rows

    def _codes(self, n: int) -> tuple[np.ndarray, list[int]]:
        """(n, C) indices of the choices decoded so far, given ones filled in, and which columns those are."""
        import numpy as np

        codes, decoded = np.zeros((n, len(self.encoding.categorical)), dtype=np.int64), []
        for column, p in enumerate(self.encoding.categorical):
            if p.name in self._given:
                codes[:, column] = p.choices.index(self._given[p.name])
                decoded.append(column)
        return codes, decoded


def _choose(step: Step, rows: Sequence[dict[str, Value]], preference: np.ndarray) -> list[int]:
    """Give each row its most preferred choice that no settled constraint forbids, or the first where all are; their
    indices."""
    choices, chosen = step.parameter.choices, []
    for row, order in zip(rows, preference.tolist(), strict=True):
        k = order[0]
        if step.settles:
            k = next((k for k in order if not step.forbids(row, choices[k])), -1)
            if k < 0:
                row[DEAD], k = step.parameter.name, order[0]
        row[step.parameter.name] = choices[k]
        chosen.append(k)
    return chosen


def _measure(step: Step, rows: Sequence[dict[str, Value]], fractions: np.ndarray) -> None:
    """Give each row the first of its drawn numbers that no settled constraint forbids, else the nearest to it where a
    constraint ends, or the first where all are forbidden."""
    p = step.parameter
    for row, drawn in zip(rows, fractions.tolist(), strict=True):
        pinned = step.pinned(row)
        if pinned is None:
            numbers = (canonical_value(p, at(p, fraction)) for fraction in drawn)
            first = next(numbers)
            if step.settles and step.forbids(row, first):
                free = next((number for number in numbers if not step.forbids(row, number)), None)
                if free is None:
                    nearest = sorted(step.ends(), key=lambda end: abs(float(end) - float(first)))
                    free = next((end for end in nearest if not step.forbids(row, end)), None)
                if free is None:
                    row[DEAD] = p.name
                first = first if free is None else free
            pinned = first
        row[p.name] = pinned


def decoding_order(encoding: Encoding, given: Mapping[str, Value], *, masked: bool) -> tuple[Step, ...]:
    """What a constraint's `if` names comes before what its `then` names (cycles are cut), categories before numbers."""
    fields = [(p, i) for i, p in enumerate(encoding.categorical)] + [(p, i) for i, p in enumerate(encoding.numeric)]
    fields = [(p, i) for p, i in fields if p.name not in given]
    constraints = encoding.space.constraints if masked else ()
    depth = {p.name: 0 for p, _ in fields}
    for _ in fields:
        for constraint in constraints:
            above = max((depth.get(name, 0) for name in constraint.when), default=0)
            for name in constraint.then or {}:
                if name in depth and name not in constraint.when:
                    depth[name] = min(max(depth[name], above + 1), len(fields))
    fields.sort(key=lambda field: (depth[field[0].name], field[0].bounds is not None))
    decoded, steps = set(given), []
    for p, column in fields:
        decoded.add(p.name)
        settled = tuple(c for c in constraints if p.name in (names := {*c.when, *(c.then or {})}) and names <= decoded)
        steps.append(Step(p, column, settled))
    return tuple(steps)
