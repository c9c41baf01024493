"""From the decoder's heads to designs, field by field, leaving out what rules forbid.

A constraint of the campaign is enforced as soon as its parameters are decoded. What only whole designs tell, such as an
oracle's check, which is code, is judged on whole designs: where one breaks a rule, its fields are drawn again from the
same heads, so that each design comes from the decoder's own distribution without its invalid part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.encoding import Encoding, at, pinned_values
from generators.network import Heads
from generators.symbols import spelled
from loop.space import Constraint, Range, canonical_value, clause_holds, grid_step
from loop.types import Design, Parameter, Value

if TYPE_CHECKING:
    import numpy as np

TEMPERATURE = 0.7
"""Of the categorical draws; numbers are drawn at their own standard deviation."""
NUMBER_TRIES = 8
FARTHEST = 4.0
"""Standard deviations of the last of a number's tries over that of the first, which is the decoder's own."""
REDRAWS = 4
"""Times that a design which breaks a rule is drawn again whole, before it is field by field."""
SYMBOLS = 3
"""Symbols of a molecule that are tried at each place: each is another molecule, which takes milliseconds to judge."""
SWEEPS = 3
"""Times that each field then has its turn."""


@dataclass(frozen=True, slots=True)
class Step:
    """One field to decode, its column among the choices or numbers, and the constraints that are settled by it:
    those whose other parameters are all decoded before."""

    parameter: Parameter
    column: int
    settles: tuple[Constraint, ...]

    def drawn(self, heads: Heads, rng: np.random.Generator) -> list[list[Value]]:
        """For each latent point the field's values in the order to try them: every choice, or NUMBER_TRIES numbers."""
        import numpy as np

        p = self.parameter
        if p.bounds is None:
            scores = heads.logits[:, self.column, : len(p.choices)] / TEMPERATURE
            order = np.argsort(-(scores + rng.gumbel(size=scores.shape)), axis=1)
            return [[p.choices[k] for k in row] for row in order.tolist()]
        mean, sd = heads.mean[:, self.column, None], heads.sd[:, self.column, None]
        noise = rng.standard_normal((len(mean), NUMBER_TRIES)) * np.linspace(1.0, FARTHEST, NUMBER_TRIES)
        return [[at(p, u) for u in row] for row in (mean + sd * noise).clip(0.0, 1.0).tolist()]

    def first_allowed(self, values: Mapping[str, Value], drawn: Sequence[Value]) -> Value:
        """The first value drawn that no settled constraint forbids beside the `values` decoded before; else of the
        ends of what a constraint allows the nearest to it, or it itself where nothing is allowed."""
        p, wanted = self.parameter, canonical_value(self.parameter, drawn[0])
        pinned = self._pinned(values)
        if pinned is not None:
            return pinned
        if not self._forbids(values, wanted):
            return wanted
        others = [*(canonical_value(p, value) for value in drawn[1:]), *self._ends(wanted)]
        return next((value for value in others if not self._forbids(values, value)), wanted)

    def _forbids(self, values: Mapping[str, Value], value: Value) -> bool:
        trial = {**values, self.parameter.name: value}
        return any(constraint.violated(trial) for constraint in self.settles)

    def _pinned(self, values: Mapping[str, Value]) -> Value | None:
        """The one value that a settled constraint leaves, if one does."""
        name = self.parameter.name
        for constraint in self.settles:
            value = pinned_values(constraint).get(name)
            if value is not None and name not in constraint.when and clause_holds(constraint.when, values):
                return value
        return None

    def _ends(self, wanted: Value) -> list[Value]:
        """Where a settled constraint on a number may begin or cease to hold, the nearest to `wanted` first: the ends of
        its ranges and of the parameter's own, and the numbers beside them."""
        p, name = self.parameter, self.parameter.name
        if p.bounds is None:
            return []
        ends: list[Value | None] = [*p.bounds]
        for limits in (clause[name] for c in self.settles for clause in (c.when, c.then or {}) if name in clause):
            ends += (limits.low, limits.high) if isinstance(limits, Range) else limits
        step = 1.0 if p.kind == "integer" else grid_step(p)
        numbers = (end for end in ends if isinstance(end, int | float))
        found = [canonical_value(p, end + k * step) for end in numbers for k in (-1, 0, 1)]
        return sorted(found, key=lambda end: abs(float(end) - float(wanted)))


class Decoder:
    """Draws designs from heads. `pins` are values every design must take; they are decoded first. `masked` leaves out
    what constraints forbid; a masked draw that still breaks a rule is made again, whole and at the same latent point,
    `redraws` times, then one field after the other with the rest kept (0: neither)."""

    def __init__(
        self,
        encoding: Encoding,
        pins: Mapping[str, Value] | None = None,
        *,
        masked: bool = True,
        redraws: int = REDRAWS,
    ) -> None:
        self.encoding = encoding
        self.redraws = redraws if masked else 0
        self.pins = dict(pins or {})
        space = encoding.space
        given = {p.name: canonical_value(p, None) for p in space.parameters if p not in space.free} | self.pins
        self._given = given | spelled(space, given)
        self._steps = decoding_order(encoding, self._given, masked=masked)

    def draw(self, heads: Heads, rng: np.random.Generator) -> tuple[list[Design], list[bool]]:
        """One canonical design per latent point, and whether it was valid as first drawn. What no redraw made valid is
        handed out as it is."""
        designs = self._drawn(heads, rng)
        left = [i for i, design in enumerate(designs) if self._broken(design)]
        valid = [True] * len(designs)
        for i in left:
            valid[i] = False
        for _ in range(self.redraws):
            for i, design in zip(left, self._drawn(heads.take(left), rng), strict=True):
                designs[i] = design
            left = [i for i in left if self._broken(designs[i])]
        if self.redraws:
            for i in left:
                designs[i] = self._field_by_field(designs[i], heads.take([i]), rng)
        return designs, valid

    def _drawn(self, heads: Heads, rng: np.random.Generator) -> list[Design]:
        rows: list[dict[str, Value]] = [dict(self._given) for _ in range(len(heads.mean))]
        for step in self._steps:
            for row, drawn in zip(rows, step.drawn(heads, rng), strict=True):
                row[step.parameter.name] = step.first_allowed(row, drawn)
        return [self.encoding.design(row) for row in rows]

    def _broken(self, design: Design) -> tuple[str, ...]:
        """Names of the rules broken and of the pins not kept."""
        lost = (name for name, value in self.pins.items() if design.values[name] != value)
        return *lost, *self.encoding.space.violations(design)

    def _numbers_first(self, rng: np.random.Generator) -> list[Step]:
        steps = [self._steps[i] for i in rng.permutation(len(self._steps))]
        return sorted(steps, key=lambda step: step.parameter.bounds is None)

    def _field_by_field(self, design: Design, heads: Heads, rng: np.random.Generator) -> Design:
        """The design with its fields drawn again in random order, numbers before choices, which the decoder knows
        better; a draw is kept where it breaks fewer rules than what was there."""
        wrong, values = len(self._broken(design)), {**self.encoding.spelled(design), **self._given}
        for step in (step for _ in range(SWEEPS) for step in self._numbers_first(rng)):
            few = SYMBOLS if step.parameter.name in self.encoding.symbols else None
            for value in step.drawn(heads, rng)[0][:few]:
                trial = self.encoding.design({**values, step.parameter.name: value})
                left = len(self._broken(trial))
                if left < wrong:
                    design, wrong, values = trial, left, {**self.encoding.spelled(trial), **self._given}
                if not wrong:
                    return design
        return design


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
