"""From the decoder's heads to designs, field by field, leaving out what simple constraints forbid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.encoding import Encoding, at, pinned_values
from loop.space import Constraint, canonical_value, clause_holds
from loop.types import Design, Parameter, Value

if TYPE_CHECKING:
    import numpy as np

    from generators.network import Heads

TEMPERATURE = 0.7
"""Of the categorical draws; numbers are drawn at their own standard deviation."""
NUMBER_TRIES = 8


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


class Decoder:
    """Draws designs from heads. `masked` leaves out choices and numbers that the space's constraints forbid given the
    fields decoded before; what that cannot see (an oracle's checks, constraints that tie several fields at once) is
    left to `Space.violations`. `pins` are values every design must take; they are decoded first."""

    def __init__(self, encoding: Encoding, pins: Mapping[str, Value] | None = None, *, masked: bool = True) -> None:
        self.encoding = encoding
        self.pins = dict(pins or {})
        space = encoding.space
        self._given = {p.name: canonical_value(p, None) for p in space.parameters if p not in space.free} | self.pins
        self._steps = decoding_order(encoding, self._given, masked=masked)

    def draw(self, heads: Heads, rng: np.random.Generator) -> list[Design]:
        """One stochastic design per latent point, canonical but not yet judged."""
        import numpy as np

        noise = rng.gumbel(size=heads.logits.shape)
        rows: list[dict[str, Value]] = [dict(self._given) for _ in range(len(heads.mean))]
        for step in self._steps:
            if step.parameter.bounds is None:
                size = len(step.parameter.choices)
                scores = heads.logits[:, step.column, :size] / TEMPERATURE + noise[:, step.column, :size]
                _choose(step, rows, np.argsort(-scores, axis=1))
            else:
                mean, sd = heads.mean[:, step.column, None], heads.sd[:, step.column, None]
                tries = mean + sd * rng.standard_normal((len(rows), NUMBER_TRIES))
                _measure(step, rows, tries.clip(0.0, 1.0))
        free = [p.name for p in self.encoding.space.parameters]
        return [self.encoding.space.canonicalise({name: row[name] for name in free}) for row in rows]


def _choose(step: Step, rows: Sequence[dict[str, Value]], preference: np.ndarray) -> None:
    """Give each row its most preferred choice that no settled constraint forbids, or the first where all are."""
    choices = step.parameter.choices
    for row, order in zip(rows, preference.tolist(), strict=True):
        allowed = (k for k in order if not (step.settles and step.forbids(row, choices[k])))
        row[step.parameter.name] = choices[next(allowed, order[0])]


def _measure(step: Step, rows: Sequence[dict[str, Value]], fractions: np.ndarray) -> None:
    """Give each row the first of its drawn numbers that no settled constraint forbids, or the first where all are."""
    p = step.parameter
    for row, drawn in zip(rows, fractions.tolist(), strict=True):
        pinned = step.pinned(row)
        if pinned is None:
            numbers = (canonical_value(p, at(p, fraction)) for fraction in drawn)
            first = next(numbers)
            if step.settles and step.forbids(row, first):
                first = next((number for number in numbers if not step.forbids(row, number)), first)
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
