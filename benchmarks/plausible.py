"""Designs held plausible: whether what is like them is better, and how often the answers decide rightly.

    python -m benchmarks.plausible [problems]

On the problems of `benchmarks.problems`, from 200 plausible designs each: the best or the worst 35 % by a crude score
(the physics without its interactions, 0.7 standard deviations of noise), the best 35 % by the physics of something
else, or any valid designs. Told: the rank correlation of the log ratio with the truth over 600 valid designs, its
spread, the same for the log ratio of two networks' densities, and on how many samples of 10, 20 and 40 random designs
with measured values the search would lean.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from acquisition.encoding import Encoding
from acquisition.plausible import Leaning, Likeness
from acquisition.process import reproducible
from acquisition.surrogate import Surrogate
from benchmarks.problems import OBJECTIVE, Problem
from generators.cvae import CVAE
from generators.encoding import Encoding as Inputs
from generators.training import learning_rows, log_density, training_rows
from loop.seeds import derive
from loop.types import Design

ROWS, CANDIDATES, SHARE, ERROR = 200, 1000, 0.35, 0.7
ANSWERED, SAMPLES = (10, 20, 40), 3
KINDS = ("good", "misleading", "unrelated", "any")


def plausible(problem: Problem, kind: str) -> list[Design]:
    """ROWS designs that a person of this kind holds plausible."""
    rng = np.random.default_rng(derive(problem.seed, "person"))
    designs = problem.space.sample(CANDIDATES, seed=derive(problem.seed, "person"))
    score = {"good": problem.good, "misleading": lambda d: -problem.good(d), "unrelated": problem.wrong}.get(kind)
    held = designs
    if score is not None:
        order = np.argsort(-(score(designs) + ERROR * rng.normal(size=len(designs))))
        held = [designs[i] for i in order[: round(SHARE * len(designs))]]
    return [held[i] for i in rng.permutation(len(held))[:ROWS]]


def of_networks(generator: CVAE, rows: Sequence[Design], tests: Sequence[Design]) -> np.ndarray:
    """(tests,) log ratio of the density of a network that learnt the rows, as stage 1 learns, to that of stage 0."""
    base, corpus = generator._base.network, generator._corpus
    assert base is not None and corpus is not None
    inputs = Inputs(generator._fitted())
    weights = np.repeat([0.1 / len(corpus.train), 0.9 / len(rows)], [len(corpus.train), len(rows)])
    learnt = generator.learn(
        base, learning_rows(inputs, [*corpus.train, *rows]), generator.update, seed=1, weights=weights
    )
    tests_in = training_rows(inputs, tests)
    return log_density(learnt, tests_in) - log_density(base, tests_in)


def main(problems: int) -> None:
    leans: dict[tuple[str, int], list[bool]] = {}
    for number in range(1, problems + 1):
        problem = Problem(number)
        encoding, generator = Encoding(problem.space), CVAE()
        generator.fit(problem.space, (), (), seed=number)
        tests = problem.space.sample(600, seed=derive(number, "tests"))
        truth = problem.truth(tests)
        rows = {kind: plausible(problem, kind) for kind in KINDS}
        likeness = {kind: Likeness(problem.space, encoding, rows[kind], seed=number) for kind in KINDS}
        for kind in KINDS:
            ours, theirs = likeness[kind](tests), of_networks(generator, rows[kind], tests)
            correlations = [spearmanr(ratio, truth)[0] for ratio in (ours, theirs)]
            print(
                f"problem {number} {kind:10s} classifier {correlations[0]:+.2f} (spread {likeness[kind].spread:.2f}), "
                f"networks {correlations[1]:+.2f} (spread {theirs.std():.2f})",
                flush=True,
            )
        for n in ANSWERED:
            for sample in range(SAMPLES):
                seed = derive(number, "answered", n, sample)
                designs = problem.space.sample(n, seed=seed)
                with reproducible(seed):
                    records = problem.records(designs, problem.truth(designs), seed=seed)
                    surrogate = Surrogate(encoding, OBJECTIVE, records)
                for kind in KINDS:
                    leaning = Leaning(likeness[kind], [surrogate], n)
                    leans.setdefault((kind, n), []).append(leaning.gate.admitted)
                    print(f"problem {number} {kind} {leaning.gate.reason}", flush=True)
    for (kind, n), found in sorted(leans.items()):
        print(f"{kind:10s} {n:3d} answered: leans in {sum(found)} of {len(found)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
