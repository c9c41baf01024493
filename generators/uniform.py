"""Rule-valid designs spread evenly over the space: a baseline, and what a trained generator falls back on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from generators import snapshot
from loop.molecules import alphabet, columns
from loop.space import Space, SpaceError, canonical_value, grid_step, within
from loop.types import Check, Condition, Design, Objective, Parameter, Predictor, Proposal, Record, Value

if TYPE_CHECKING:
    import numpy as np

MAX_LISTED = 4096
"""Spaces of up to so many combinations are listed whole."""


class Uniform:
    """The generator that learns nothing."""

    name = "uniform"

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()
        self._space: Space | None = None

    def fit(
        self,
        space: Space,
        records: Sequence[Record],
        objectives: Sequence[Objective],
        *,
        seed: int,
        predict: Predictor | None = None,
    ) -> None:
        self._space = space

    def propose(self, n: int, condition: Condition, incumbents: Sequence[Design], *, seed: int) -> list[Proposal]:
        """Up to n distinct valid designs that are not known; levels mean nothing here, pins are kept.

        Raises SpaceError where no design is valid or a pin lies outside the space.
        """
        if self._space is None:
            raise RuntimeError("call fit(space, ...) before propose")
        designs = valid_designs(self._space, n + len(condition.known), seed, condition.pins)
        return [Proposal(design, self.name) for design in designs if design not in condition.known][:n]

    def log_density(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) zeros: every valid design is as likely as any other."""
        import numpy as np

        return np.zeros(len(designs))

    def synthesize(self, n: int, condition: Condition, *, seed: int) -> list[Design]:
        return [proposal.design for proposal in self.propose(n, condition, (), seed=seed)]

    def save(self, folder: Path) -> str:
        return snapshot.write(folder, {}, {"generator": self.name})

    def load(self, folder: Path) -> None:
        snapshot.read(folder, self.name)


def valid_designs(space: Space, n: int, seed: int, pins: Mapping[str, Value] | None = None) -> list[Design]:
    """Up to n distinct valid designs: all of them where the space is small enough to be listed and holds no more than
    n. Raises SpaceError where there is none."""
    import numpy as np

    if pins:
        space = pinned_space(space, pins)
    if combinations(space) > MAX_LISTED:
        return space.sample(n, seed=seed)
    valid = listed(space) or space.sample(1, seed=seed)  # sample says which rules refused
    order = np.random.default_rng(seed).permutation(len(valid))
    return [valid[i] for i in order[:n]]


def listed(space: Space) -> list[Design]:
    """Every valid design, in the order of the parameters' values."""
    names = [p.name for p in space.parameters]
    designs = (
        space.canonicalise(dict(zip(names, values, strict=True)))
        for values in itertools.product(*(grid(p) for p in space.parameters))
    )
    return [design for design in dict.fromkeys(designs) if not space.violations(design)]


def combinations(space: Space) -> int:
    """Number of points of the space's grid, constraints aside."""
    return math.prod(ticks(p) for p in space.parameters)


def ticks(p: Parameter) -> int:
    """Number of values on the parameter's grid (a real may have one less), of generated molecules an upper bound."""
    if p.molecules is not None:
        return int(len(alphabet(p.molecules)) ** columns(p.molecules))
    if p.bounds is None:
        return len(p.choices)
    low, high = p.bounds
    return int(high) - int(low) + 1 if p.kind == "integer" else math.ceil((high - low) / grid_step(p)) + 1


def grid(p: Parameter) -> Iterator[Value]:
    """The parameter's values in order."""
    if p.bounds is None:
        return iter(p.choices)
    step = 1 if p.kind == "integer" else grid_step(p)
    return iter(dict.fromkeys(canonical_value(p, p.bounds[0] + k * step) for k in range(ticks(p) + 1)))


def pinned_space(space: Space, pins: Mapping[str, Value]) -> Space:
    """The part of the space where every pin holds. Raises SpaceError for a pin that lies outside the space."""
    for name, value in pins.items():
        if name not in space.names:
            raise SpaceError(f"unknown parameter {name!r} pinned; the space has {', '.join(space.names)}")
        if not within(space[name], value):
            raise SpaceError(f"{name}: pinned to {value!r}, which lies outside the space")
    parameters = [
        Parameter(p.name, "fixed", choices=(canonical_value(p, pins[p.name]),), unit=p.unit) if p.name in pins else p
        for p in space.parameters
    ]

    def whole(design: Design) -> list[Check]:
        return [Check(rule, passed=False) for rule in space.violations(design)]

    return Space(parameters, space.constraints, [whole])
