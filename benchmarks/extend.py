"""Does `replicates_max` name the best design more often than the same number of replicates spread evenly?

    python -m benchmarks.extend [--campaigns 100]

A campaign of 40 designs (8, then 4 a round) whose replicates scatter by `noise`, in units of the standard deviation
between designs. With `search` a new design lies near the best known one, as an acquisition would have it, so that the
leaders are close; else anywhere. Records, error bars and rule are the loop's own (`loop.records`,
`loop.engine.extend`); the rule begins with two replicates and adds at most four a round, up to eight of a design.
Beside it the mean number of replicates it came to, given to all designs alike (a fraction: to some one more). With one
objective the score is the share of campaigns that name the true best; with two, the overlap of the named with the true
Pareto front, shared designs over all named or true. The loss is the true first height of the best less that of the best
named. The +- is the standard error over campaigns.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np

from loop.engine.extend import doubts, most_urgent
from loop.pareto import dominators
from loop.records import combine, pools
from loop.standing import Standing, standings
from loop.types import Design, Estimate, Objective, Record

DESIGNS, INITIAL, BATCH = 40, 8, 4
FEWEST, MOST = 2, 8
NEAR = 0.3
"""Standard deviation of a new design's height around that of the best known, with `search`."""


@dataclass
class Campaign:
    """True heights (n, objectives) and the replicates drawn of each design."""

    objectives: tuple[Objective, ...]
    noise: float
    search: bool
    rng: np.random.Generator
    truth: list[np.ndarray]
    drawn: list[list[dict[str, Estimate]]]

    def add_round(self, replicates: Sequence[int]) -> None:
        """As many designs as `replicates` has numbers."""
        leaders = front(np.array(self.heights())) if self.search and self.truth else []
        for count in replicates:
            height = self.rng.standard_normal(len(self.objectives))
            if leaders:
                height = self.truth[self.rng.choice(leaders)] + NEAR * (height - 1.0)
            self.truth.append(height)
            self.drawn.append([])
            for _ in range(count):
                self.add_replicate(len(self.truth) - 1)

    def add_replicate(self, design: int) -> None:
        values = self.truth[design] + self.noise * self.rng.standard_normal(len(self.objectives))
        names = (objective.property for objective in self.objectives)
        self.drawn[design].append(
            {name: Estimate(float(v), self.noise / 10, "1") for name, v in zip(names, values, strict=True)}
        )

    def standings(self) -> list[Standing]:
        pooled = {name: pool.sd for name, pool in pools(self.drawn).items()}
        records = [
            Record(Design({"x": x}), "md", "f", "simulation", combine(drawn, pooled), len(drawn), 0)
            for x, drawn in enumerate(self.drawn)
        ]
        return standings(records, self.objectives)

    def heights(self) -> list[tuple[float, ...]]:
        return [standing.utilities for standing in self.standings()]

    def replicates(self) -> float:
        return fmean(len(drawn) for drawn in self.drawn)


def front(heights: np.ndarray) -> list[int]:
    return [int(i) for i in np.flatnonzero(dominators(heights) == 0)]


def rounds() -> list[range]:
    """The designs of each round."""
    starts = [0, *range(INITIAL, DESIGNS, BATCH), DESIGNS]
    return [range(a, b) for a, b in pairwise(starts)]


def by_the_rule(campaign: Campaign) -> None:
    for designs in rounds():
        campaign.add_round([FEWEST] * len(designs))
        found = campaign.standings()
        numbers = {standing.design.id: x for x, standing in enumerate(found)}
        known = {(id, "md"): len(campaign.drawn[x]) for id, x in numbers.items()}
        for doubt in most_urgent(doubts(found, campaign.objectives), known, {"md": MOST}, BATCH):
            campaign.add_replicate(numbers[doubt.design_id])


def evenly(mean: float) -> Callable[[Campaign], None]:
    def run(campaign: Campaign) -> None:
        for designs in rounds():
            campaign.add_round([math.floor((i + 1) * mean) - math.floor(i * mean) for i in designs])

    return run


def score(campaign: Campaign) -> tuple[float, float]:
    """How much of the true front is named, and the loss in the first objective."""
    truth = np.array(campaign.truth)
    named, true = set(front(np.array(campaign.heights()))), set(front(truth))
    return len(named & true) / len(named | true), float(truth[:, 0].max() - max(truth[x, 0] for x in named))


def play(
    plan: Callable[[Campaign], None], count: int, objectives: int, noise: float, search: bool
) -> tuple[list[float], list[float], float]:
    """Scores and losses of `count` campaigns, and their mean number of replicates."""
    scores, losses, replicates = [], [], []
    for seed in range(count):
        wanted = tuple(Objective(f"height {k}", "maximize", "md") for k in range(objectives))
        campaign = Campaign(wanted, noise, search, np.random.default_rng(seed), [], [])
        plan(campaign)
        reached, lost = score(campaign)
        scores.append(reached)
        losses.append(lost)
        replicates.append(campaign.replicates())
    return scores, losses, fmean(replicates)


def with_error(values: Sequence[float]) -> str:
    return f"{fmean(values):.3f} +- {stdev(values) / math.sqrt(len(values)):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=100)
    count = parser.parse_args().campaigns
    began = time.process_time()
    print("objectives  noise  designs   replicates  score: rule       score: evenly     loss: rule        loss: evenly")
    for objectives, noise, search in [
        (1, 0.3, False),
        (1, 1.0, False),
        (1, 0.3, True),
        (1, 1.0, True),
        (2, 0.3, False),
    ]:
        scores, losses, mean = play(by_the_rule, count, objectives, noise, search)
        even, even_losses, _ = play(evenly(mean), count, objectives, noise, search)
        words = [with_error(values) for values in (scores, even, losses, even_losses)]
        where = "search" if search else "anywhere"
        print(f"{objectives:10d}  {noise:5.1f}  {where:8s}  {mean:10.2f}  {'   '.join(words)}", flush=True)
    print(f"{count} campaigns each, {time.process_time() - began:.0f} CPU-s")


if __name__ == "__main__":
    main()
