"""Does it pay to ask a cheaper fidelity too? Campaigns on simulated films whose values at two fidelities are known.

    python -m benchmarks.fidelities [--seeds 20] [--price 60] [--smoke FILE] [--screen FILE]

Every campaign looks for the films of high adhesion and surface field at `screen`, once with `fidelity: screen` and once
with `fidelities: [smoke, screen]`, from the same 10 designs in batches of four to 50 evaluations, by the engine's own
decisions. The answers, one replica each, come from the tables of `benchmarks/data`, and cost what they cost when these
were made. The goal is the hypervolume above the medians at `screen`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.efficiency.cases import BATCH, EVALUATIONS, INITIAL, corner
from benchmarks.efficiency.films import CAMPAIGN, records
from benchmarks.efficiency.runs import interval
from loop.campaign import Campaign, load
from loop.engine.decide import Decider, Decision
from loop.engine.history import History
from loop.pareto import hypervolume
from loop.replay.pool import TableSpace
from loop.seeds import derive
from loop.store import SYNTHETIC
from loop.types import Check, Design, Estimate, Objective, Proposal, Record

DATA = CAMPAIGN.parent
SECONDS = {"smoke": 10.0, "screen": 60.0}
"""Median processor time of one film when the tables were made."""
SHARES = 0.8, 0.9, 0.95
"""Of the hypervolume of all films."""

LEVELS = "fidelity: screen", "fidelities: [smoke, screen]"

Curve = Sequence[tuple[float, float]]
"""(seconds, part of the hypervolume) after each round."""


class Film:
    """What a campaign is told of its oracle, which is never run: prices and the descriptors of choices."""

    fidelities = tuple(SECONDS)

    def __init__(self, price: float) -> None:
        made = load(CAMPAIGN, thorough=False)
        self._seconds = SECONDS | {"screen": price}
        (spec,) = made.oracles.values()
        self.properties = {o.property: o.unit for o in made.objectives}
        self.describe = spec.oracle.describe

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        return ()

    def cost(self, design: Design, fidelity: str) -> float:
        return self._seconds[fidelity]


class Films:
    """The designs that both tables know, and what there is to be found in them."""

    def __init__(self, smoke: Path, screen: Path, price: float = SECONDS["screen"]) -> None:
        self.price = price
        self.made = load(CAMPAIGN, thorough=False)
        names = [o.property for o in self.made.objectives]
        files = {"smoke": smoke, "screen": screen}
        self.values = {level: records(file, self.made.space, names) for level, file in files.items()}
        self.designs = [design for design in self.values["screen"] if design in self.values["smoke"]]

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Those of the tables' campaign, above the medians at `screen`."""
        middle = np.median([self.values["screen"][design][0] for design in self.designs], axis=0)
        return tuple(
            replace(o, oracle="film", threshold=float(m)) for o, m in zip(self.made.objectives, middle, strict=True)
        )

    def found(self, designs: Sequence[Design]) -> float:
        """The part of the hypervolume of all films that these hold."""
        return self._volume(designs) / self._whole

    @cached_property
    def _whole(self) -> float:
        return self._volume(self.designs)

    def _volume(self, designs: Sequence[Design]) -> float:
        means = [self.values["screen"][design][0] for design in designs]
        rows = [[o.utility(v) for o, v in zip(self.objectives, row, strict=True)] for row in means]
        return hypervolume(rows, corner(self.objectives))

    def record(self, design: Design, level: str, round: int) -> Record:
        means, errors = self.values[level][design]
        estimates = {
            o.property: Estimate(mean, error, o.unit)
            for o, mean, error in zip(self.objectives, means, errors, strict=True)
        }
        if level == "screen":
            return Record(design, "film", level, "simulation", estimates, 1, round)
        return Record(design, f"film.{level}", level, "synthetic", estimates, 1, round)

    def campaign(self, levels: str, seed: int) -> Campaign:
        """That of a file with this `fidelity` or `fidelities`, in which only films of the tables can be proposed."""
        goals = "".join(f"\n  - {{property: {o.property}, goal: maximize, unit: {o.unit}}}" for o in self.objectives)
        text = (
            f"name: films\nseed: {seed}\nspace: {{temperature: {{fixed: 400, unit: K}}}}\nobjectives:{goals}\n"
            f'oracles: {{film: {{kind: "benchmarks.fidelities:Film", price: {self.price}, {levels}}}}}\n'
            f"generator: {{kind: uniform}}\ninitial: {INITIAL}\nbatch: {BATCH}\nstop: {{evaluations: {EVALUATIONS}}}\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "films.yaml"
            path.write_text(text, encoding="utf-8")
            told = load(path, thorough=False)
        space = TableSpace(self.made.space, self.designs)
        return replace(told, space=space, objectives=self.objectives)


class Play:
    """One campaign: what it has spent, and found, after each round."""

    def __init__(self, films: Films, levels: str, seed: int) -> None:
        self._films, self._campaign = films, films.campaign(levels, seed)
        self._records: list[Record] = []
        self._generated: list[Proposal] = []
        self.labels = 0

    def rounds(self) -> Iterator[tuple[float, float]]:
        """(seconds, part of the hypervolume) after each round."""
        with tempfile.TemporaryDirectory() as folder:
            decider, number = Decider(self._campaign, Path(folder)), 0
            while (left := EVALUATIONS - len(self._evaluated)) > 0:
                count = min(left, INITIAL if number == 0 else BATCH)
                self._answer(decider.decide(number, self._history, count), number)
                spent = len(self._evaluated) * self._films.price + self.labels * SECONDS["smoke"]
                yield spent, self._films.found(self._evaluated)
                number += 1

    @property
    def _evaluated(self) -> list[Design]:
        return [record.design for record in self._records if record.kind == "simulation"]

    @property
    def _history(self) -> History:
        sources = frozenset(spec.name for spec in self._campaign.sources)
        return History(tuple(self._records), (), (), sources, tuple(self._generated))

    def _answer(self, decision: Decision, round: int) -> None:
        picks = [pick.proposal for pick in decision.picks if pick.role != SYNTHETIC]
        drawn = [pick.proposal for pick in decision.picks if pick.role == SYNTHETIC]
        labelled = {record.design for record in self._records if record.kind == "synthetic"}
        asked: list[Proposal] = []
        for labelling in decision.labels.values():
            asked += (picks if labelling.picks else []) + drawn[: labelling.generated]
        new = [proposal for proposal in asked if proposal.design not in labelled]
        self.labels += len(new)
        self._generated += drawn
        self._records += [self._films.record(proposal.design, "smoke", round) for proposal in new]
        self._records += [self._films.record(proposal.design, "screen", round) for proposal in picks]


def grid(curves: Sequence[Curve], seconds: np.ndarray) -> np.ndarray:
    """(curves, seconds) the part of the hypervolume that each campaign has found by then."""
    return np.array(
        [[max((part for spent, part in curve if spent <= t), default=0.0) for t in seconds] for curve in curves]
    )


def ratio(alone: np.ndarray, both: np.ndarray, level: float, seconds: np.ndarray) -> float:
    """Time until the mean of (campaigns, seconds) reaches a level, with the cheaper fidelity over without; nan where
    either never does."""
    when = [np.flatnonzero(rows.mean(0) >= level) for rows in (alone, both)]
    return float(seconds[when[1][0]] / seconds[when[0][0]]) if all(map(len, when)) else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--price", type=float, default=SECONDS["screen"], help="seconds of a film at screen")
    parser.add_argument("--smoke", type=Path, default=DATA / "md_smoke.csv")
    parser.add_argument("--screen", type=Path, default=DATA / "md_screen.csv")
    asked = parser.parse_args()
    films = Films(asked.smoke, asked.screen, asked.price)
    curves: dict[str, list[Curve]] = {levels: [] for levels in LEVELS}
    print(f"{len(films.designs)} films, {SECONDS['smoke']:g} s at smoke, {asked.price:g} s at screen")
    for seed in range(asked.seeds):
        for levels, done in curves.items():
            play = Play(films, levels, derive(seed, "fidelities") % 2**31)
            done.append(list(play.rounds()))
            spent, part = done[-1][-1]
            print(f"seed {seed}, {levels}: {part:.3f} after {spent:.0f} s, {play.labels} labels", flush=True)
    report(*([curves[levels] for levels in LEVELS]), asked.price)


def report(alone: Sequence[Curve], both: Sequence[Curve], price: float) -> None:
    """After as many evaluations, which leaves labels out, and after as much time, which does not."""
    for k, count in enumerate(range(INITIAL, EVALUATIONS + 1, BATCH)):
        print(f"{count} evaluations: {compared([c[k][1] for c in alone], [c[k][1] for c in both])}")
    seconds = np.arange(0.0, EVALUATIONS * price + 1, 10.0)
    without, given = grid(alone, seconds), grid(both, seconds)
    for t in range(0, len(seconds), len(seconds) // 10):
        print(f"{seconds[t]:.0f} s: {compared(without[:, t], given[:, t])}")
    draws = np.random.default_rng(0).integers(len(alone), size=(1000, len(alone)))
    for share in SHARES:
        spread = np.nanquantile([ratio(without[d], given[d], share, seconds) for d in draws], [0.025, 0.975])
        print(f"time until {share:.0%}: ratio {ratio(without, given, share, seconds):.2f}, 95 % {spread.round(2)}")


def compared(alone: Sequence[float], both: Sequence[float]) -> str:
    bounds = interval([b - a for a, b in zip(alone, both, strict=True)])
    told = f", 95 % {bounds[0]:+.2f} to {bounds[1]:+.2f}" if bounds else ""
    return f"{np.mean(alone):.2f} without, {np.mean(both):.2f} with the cheaper fidelity{told}"


if __name__ == "__main__":
    main()
