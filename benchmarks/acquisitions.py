"""Regret of the acquisitions on small made-up problems, each seed another problem, paired with random search.

    python -m benchmarks.acquisitions [--seeds 10]

The pool is the same 150 valid designs for all, so that only the choice among them is compared; 8 first designs, then
three batches of four. Regret is what is missing to the best of the pool: with one goal of the goal itself, in standard
deviations over the pool; with five of the mean over 200 fixed compromises (augmented Chebyshev) of the best found.
`bounded` asks for the best among the half that keeps a constraint. `map` is the root mean square error of the
predictions over the pool instead. A check that no kind is broken, not a comparison with peers.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from acquisition.baselines import Random
from acquisition.bayes import QLogNEI
from acquisition.informative import IntegratedVariance
from acquisition.parego import ParEGO
from acquisition.thompson import Thompson
from loop.space import Space
from loop.types import Acquisition, Design, Estimate, Objective, Parameter, Proposal, Record

SPACE = Space(
    [
        Parameter("oxide", "choices", ("magnetite", "silica", "rutile", "corundum")),
        Parameter("polymer", "choices", ("PVDF", "PEO", "PE")),
        Parameter("density", "real", bounds=(0.0, 1.0), step=0.01),
        Parameter("temperature", "real", bounds=(0.0, 1.0), step=0.01),
    ]
)
POOL, FIRST, BATCH, ROUNDS, NOISE = 150, 8, 4, 3, 0.1


class Problem:
    """Properties of a pool of designs: main effects of the choices, and a hump in the numbers whose place depends on
    them; standardised over the pool."""

    def __init__(self, properties: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.designs = SPACE.sample(POOL, seed=seed)
        self.values = np.stack([self._property() for _ in range(properties)], 1)
        self.first = [int(i) for i in self.rng.permutation(POOL)[:FIRST]]
        self.noise = NOISE * self.rng.standard_normal(self.values.shape)

    def _property(self) -> np.ndarray:
        effects = {name: dict(zip(SPACE[name].choices, self.rng.normal(size=4), strict=False)) for name in CHOICES}
        places = {name: dict(zip(SPACE[name].choices, self.rng.uniform(0, 1, 4), strict=False)) for name in CHOICES}

        def value(design: Design) -> float:
            v = design.values
            away = (float(v["density"]) - places["oxide"][v["oxide"]]) ** 2
            away += (float(v["temperature"]) - places["polymer"][v["polymer"]]) ** 2
            return sum(0.6 * effects[name][v[name]] for name in CHOICES) + 2 * math.exp(-3 * away)

        raw = np.array([value(design) for design in self.designs])
        return (raw - raw.mean()) / raw.std()

    def record(self, i: int) -> Record:
        told = self.values[i] + self.noise[i]
        estimates = {f"p{k}": Estimate(float(value), NOISE, "1") for k, value in enumerate(told)}
        return Record(self.designs[i], "md", "screen", "simulation", estimates, 3, 0)


CHOICES = ("oxide", "polymer")


def campaign(problem: Problem, acquisition: Acquisition, objectives: Sequence[Objective]) -> list[int]:
    """Positions of the designs evaluated."""
    done = list(problem.first)
    places = {design: i for i, design in enumerate(problem.designs)}
    for turn in range(ROUNDS):
        acquisition.fit(SPACE, objectives, [problem.record(i) for i in done], [], seed=turn)
        left = [Proposal(d, "uniform") for i, d in enumerate(problem.designs) if i not in done]
        done += [places[p.proposal.design] for p in acquisition.select(left, BATCH, [], seed=turn)]
    return done


def single(problem: Problem, done: Sequence[int]) -> float:
    return float(problem.values[:, 0].max() - problem.values[done, 0].max())


def bounded(problem: Problem, done: Sequence[int]) -> float:
    """Of the goal p0 where p1 is at least 0; where nothing allowed was found, what the worst allowed would miss."""
    allowed = problem.values[:, 1] >= 0
    best = problem.values[allowed, 0]
    found = [problem.values[i, 0] for i in done if allowed[i]]
    return float(best.max() - max(found, default=best.min()))


def compromises(problem: Problem, done: Sequence[int]) -> float:
    weights = np.random.default_rng(0).dirichlet(np.ones(problem.values.shape[1]), 200)
    low, high = problem.values.min(0), problem.values.max(0)
    missing = weights[:, None] * ((high - problem.values) / (high - low))
    worth = -missing.max(-1) - 0.05 * missing.sum(-1)
    return float((worth.max(1) - worth[:, done].max(1)).mean())


def map_error(problem: Problem, done: Sequence[int]) -> float:
    judge = QLogNEI()
    judge.fit(SPACE, maximised(1), [problem.record(i) for i in done], [], seed=0)
    mean, _ = judge.predict(problem.designs)
    return float(np.sqrt(np.mean((mean[:, 0] - problem.values[:, 0]) ** 2)))


def maximised(count: int) -> list[Objective]:
    return [Objective(f"p{k}", "maximize", "md") for k in range(count)]


BOUND = Objective("p1", "at_least", "md", threshold=0.0)
CASES: Mapping[str, tuple[int, list[Objective], Callable[..., float], Mapping[str, Callable[[], Acquisition]]]] = {
    "one goal": (1, maximised(1), single, {"qlognei": QLogNEI, "thompson": Thompson}),
    "map": (1, maximised(1), map_error, {"qlognei": QLogNEI, "integrated_variance": IntegratedVariance}),
    "bounded": (2, [*maximised(1), BOUND], bounded, {"qlognei": QLogNEI, "thompson": Thompson}),
    "five goals": (5, maximised(5), compromises, {"parego": ParEGO, "thompson": Thompson}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    print("case, kind: mean +- standard error; random's; paired difference; seeds won; s per campaign")
    for case in arguments.cases:
        properties, objectives, score, kinds = CASES[case]
        problems = [Problem(properties, seed) for seed in range(arguments.seeds)]
        chance = np.array([score(p, campaign(p, Random(), objectives)) for p in problems])
        for kind, make in kinds.items():
            start = time.process_time()
            reached = np.array([score(p, campaign(p, make(), objectives)) for p in problems])
            seconds = (time.process_time() - start) / len(problems)
            won = int((reached < chance).sum())
            difference = plus_minus(reached - chance)
            told = f"{plus_minus(reached)}; random {plus_minus(chance)}; {difference}; {won} of {len(problems)}"
            print(f"{case}, {kind}: {told}; {seconds:.1f}", flush=True)


def plus_minus(values: np.ndarray, digits: int = 3) -> str:
    return f"{values.mean():.{digits}f} +- {values.std(ddof=1) / math.sqrt(len(values)):.{digits}f}"


if __name__ == "__main__":
    main()
