"""What is kept of a run, and the numbers that are made of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.efficiency.cases import INITIAL
from benchmarks.efficiency.problems import SEVERAL

RESAMPLED = 10_000
FEWEST = 5
"""Seeds below which an interval would say nothing."""


@dataclass(frozen=True)
class Run:
    """One campaign of one method. `scores` are those of the first 10, 11, ... evaluations without noise, `best` the
    best possible; `seconds` of processor time, one of each recommendation; `memory` the peak of the process in MB;
    `notes` count what the method needed help with; `version` is that of the package that decided."""

    problem: str
    method: str
    seed: int
    best: float
    scores: list[float]
    seconds: list[float]
    memory: float
    notes: dict[str, float] = field(default_factory=dict)
    version: str = ""

    def missing(self, at: int) -> float:
        """What is missing to the best after `at` evaluations (-1: all): the regret, or of a hypervolume the share."""
        left = self.best - self.scores[at - INITIAL if at > 0 else at]
        return left / self.best if self.problem in SEVERAL else left


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean; None for too few values."""
    if len(values) < FEWEST:
        return None
    rows = np.random.default_rng(seed).integers(len(values), size=(RESAMPLED, len(values)))
    low, high = np.quantile(np.asarray(values)[rows].mean(1), [0.025, 0.975])
    return float(low), float(high)


def mean_curve(runs: Sequence[Run]) -> np.ndarray:
    """(evaluations,) mean of what is missing after 10, 11, ... evaluations."""
    return np.mean([[run.missing(INITIAL + k) for k in range(len(run.scores))] for run in runs], axis=0)


def reached(runs: Sequence[Run], level: float) -> int | None:
    """The first evaluation after which the mean is no more than the level."""
    below = np.flatnonzero(mean_curve(runs) <= level)
    return INITIAL + int(below[0]) if len(below) else None
