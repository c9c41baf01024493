"""What a design may be: parameters, constraints and the named rules a design must pass.

Generator, acquisition, sheets and engine all use the one `canonicalise` and the one `violations` of this file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from loop import molecules
from loop.types import Check, Design, Molecules, Parameter, Value

MAX_DRAWS_PER_DESIGN = 200

Description = Mapping[str, float]
Describer = Callable[[str, Value], Description]


class SpaceError(ValueError):
    """The space, or values said to lie in it, cannot be used. The message names the cure."""


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive limits on a number; None leaves that side open."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: Value) -> bool:
        if isinstance(value, str):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


Wanted = tuple[Value, ...] | Range
Clause = Mapping[str, Wanted]


def clause_holds(clause: Clause, values: Mapping[str, Value]) -> bool:
    """True where every parameter named by the clause has a wanted value."""
    return all(
        wanted.holds(values[name]) if isinstance(wanted, Range) else values[name] in wanted
        for name, wanted in clause.items()
    )


@dataclass(frozen=True, slots=True)
class Constraint:
    """`if when, then then`; a `forbid` has no `then`. `name` is what a violation is called."""

    name: str
    when: Clause
    then: Clause | None = None

    def violated(self, values: Mapping[str, Value]) -> bool:
        return clause_holds(self.when, values) and (self.then is None or not clause_holds(self.then, values))


class Space:
    """Parameters in the campaign's order, its constraints, and the oracles' checks as further rules.

    `checks` are pure functions design -> Sequence[Check], such as an oracle's `check` at the fidelity in use;
    `describers` pure functions (parameter's name, value) -> numbers that describe the value, such as an oracle's
    `describe`.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[Constraint] = (),
        checks: Sequence[Callable[[Design], Sequence[Check]]] = (),
        describers: Sequence[Describer] = (),
    ) -> None:
        self.parameters = tuple(parameters)
        self.constraints = tuple(constraints)
        self._checks = tuple(checks)
        self._describers = tuple(describers)
        self._by_name = {p.name: p for p in self.parameters}
        self._known: dict[Design, tuple[str, ...]] = {}
        self._described: dict[tuple[str, Value], Description] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters that can vary."""
        return tuple(p for p in self.parameters if not is_fixed(p))

    def __getitem__(self, name: str) -> Parameter:
        return self._by_name[name]

    def with_checks(
        self, checks: Sequence[Callable[[Design], Sequence[Check]]], describers: Sequence[Describer] = ()
    ) -> Space:
        return Space(self.parameters, self.constraints, (*self._checks, *checks), (*self._describers, *describers))

    def describe(self, name: str, value: Value) -> Description:
        """Numbers that describe a value of a parameter: what the describers say of it, the first where several use one
        name, and for a molecule what its graph says (`loop.molecules.describe`). Empty where nobody knows it."""
        known = self._described.get((name, value))
        if known is None:
            own = molecules.describe(str(value)) if self[name].molecules else {}
            known = dict(own)
            for describer in reversed(self._describers):
                known |= describer(name, value)
            self._described[name, value] = known
        return known

    def descriptors(self, name: str) -> Mapping[Value, Description] | None:
        """What describes each choice of a parameter, the same names for all; None where its values are no choices of
        text, or where some are not described. Values of a `smiles` parameter are described one by one."""
        p = self[name]
        if p.bounds is not None or not p.choices or not is_text(p):
            return None
        found = {choice: self.describe(name, choice) for choice in p.choices}
        names = set.intersection(*(set(description) for description in found.values()))
        return {choice: {k: d[k] for k in d if k in names} for choice, d in found.items()} if names else None

    def canonicalise(self, values: Mapping[str, Value]) -> Design:
        """The design meant by `values`: fixed values filled in, numbers clipped and rounded to their grid, and
        parameters that a constraint leaves no freedom (`then` names one value) set to it.

        Raises SpaceError for an unknown name, a missing free parameter or a choice that is not offered.
        """
        unknown = [name for name in values if name not in self._by_name]
        if unknown:
            raise SpaceError(f"unknown parameter {unknown[0]!r}; the space has {', '.join(self.names)}")
        full = {p.name: canonical_value(p, values.get(p.name)) for p in self.parameters}
        for name, value in self.pinned(full).items():
            full[name] = canonical_value(self[name], value)
        return Design(full)

    def pinned(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Parameters that constraints leave one value, given complete `values`."""
        current, pinned = dict(values), {}
        for constraint in self.constraints:
            if constraint.then is not None and clause_holds(constraint.when, current):
                for name, wanted in constraint.then.items():
                    if isinstance(wanted, tuple) and len(wanted) == 1:
                        pinned[name] = current[name] = wanted[0]
        return pinned

    def violations(self, design: Design) -> tuple[str, ...]:
        """Names of the rules the design breaks: limits, constraints, then the oracles' checks (only where the rest
        holds, since an oracle may rely on it). Empty for a valid design."""
        known = self._known.get(design)
        if known is None:
            known = self._known[design] = self._judge(design)
        return known

    def _judge(self, design: Design) -> tuple[str, ...]:
        outside = [f"limits:{p.name}" for p in self.parameters if not within(p, design.values.get(p.name))]
        if outside:
            return tuple(outside)
        broken = [c.name for c in self.constraints if c.violated(design.values)]
        if broken:
            return tuple(broken)
        return tuple(check.name for judge in self._checks for check in judge(design) if not check.passed)

    def sample(self, n: int, *, seed: int, max_draws: int | None = None) -> list[Design]:
        """Up to n distinct valid designs, spread by a scrambled Sobol sequence over the free parameters.

        Fewer come back where the space holds fewer, or where valid designs are rarer than one draw in 200
        (`max_draws` sets another limit).
        Raises SpaceError, naming the rules that refused, where not one valid design was found.
        """
        import warnings

        from scipy.stats import qmc

        free = self.free
        if not free:
            return self._only_design()
        sobol = qmc.Sobol(d=len(free), scramble=True, seed=seed)
        found: dict[Design, None] = {}
        refused: Counter[str] = Counter()
        draws, budget = 0, max_draws or max(2000, MAX_DRAWS_PER_DESIGN * n)
        while len(found) < n and draws < budget:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an incomplete power of two: balance is not needed here
                points = sobol.random(min(1024, max(64, 2 * n)))
            for point in points.tolist():
                draws += 1
                design = self.canonicalise({p.name: at_fraction(p, u) for p, u in zip(free, point, strict=True)})
                broken = self.violations(design)
                refused.update(broken)
                if not broken:
                    found.setdefault(design)
                if len(found) == n:
                    break
        if not found:
            raise SpaceError(no_valid_design(refused, draws))
        return list(found)

    def _only_design(self) -> list[Design]:
        design = self.canonicalise({})
        broken = self.violations(design)
        if broken:
            raise SpaceError(no_valid_design(Counter(broken), 1))
        return [design]


