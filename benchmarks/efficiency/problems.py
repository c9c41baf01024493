"""The problems by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.efficiency.cases import Case, ackley, brake, particles, two_goals, vessel
from benchmarks.efficiency.films import films

FILMS = "simulated films"
PROBLEMS: Mapping[str, Callable[[int], Case]] = {
    "particles": particles,
    "particles, cheap source": partial(particles, cheap=True),
    "particles, two goals": two_goals,
    "disc brake": brake,
    "pressure vessel": vessel,
    "ackley": ackley,
    FILMS: films,
}
SEVERAL = ("particles, two goals", "disc brake", FILMS)
"""Those whose score is a hypervolume."""
UNAIDED = {"particles, cheap source": "particles"}
"""Problem -> the one that it is to a method which is not given the cheap source."""
