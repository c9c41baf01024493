"""What designs found by a direct search of the space add to a generator's pool, in campaigns that are past 50 records.

    python -m benchmarks.direct_search [--seeds 8] [--first 0]

Problems of `benchmarks.problems`, each seed another: 50 random valid designs, then ten batches of four by `qlognei`
from a pool of 1000 of a CVAE that learnt the space (stage 0), with and without the search; first designs, noise of the
records and generator are the same for both. Regret is what the best design evaluated misses of the best known, without
noise, in standard deviations of the truth; `map` the root mean square error of the predictions of 300 random designs
at the end.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from acquisition.bayes import QLogNEI
from acquisition.search import SOURCE
from benchmarks.acquisitions import plus_minus
from benchmarks.problems import OBJECTIVE, Problem
from generators.cvae import CVAE
from loop.seeds import derive
from loop.types import Condition, Design

FIRST, BATCH, ROUNDS, POOL, INCUMBENTS, UNSEEN = 50, 4, 10, 1000, 8, 300
SHOWN = (2, 5, 10)
"""Rounds after which regret is told."""


def campaign(problem: Problem, generator: CVAE, *, searched: bool) -> tuple[list[float], float, int]:
    """The regrets, the error of the map, and how many picks the search found."""
    designs = problem.space.sample(FIRST, seed=derive(problem.seed, "first"))
    records = problem.records(designs, problem.truth(designs), seed=0)
    best, found, regrets = problem.optimum(), 0, []
    for turn in range(1, ROUNDS + 1):
        acquisition = fitted(problem, records, turn)
        mean = acquisition.predict(designs)[0][:, 0]
        incumbents = [designs[i] for i in np.argsort(-mean, kind="stable")[:INCUMBENTS]]
        pool = generator.propose(POOL, Condition(known=frozenset(designs)), incumbents, seed=turn)
        if searched:
            pool += acquisition.search(pool, designs, seed=turn)
        picks = acquisition.select(pool, BATCH, [], seed=turn)
        found += sum(pick.proposal.generator == SOURCE for pick in picks)
        new = [pick.proposal.design for pick in picks]
        records += problem.records(new, problem.truth(new), seed=turn, round=turn)
        designs += new
        if turn in SHOWN:
            regrets.append(best - float(problem.truth(designs).max()))
    return regrets, map_error(problem, fitted(problem, records, 0)), found


def fitted(problem: Problem, records: list, turn: int) -> QLogNEI:
    acquisition = QLogNEI()
    acquisition.fit(problem.space, [OBJECTIVE], records, [], seed=turn)
    return acquisition


def map_error(problem: Problem, acquisition: QLogNEI) -> float:
    unseen: list[Design] = problem.space.sample(UNSEEN, seed=derive(problem.seed, "unseen"))
    return float(np.sqrt(np.mean((acquisition.predict(unseen)[0][:, 0] - problem.truth(unseen)) ** 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    rows = []
    print(f"seed: regret after {SHOWN} rounds and map error, without the search; with it; picks it found; CPU-s")
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        start, problem, generator = time.process_time(), Problem(seed), CVAE()
        generator.fit(problem.space, [], [OBJECTIVE], seed=seed)
        without, plain, _ = campaign(problem, generator, searched=False)
        beside, rich, found = campaign(problem, generator, searched=True)
        rows.append([*without, plain, *beside, rich])
        told = " ".join(f"{value:.2f}" for value in rows[-1])
        print(f"{seed}: {told}; {found}; {time.process_time() - start:.0f}", flush=True)
    table = np.array(rows)
    half = table.shape[1] // 2
    for name, a, b in zip([*(f"after {n} rounds" for n in SHOWN), "map"], table.T[:half], table.T[half:], strict=True):
        won = f"better on {(b < a).sum()}, worse on {(b > a).sum()} of {len(a)}"
        print(f"{name}: without {plus_minus(a, 2)}, with {plus_minus(b, 2)}, difference {plus_minus(b - a, 2)}; {won}")


if __name__ == "__main__":
    main()