def no_valid_design(refused: Counter[str], draws: int) -> str:
    rules = ", ".join(f"{name} ({count})" for name, count in refused.most_common(4))
    return f"no valid design in {draws} draws; refused by {rules}; widen the space or loosen these rules"


def is_text(p: Parameter) -> bool:
    """True where the values are names or molecules, not numbers."""
    return p.molecules is not None or any(isinstance(choice, str) for choice in p.choices)


def is_fixed(p: Parameter) -> bool:
    """True for a parameter with one possible value."""
    return len(p.choices) == 1 if p.bounds is None else p.bounds[0] == p.bounds[1]


def grid_step(p: Parameter) -> float:
    """The rounding grid of a real: its `step`, or the power of ten at or below a thousandth of the range."""
    assert p.bounds is not None
    if p.step is not None:
        return p.step
    span = p.bounds[1] - p.bounds[0]
    return float(10.0 ** math.floor(math.log10(span / 1000))) if span > 0 else 1.0


def canonical_value(p: Parameter, value: Value | None) -> Value:
    """`value` on the parameter's grid; a molecule as its canonical SMILES, whether the parameter allows it or not.
    Raises SpaceError where it is missing or not offered."""
    if is_fixed(p):
        return p.choices[0] if p.bounds is None else number(p, p.bounds[0])
    if value is None:
        raise SpaceError(f"{p.name}: no value given")
    if p.molecules is not None:
        return molecule(p.name, str(value))
    if p.bounds is None:
        if value not in p.choices:
            raise SpaceError(f"{p.name}: {value!r} is not one of {', '.join(map(str, p.choices))}")
        return p.choices[p.choices.index(value)]
    if isinstance(value, str) or not math.isfinite(value):
        raise SpaceError(f"{p.name}: {value!r} is not a number")
    return number(p, value)


def molecule(name: str, smiles: str) -> str:
    """Canonical SMILES. Raises SpaceError."""
    try:
        return molecules.canonical(smiles)
    except molecules.BadMolecule as error:
        raise SpaceError(f"{name}: {error}") from error


def number(p: Parameter, value: float) -> int | float:
    """`value` clipped to the bounds and rounded: to whole numbers, or to the step by exact decimal arithmetic."""
    assert p.bounds is not None
    low, high = p.bounds
    clipped = min(max(value, low), high)
    if p.kind == "integer":
        return round(clipped)
    step = exactly(grid_step(p))
    ticks = (Decimal(repr(float(clipped))) / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    return float(min(max(float(ticks * step), low), high)) + 0.0


@lru_cache(maxsize=1024)
def exactly(step: float) -> Decimal:
    """The decimal number that a step is written as."""
    return Decimal(repr(step))


def within(p: Parameter, value: Value | None) -> bool:
    """True where the value is one the parameter allows."""
    if value is None:
        return False
    if p.molecules is not None:
        return isinstance(value, str) and not molecules.fault(p.molecules, value)
    if p.bounds is None:
        return value in p.choices
    return not isinstance(value, str) and p.bounds[0] <= value <= p.bounds[1]


def at_fraction(p: Parameter, u: float) -> Value:
    """The value a fraction u in [0, 1) along the parameter, each choice and integer equally wide; of a molecule the
    length goes with u and the rest is drawn by it. Raises SpaceError where no molecule can be drawn."""
    if p.molecules is not None:
        return drawn(p.name, p.molecules, u)
    if p.bounds is None:
        return p.choices[min(int(u * len(p.choices)), len(p.choices) - 1)]
    low, high = p.bounds
    if p.kind == "integer":
        return min(int(low) + int(u * (high - low + 1)), int(high))
    return low + u * (high - low)


def drawn(name: str, allowed: Molecules, u: float) -> str:
    try:
        return molecules.at_fraction(allowed, u)
    except molecules.BadMolecule as error:
        raise SpaceError(f"{name}: {error}") from error
