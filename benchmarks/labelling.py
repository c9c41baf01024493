"""How many labels an evaluation is worth: `labels: auto` against other ways to spend the same time.

    python -m benchmarks.labelling [--seeds 6] [--first 0] [--results FILE]

Problems of `benchmarks.problems`, each seed another. An evaluation takes 100 s and a label 5 s, as screen and smoke of
molecular dynamics about do; 4000 s are spent on random valid designs, all evaluated ones labelled too, with this or
that number of labels per evaluation. What the surrogate then knows of 300 unseen designs is compared with what it
knows without labels, and the number of labels that `loop.engine.labelling` would ask for is beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from types import SimpleNamespace
from typing import Any

from acquisition.cheap import Source
from acquisition.surrogate import Surrogate
from benchmarks.augmentation import Case
from benchmarks.kept import kept
from benchmarks.problems import OBJECTIVE
from loop.engine.history import History
from loop.engine.labelling import explained, labels_per_evaluation

EVALUATION, LABEL, BUDGET = 100.0, 5.0, 4000.0
RATIOS = (0, 2, 4, 8, 16, 32)
SOURCES = ("good", "mediocre", "wrong")


@dataclass(frozen=True)
class Run:
    """One way to spend the budget on one problem: quality of the surrogate, and the ratio that the rule asks for."""

    source: str
    ratio: int
    seed: int
    n: int
    r2: float
    nll: float
    wanted: float


def run(case: Case, source: str, ratio: int) -> Run:
    problem, encoding = case.problem, case.encoding
    n = round(BUDGET / (EVALUATION + ratio * LABEL))
    real = case.real[:n]
    if ratio == 0:
        return Run(source, 0, case.seed, n, *case.quality(Surrogate(encoding, OBJECTIVE, real)), 0.0)
    designs = [record.design for record in real]
    others = [d for d in problem.space.sample(ratio * n, seed=3) if d not in designs]
    designs += others[: (ratio - 1) * n]
    labels = problem.records(designs, getattr(problem, source)(designs), seed=9, kind="synthetic", oracle=source)
    known: Any = SimpleNamespace(name=source)
    part = explained(History((*real, *labels), (), ()), known, OBJECTIVE)
    feature = Source(encoding, source, OBJECTIVE.property, labels)
    quality = case.quality(Surrogate(encoding, OBJECTIVE, real, [feature]))
    return Run(
        source, ratio, case.seed, n, *quality, labels_per_evaluation(part, EVALUATION, LABEL, len(problem.space.free))
    )


def more(seeds: Iterable[int], before: list[Run]) -> Iterable[Run]:
    done = {(r.source, r.ratio, r.seed) for r in before}
    for seed in seeds:
        case = Case(seed)
        for source in SOURCES:
            for ratio in RATIOS:
                if (source, ratio, seed) not in done:
                    yield run(case, source, ratio)


def table(runs: Sequence[Run]) -> list[str]:
    """A row per source and ratio; R2 and density against the same problems without labels."""
    lines = [
        "| source | labels per evaluation | evaluations | R2 | gain of R2 | change of NLL | the rule asks for |",
        "|---|---|---|---|---|---|---|",
    ]
    alone = {(r.source, r.seed): r for r in runs if r.ratio == 0}
    for source, ratio in dict.fromkeys((r.source, r.ratio) for r in runs):
        found = [r for r in runs if (r.source, r.ratio) == (source, ratio)]
        gain, change = (
            [getattr(r, name) - getattr(alone[r.source, r.seed], name) for r in found] for name in ("r2", "nll")
        )
        r2, wanted = fmean(r.r2 for r in found), fmean(r.wanted for r in found)
        cells = source, ratio, found[0].n, f"{r2:.2f}", shown(gain), shown(change), f"{wanted:.1f}" if ratio else ""
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def shown(values: Sequence[float]) -> str:
    error = f" ± {stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else ""
    return f"{fmean(values):+.2f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    print("\n".join(table(kept(given.results, Run, partial(more, seeds)))))


if __name__ == "__main__":
    main()
