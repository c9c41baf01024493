"""How well does the surrogate predict designs that it has not seen, and how honest are its intervals?

    python -m benchmarks.surrogates [--problems ...] [--models ...] [--records 20 40 60] [--seeds 12] [--wrong 0]

On the problems of `benchmarks.sample_efficiency`: the surrogate of the first goal is fitted to random valid designs
with the errors of measurement that they have there, and judged on 400 others (of the simulated films, on those left).
Density and coverage are those of the value without noise, of the films those of the measured one. `product` is the
surrogate as campaigns have it, `robust` that with `robust: true`, `one model` the most probable hyperparameters alone,
`BoTorch` its `MixedSingleTaskGP`, told the errors (`SingleTaskGP` where nothing is a choice). With `--wrong` that share
of the records is off by OFF standard deviations of the truth, up or down, and says nothing of it.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from acquisition.encoding import Encoding
from acquisition.process import SETTLED, reproducible
from acquisition.surrogate import Surrogate
from benchmarks.efficiency.cases import Case, Evaluations
from benchmarks.efficiency.handmade import BoTorch
from benchmarks.efficiency.problems import PROBLEMS, UNAIDED
from benchmarks.kept import kept
from loop.seeds import derive
from loop.types import Design, Record

RESULTS = Path(__file__).parent / "results" / "surrogates.jsonl"
HELD_OUT = 400
OFF = 5.0
COVERED = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""

Moments = tuple[np.ndarray, np.ndarray]
"""(mean, standard deviation), each (n,)."""


@dataclass(frozen=True)
class Run:
    """One surrogate: R^2, mean negative log density (of values in units of their standard deviation), the part of them
    within the 95 % interval, and processor seconds of the fit and the predictions; `wrong` is the share of the records
    that were."""

    problem: str
    model: str
    records: int
    seed: int
    explained: float
    loss: float
    covered: float
    seconds: float
    wrong: float = 0.0


def product(
    case: Case, records: Sequence[Record], unseen: Sequence[Design], settled: int = SETTLED, robust: bool = False
) -> Moments:
    encoding = Encoding(case.described)
    surrogate = Surrogate(encoding, case.objectives[0], records, settled=settled, robust=robust)
    return surrogate.predict(encoding.rows(unseen))


def botorch(case: Case, records: Sequence[Record], unseen: Sequence[Design]) -> Moments:
    peer = BoTorch(case, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peer.model(peer.rows([r.design for r in records]), records).models[0]
        posterior = model.posterior(peer.rows(unseen))
    sign = -1.0 if case.objectives[0].falls else 1.0
    return sign * posterior.mean[:, 0].detach().numpy(), posterior.variance[:, 0].detach().sqrt().numpy()


MODELS: Mapping[str, Callable[[Case, Sequence[Record], Sequence[Design]], Moments]] = {
    "product": product,
    "one model": partial(product, settled=0),
    "robust": partial(product, robust=True),
    "BoTorch": botorch,
}


def mistaken(case: Case, records: Sequence[Record], share: float, off: float, seed: int) -> list[Record]:
    """The records, a share of them with the first goal's value moved by `off`, up or down."""
    name, rng = case.objectives[0].property, np.random.default_rng(derive(seed, "wrong"))
    shifts = np.where(rng.random(len(records)) < share, off * rng.choice([-1, 1], len(records)), 0.0)
    return [
        replace(r, estimates={**r.estimates, name: replace(e, mean=float(e.mean + shift))})
        for r, shift in zip(records, shifts, strict=True)
        for e in [r.estimates[name]]
    ]


def judged(problem: str, model: str, records: int, most: int, seed: int, wrong: float = 0.0) -> Run:
    """One surrogate, fitted to the first `records` of the `most` that the problem's surrogates get."""
    case = PROBLEMS[problem](seed)
    designs = case.space.sample(most + HELD_OUT, seed=derive(seed, "surrogates"))
    designs = [designs[i] for i in np.random.default_rng(derive(seed, "order")).permutation(len(designs))]
    answers, unseen = Evaluations(case, seed, most), designs[most:]
    answers.add(designs[:records], 0)
    truth = case.truth(unseen)[:, 0]
    told = mistaken(case, answers.records, wrong, OFF * float(truth.std()), seed)
    start = time.process_time()
    with reproducible(0):
        mean, sd = MODELS[model](case, told, unseen)
    seconds = time.process_time() - start
    if case.errors:
        sd = np.hypot(sd, case.errors(unseen)[:, 0])
    z, spread = (truth - mean) / sd, truth.std()
    loss = float(np.mean(0.5 * z**2 + np.log(sd / spread) + 0.5 * np.log(2 * np.pi)))
    explained = float(1 - np.mean((truth - mean) ** 2) / spread**2)
    covered = float(np.mean(np.abs(z) < COVERED))
    return Run(problem, model, records, seed, explained, loss, covered, round(seconds, 3), wrong)


def missing(
    done: Sequence[Run], problems: Sequence[str], models: Sequence[str], sizes: Sequence[int], seeds: int, wrong: float
) -> Iterator[Run]:
    there = {(run.problem, run.model, run.records, run.seed, run.wrong) for run in done}
    for seed, problem, model, records in itertools.product(range(seeds), problems, models, sizes):
        if (problem, model, records, seed, wrong) not in there:
            yield judged(problem, model, records, max(sizes), seed, wrong)


def table(runs: Sequence[Run]) -> str:
    """Means over seeds, with the least of the coverages in brackets."""
    lines = [
        "| problem | wrong | records | surrogate | seeds | R2 | loss | covered | s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((run.problem, run.wrong, run.records, run.model) for run in runs):
        some = [run for run in runs if (run.problem, run.wrong, run.records, run.model) == key]
        explained, loss, covered = (
            np.array([getattr(r, name) for r in some]) for name in ("explained", "loss", "covered")
        )
        seconds = float(np.median([run.seconds for run in some]))
        lines.append(
            f"| {key[0]} | {key[1]:.0%} | {key[2]} | {key[3]} | {len(some)} | {explained.mean():.2f} | "
            f"{loss.mean():.2f} | {covered.mean():.3f} ({covered.min():.2f}) | {seconds:.2g} |"
        )
    return "\n".join(lines)


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own = [problem for problem in PROBLEMS if problem not in UNAIDED]
    parser.add_argument("--problems", nargs="*", choices=own, default=own, metavar="PROBLEM")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS), metavar="MODEL")
    parser.add_argument("--records", type=int, nargs="+", default=[20, 40, 60])
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs = kept(
        asked.results,
        Run,
        lambda done: missing(done, asked.problems, asked.models, asked.records, asked.seeds, asked.wrong),
    )
    print(table(sorted(runs, key=lambda run: (list(PROBLEMS).index(run.problem), run.wrong, run.records))))


if __name__ == "__main__":
    main()
