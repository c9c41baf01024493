"""What cheap sources, good and bad, do to a surrogate, as a feature and as rows, with the gate and without.

    python -m benchmarks.augmentation [--seeds 12] [--rows 2] [--results FILE]

Each seed is another problem (`benchmarks.problems`): 20, 40 or 60 real records and 100 synthetic ones of one source,
judged on 300 unseen designs whose truth is known. The sources are `good` (the physics without its interactions),
`mediocre` (with constants that are half wrong), `wrong` (another physics), `permuted` (the good labels shuffled) and
`self-labelled` (the mean of a surrogate of the same real records). The change is that of the mean negative log density
in nats (less is better) against the surrogate of the real records alone; gated, it is zero where the source is refused.
Rows are judged for the first `--rows` seeds, by the honest gate with the last four records as the last round, whether
or not the source pays as a feature. Run again with the same results file it goes on.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from acquisition.cheap import Source, judged
from acquisition.encoding import Encoding
from acquisition.gate import Independent, Labeller, judge
from acquisition.process import Rows, reproducible
from acquisition.surrogate import Surrogate
from benchmarks.kept import kept
from benchmarks.problems import OBJECTIVE, Problem
from loop.types import Design, Record

SIZES = (20, 40, 60)
SYNTHETIC, UNSEEN, LAST_ROUND = 100, 300, 4
SOURCES = ("good", "mediocre", "wrong", "permuted", "self-labelled")
ADVERSARIAL = SOURCES[2:]
"""Those that know nothing."""
SURE = (0.05, 0.05)
"""Error of a self-made label: its maker believes it."""


@dataclass(frozen=True)
class Run:
    """One source in one form: how well the surrogate does without it (`alone`) and with it, and what its gate said."""

    seed: int
    n: int
    source: str
    form: str
    r2_alone: float
    nll_alone: float
    r2: float
    nll: float
    gain: float
    error: float
    admitted: bool
    reason: str

    @property
    def key(self) -> tuple[int, int, str, str]:
        return self.seed, self.n, self.source, self.form

    @property
    def ungated(self) -> float:
        return self.nll - self.nll_alone

    @property
    def gated(self) -> float:
        return self.ungated if self.admitted else 0.0


@dataclass(frozen=True)
class SelfMade:
    """Labels of the surrogate of the real records it is given."""

    problem: Problem
    designs: Sequence[Design]
    name: str = "self-labelled"

    def labels(self, encoding: Encoding, real: Sequence[Record]) -> list[Record]:
        mean, _ = Surrogate(encoding, OBJECTIVE, real).predict(encoding.rows(self.designs))
        return self.problem.records(self.designs, mean, seed=9, noise=SURE, kind="synthetic", oracle=self.name)

    def rows(self, encoding: Encoding, objective: object, real: Sequence[Record]) -> Rows:
        labels = [record.estimates[OBJECTIVE.property] for record in self.labels(encoding, real)]
        values, errors = np.array([e.mean for e in labels]), np.array([e.se for e in labels])
        return Rows(encoding.rows(self.designs), values, errors**2)


class Case:
    """One problem with its sources; `judge` compares surrogates of the first n real records."""

    def __init__(self, seed: int) -> None:
        self.seed, self.problem = seed, Problem(seed)
        space = self.problem.space
        self.encoding = Encoding(space)
        designs = space.sample(max(SIZES), seed=1)
        self.real = self.problem.records(designs, self.problem.truth(designs), seed=1)
        unseen = space.sample(UNSEEN, seed=2)
        self.unseen, self.truth = self.encoding.rows(unseen), self.problem.truth(unseen)
        self.drawn = space.sample(SYNTHETIC, seed=3)
        self._sources: dict[str, Source] = {}

    def source(self, name: str, n: int) -> Source:
        """The source emulated; what owes nothing to the real records is made once."""
        if name == "self-labelled":
            return self._emulated(SelfMade(self.problem, self.drawn).labels(self.encoding, self.real[:n]))
        if name not in self._sources:
            p, rng = self.problem, np.random.default_rng(self.seed)
            made = {"good": p.good, "mediocre": p.mediocre, "wrong": p.wrong}
            values = made[name](self.drawn) if name in made else rng.permutation(p.good(self.drawn))
            self._sources[name] = self._emulated(p.records(self.drawn, values, seed=9, kind="synthetic", oracle=name))
        return self._sources[name]

    def _emulated(self, labels: Sequence[Record]) -> Source:
        return Source(self.encoding, labels[0].oracle, OBJECTIVE.property, labels)

    def quality(self, surrogate: Surrogate) -> tuple[float, float]:
        """R2 and mean negative log density of the unseen true values."""
        mean, sd = surrogate.predict(self.unseen)
        off = self.truth - mean
        nll = 0.5 * np.square(off / sd) + np.log(sd * math.sqrt(2 * math.pi))
        return float(1 - np.square(off).mean() / self.truth.var()), float(nll.mean())

    def feature(self, n: int, name: str, alone: Surrogate) -> Run:
        source = self.source(name, n)
        richer = Surrogate(self.encoding, OBJECTIVE, self.real[:n], [source])
        gate = judged(source, alone, alone, richer)
        return self._run(n, name, alone, richer, asdict(gate))

    def rows(self, n: int, name: str, alone: Surrogate) -> Run:
        real = [replace(r, round=int(i >= n - LAST_ROUND)) for i, r in enumerate(self.real[:n])]
        labeller: Labeller = SelfMade(self.problem, self.drawn)
        if name != "self-labelled":
            labeller = Independent(self.source(name, n))
        rows = labeller.rows(self.encoding, OBJECTIVE, real)
        gate = judge(self.encoding, OBJECTIVE, real, labeller, seed=self.seed)
        return self._run(n, name, alone, Surrogate(self.encoding, OBJECTIVE, real, rows=[rows]), asdict(gate))

    def _run(self, n: int, name: str, alone: Surrogate, richer: Surrogate, gate: dict) -> Run:
        told = {key: gate[key] for key in ("form", "gain", "error", "admitted", "reason")}
        (r2_alone, nll_alone), (r2, nll) = self.quality(alone), self.quality(richer)
        return Run(seed=self.seed, n=n, source=name, r2_alone=r2_alone, nll_alone=nll_alone, r2=r2, nll=nll, **told)


def runs(seeds: int, with_rows: int, done: set[tuple[int, int, str, str]]) -> Iterator[Run]:
    """What is not done yet, features first."""
    for form, count in (("feature", seeds), ("rows", with_rows)):
        for seed in range(1, count + 1):
            case = None
            for n in SIZES:
                names = [name for name in SOURCES if (seed, n, name, form) not in done]
                if names:
                    case = case or Case(seed)
                    alone = Surrogate(case.encoding, OBJECTIVE, case.real[:n])
                for name in names:
                    yield getattr(case, form)(n, name, alone)


def with_error(values: Sequence[float]) -> str:
    error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{fmean(values):+.3f} ± {error:.3f}"


def show(found: Sequence[Run]) -> None:
    print("| form | source | n | R² alone | R² with it | ungated change | worst | let in | gated change | worst |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for form in ("feature", "rows"):
        for source in SOURCES:
            for n in SIZES:
                some = [r for r in found if (r.form, r.source, r.n) == (form, source, n)]
                if some:
                    print(
                        f"| {form} | {source} | {n} | {fmean(r.r2_alone for r in some):.2f} "
                        f"| {fmean(r.r2 for r in some):.2f} | {with_error([r.ungated for r in some])} "
                        f"| {max(r.ungated for r in some):+.3f} | {sum(r.admitted for r in some)} of {len(some)} "
                        f"| {with_error([r.gated for r in some])} | {max(r.gated for r in some):+.3f} |"
                    )
    for form in ("feature", "rows"):
        bad = [r for r in found if r.form == form and r.source in ADVERSARIAL]
        good = [r for r in found if r.form == form and r.source == "good"]
        if bad and good:
            kept = sum(r.gated for r in good) / sum(r.ungated for r in good)
            worst, worst_ungated = max(r.gated for r in bad), max(r.ungated for r in bad)
            print(
                f"\n{form}: {len(bad)} adversarial runs, worst change {worst:+.3f} with the gate, {worst_ungated:+.3f} "
            )
            print(f"without; {kept:.0%} of the good source's ungated gain kept")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--rows", type=int, default=2, help="seeds for which rows are judged too")
    parser.add_argument("--results", type=Path, help="a file of JSON lines to keep runs in, and to go on from")
    arguments = parser.parse_args()
    began = time.process_time()

    def more(found: list[Run]) -> Iterator[Run]:
        return runs(arguments.seeds, arguments.rows, {run.key for run in found})

    with reproducible(0):
        show(kept(arguments.results, Run, more))
    print(f"{time.process_time() - began:.0f} CPU-s")


if __name__ == "__main__":
    main()
