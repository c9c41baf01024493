"""How many corrupted records does the audit find, what does it cost, and what is it worth to a campaign?

    python -m benchmarks.audit [--first 1] [--seeds 20] [--campaigns 20] [--results FILE]

Of 40 records of a made-up problem (`benchmarks.problems`, another one for each seed) 5 % are shifted by three standard
deviations of the property, up or down. `at once`: a surrogate is fitted to all 40 and a tenth of them simulated afresh,
without and with a feature from 100 labels of a good cheap source; `twice` fits it anew after the first half. The rules
are the loop's own (`loop.audit`). `campaign`: 20 random designs, then four at a time by `qlognei` from 400 random valid
ones up to 40, without corruption, with it, and with it and an audit of a tenth; the loss is that of the true value of
the evaluated design that is best by posterior mean, against the campaign without corruption. Run again with the same
results file it goes on.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from acquisition.bayes import QLogNEI
from acquisition.cheap import Source
from acquisition.encoding import Encoding
from acquisition.process import reproducible
from acquisition.surrogate import Surrogate
from benchmarks.kept import kept
from benchmarks.problems import OBJECTIVE, Problem
from loop.audit import flag, resolve
from loop.ledger import Residual
from loop.records import combine
from loop.seeds import derive
from loop.types import Acquisition, Design, Estimate, Proposal, Record

RECORDS, WRONG, SHIFT = 40, 0.05, 3.0
BUDGET = 0.1
INITIAL, BATCH, POOL, LABELS = 20, 4, 400, 100


@dataclass(frozen=True)
class Run:
    """`kind` of run and what came of it: of `wrong` records so many `found`, `mended` (corrected) and `left`
    unresolved; of sound ones `harmed` (corrected, though sound); `spent` fresh replicates; a campaign has a `value`."""

    kind: str
    seed: int
    wrong: int = 0
    found: int = 0
    mended: int = 0
    left: int = 0
    harmed: int = 0
    spent: int = 0
    value: float = 0.0


@dataclass
class World:
    """Records as an oracle gives them that is wrong now and then; a fresh replicate is never wrong."""

    problem: Problem
    corrupted: bool = True
    told: dict[Design, list[Estimate]] = field(default_factory=dict)
    shifted: set[str] = field(default_factory=set)
    statuses: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(derive(self.problem.seed, "wrong"))
        count = round(WRONG * RECORDS)
        self._shifts = dict(zip(rng.choice(RECORDS, count, replace=False).tolist(),
                                SHIFT * rng.choice([-1.0, 1.0], count), strict=True))  # fmt: skip

    def evaluate(self, designs: Sequence[Design]) -> None:
        for design in designs:
            shift = self._shifts.get(len(self.told), 0.0) if self.corrupted else 0.0
            self.told[design] = [self._replicate(design, 0, shift)]
            if shift:
                self.shifted.add(design.id)

    def _replicate(self, design: Design, number: int, shift: float = 0.0) -> Estimate:
        seed = derive(self.problem.seed, design.id, number) % 2**32
        (record,) = self.problem.records([design], self.problem.truth([design]) + shift, seed=seed)
        return record.estimates[OBJECTIVE.property]

    def records(self) -> list[Record]:
        name = OBJECTIVE.property
        return [
            Record(design, "md", "screen", "simulation", combine([{name: e} for e in told], {}), len(told), 0)
            for design, told in self.told.items()
        ]

    def audit(self, residuals: Sequence[Residual], budget: int, leader: Design | None = None) -> None:
        """Simulate what is flagged afresh, and let the rules decide."""
        of_design = {residual.record.design.id: residual for residual in residuals}
        for verdict in flag(residuals, (), budget, settled=self.statuses, leader=leader):
            residual = of_design[verdict.design_id]
            design = residual.record.design
            original, fresh = self.told[design], [self._replicate(design, 1)]
            found = resolve(verdict, original, fresh, residual)
            self.statuses[verdict.design_id, verdict.oracle, verdict.fidelity] = found.status
            self.told[design] = fresh if found.status == "corrected" else [*original, *fresh]

    def run(self, kind: str, value: float = 0.0) -> Run:
        status = {design_id: status for (design_id, _, _), status in self.statuses.items()}
        wrong = [status.get(design_id) for design_id in self.shifted]
        return Run(
            kind,
            self.problem.seed,
            len(wrong),
            sum(s is not None for s in wrong),
            wrong.count("corrected"),
            wrong.count("unresolved"),
            sum(s == "corrected" for d, s in status.items() if d not in self.shifted),
            len(status),
            value,
        )


def at_once(seed: int) -> Iterator[Run]:
    """40 random designs audited, with one fit and with two, without a cheap source and with one."""
    problem = Problem(seed)
    encoding, designs = Encoding(problem.space), problem.space.sample(RECORDS, seed=1)
    drawn = problem.space.sample(LABELS, seed=2)
    labels = problem.records(drawn, problem.good(drawn), seed=3, kind="synthetic", oracle="cheap")
    source = Source(encoding, "cheap", OBJECTIVE.property, labels)
    budget = math.ceil(BUDGET * RECORDS)
    for features, words in (([], "no source"), ([source], "good source")):
        first: list[Residual] = []
        for steps, times in ((1, "at once"), (2, "twice")):
            world = World(problem)
            world.evaluate(designs)
            first = first or Surrogate(encoding, OBJECTIVE, world.records(), features).residuals()
            world.audit(first, budget // steps)
            if steps == 2:
                again = Surrogate(encoding, OBJECTIVE, world.records(), features).residuals()
                world.audit(again, budget - len(world.statuses))
            yield world.run(f"{times}, {words}")


def campaign(seed: int, kind: str) -> Run:
    """One campaign; the audit spends a tenth of the records there are, as they come."""
    problem = Problem(seed)
    world = World(problem, corrupted=kind != "campaign, sound")
    world.evaluate(problem.space.sample(INITIAL, seed=1))
    while True:
        acquisition = QLogNEI()
        acquisition.fit(problem.space, [OBJECTIVE], world.records(), [], seed=len(world.told))
        if kind == "campaign, audited":
            budget = math.floor(BUDGET * len(world.told)) - len(world.statuses)
            world.audit(acquisition.residuals(), budget, leader(world, acquisition))
        if len(world.told) >= RECORDS:
            break
        pool = problem.space.sample(POOL, seed=derive(seed, "pool", len(world.told)))
        picks = acquisition.select([Proposal(d, "uniform:prior") for d in pool], BATCH, [], seed=len(world.told))
        world.evaluate([pick.proposal.design for pick in picks])
    if kind == "campaign, audited":
        acquisition.fit(problem.space, [OBJECTIVE], world.records(), [], seed=0)
    return world.run(kind, float(problem.truth([leader(world, acquisition)])[0]))


def leader(world: World, acquisition: Acquisition) -> Design:
    """The evaluated design that is best by posterior mean."""
    known = list(world.told)
    return known[int(acquisition.predict(known)[0][:, 0].argmax())]


CAMPAIGNS = ("campaign, sound", "campaign, corrupted", "campaign, audited")


def runs(first: int, seeds: int, campaigns: int, done: set[tuple[str, int]]) -> Iterator[Run]:
    """What is not done yet."""
    for seed in range(first, first + seeds):
        if ("twice, good source", seed) not in done:
            yield from at_once(seed)
    for seed in range(first, first + campaigns):
        yield from (campaign(seed, kind) for kind in CAMPAIGNS if (kind, seed) not in done)


def show(found: Sequence[Run]) -> None:
    print("| audit | wrong records | found | corrected | left unresolved | sound ones corrected | simulated afresh |")
    print("|---|---|---|---|---|---|---|")
    for kind in dict.fromkeys(run.kind for run in found):
        some = [run for run in found if run.kind == kind]
        wrong, spent = sum(run.wrong for run in some), sum(run.spent for run in some)
        if spent:
            counts = [sum(getattr(run, name) for run in some) / wrong for name in ("found", "mended", "left")]
            harmed, sound = sum(run.harmed for run in some), spent - sum(run.found for run in some)
            shares = " | ".join(f"{count:.0%}" for count in counts)
            print(f"| {kind} | {wrong} | {shares} | {harmed} of {sound} | {spent / len(some) / RECORDS:.1%} |")
    values = {(run.kind, run.seed): run.value for run in found}
    for kind in CAMPAIGNS[1:]:
        losses = [values[CAMPAIGNS[0], seed] - value for (k, seed), value in values.items() if k == kind]
        if len(losses) > 1:
            error = stdev(losses) / math.sqrt(len(losses))
            print(f"\n{kind}: {fmean(losses):+.2f} ± {error:.2f} standard deviations lost over {len(losses)} campaigns")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--campaigns", type=int, default=20)
    parser.add_argument("--results", type=Path, help="a file of JSON lines to keep runs in, and to go on from")
    arguments = parser.parse_args()
    began = time.process_time()

    def more(found: list[Run]) -> Iterator[Run]:
        return runs(arguments.first, arguments.seeds, arguments.campaigns, {(run.kind, run.seed) for run in found})

    with reproducible(0):
        show(kept(arguments.results, Run, more))
    print(f"{time.process_time() - began:.0f} CPU-s")


if __name__ == "__main__":
    main()
