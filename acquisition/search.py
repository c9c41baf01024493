"""Direct search of a mixed space: designs that differ from the best there are in a few fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loop.space import Space, at_fraction
from loop.types import Design, Parameter, Proposal, Value

SOURCE = "search"
"""What proposals say that were found uphill."""

VARIATION = "variation"
"""What proposals say that are a leader with some fields drawn anew."""

CHANGED = 3
"""Most such fields."""

ATTEMPTS = 4
"""Variations drawn for each that is wanted; the rest break a rule or are there already."""

PATHS = 12
MOVES = 24
ROUNDS = 10
KEPT = 8
"""Of each path the best designs are proposed, not the end alone: a batch needs more than one."""

STEPS = (0.01, 0.3)
"""Least and greatest standard deviation of a step along a number, in parts of its range."""

Scores = Callable[[Sequence[Design]], np.ndarray]
"""Designs -> (directions, n): how much is expected of each in every direction that is searched."""


@dataclass
class Path:
    """A way uphill in one direction, from `start`, and the scores of all designs seen on it; it stands on the best."""

    direction: int
    start: Design
    seen: dict[Design, float] = field(default_factory=dict)

    @property
    def top(self) -> Design:
        return max(self.seen, key=lambda design: self.seen[design])


def variations(
    space: Space, leaders: Sequence[Design], taken: Collection[Design], n: int, *, seed: int
) -> list[Proposal]:
    """At most n distinct valid designs, none of them taken: a leader, its proposal's parent, with one to CHANGED free
    fields drawn anew. Around the leaders they are denser than a generator's draws, and they keep most of what is good
    about them (mutation in a genetic algorithm)."""
    rng, free, old, found = np.random.default_rng(seed), space.free, {*taken, *leaders}, dict[Design, Proposal]()
    for _ in range(ATTEMPTS * n if free else 0):
        leader = leaders[int(rng.integers(len(leaders)))]
        changed = rng.choice(len(free), size=min(len(free), int(rng.integers(1, CHANGED + 1))), replace=False)
        drawn = {free[i].name: at_fraction(free[i], rng.random()) for i in changed}
        pinned = set(space.pinned(leader.values)) - drawn.keys()
        design = space.canonicalise(freed(space, {**leader.values, **drawn}, pinned, rng))
        if design not in old and design not in found and not space.violations(design):
            found[design] = Proposal(design, VARIATION, parents=(leader.id,))
            if len(found) == n:
                break
    return list(found.values())


def search(
    space: Space, scores: Scores, starts: Sequence[Design], taken: Collection[Design], *, seed: int
) -> list[Proposal]:
    """Distinct valid designs, neither taken nor among the starts, of which more is expected than of most.

    PATHS ways lead uphill, from the best starts of each direction; these have choices as different as there are, else
    all would climb one hill. A proposal's parent is the design that its way began at.
    """
    rng, paths = np.random.default_rng(seed), begun(space, scores(starts), starts)
    for _ in range(ROUNDS):
        moves = [neighbours(space, path.top, rng) for path in paths]
        if not any(moves):
            break
        worth = scores([design for some in moves for design in some])
        ends = np.cumsum([len(some) for some in moves])
        for path, some, values in zip(paths, moves, np.split(worth, ends[:-1], axis=1), strict=True):
            path.seen |= zip(some, values[path.direction].tolist(), strict=True)
    old, found = {*taken, *starts}, dict[Design, Proposal]()
    for path in paths:
        new = [design for design in path.seen if design not in old and design not in found]
        for design in sorted(new, key=lambda d: -path.seen[d])[:KEPT]:
            found[design] = Proposal(design, SOURCE, parents=(path.start.id,))
    return list(found.values())


def begun(space: Space, worth: np.ndarray, starts: Sequence[Design]) -> list[Path]:
    """The paths at their starts; `worth` (directions, n) is that of the starts."""
    choices = [p.name for p in space.free if p.bounds is None]
    keys = [tuple(start.values[name] for name in choices) for start in starts]
    wanted = PATHS // len(worth)
    most, paths = math.ceil(wanted / len(set(keys))), []
    for direction, values in enumerate(worth):
        used = Counter[tuple[Value, ...]]()
        for i in np.argsort(-values, kind="stable"):
            if used.total() < wanted and used[keys[i]] < most:
                used[keys[i]] += 1
                paths.append(Path(direction, starts[i], {starts[i]: float(values[i])}))
    return paths


def neighbours(space: Space, design: Design, rng: np.random.Generator) -> list[Design]:
    """At most MOVES distinct valid designs that differ in one free parameter, and in what constraints make of it."""
    free, pinned, moved = space.free, set(space.pinned(design.values)), dict[Design, None]()
    for _ in range(MOVES if free else 0):
        p = free[int(rng.integers(len(free)))]
        values = {**design.values, p.name: another(p, design.values[p.name], rng)}
        moved[space.canonicalise(freed(space, values, pinned - {p.name}, rng))] = None
    return [new for new in moved if new != design and not space.violations(new)]


def freed(space: Space, values: Mapping[str, Value], pinned: set[str], rng: np.random.Generator) -> Mapping[str, Value]:
    """The values, with what was pinned and no longer is drawn anew: a ligand that was not there has had no density."""
    free = sorted(pinned.difference(space.pinned(values))) if pinned else []
    return {**values, **{name: at_fraction(space[name], rng.random()) for name in free}}


def another(p: Parameter, value: Value, rng: np.random.Generator) -> Value:
    """Another choice or molecule, or a number some step away, of an integer at least one."""
    if p.molecules is not None:
        return at_fraction(p, rng.random())
    if p.bounds is None:
        others = [choice for choice in p.choices if choice != value]
        return others[int(rng.integers(len(others)))]
    low, high = p.bounds
    step = (high - low) * np.exp(rng.uniform(*np.log(STEPS))) * rng.standard_normal()
    if p.kind == "integer":
        step = np.copysign(max(1.0, abs(round(step))), step)
    return float(value) + float(step)
