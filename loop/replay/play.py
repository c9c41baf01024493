"""One choice played through a campaign's answers, by the engine's own decisions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from loop import plugins
from loop.campaign.model import PluginSpec, Stop
from loop.engine.decide import Decider
from loop.engine.history import History
from loop.errors import BadInput
from loop.replay.answers import Answers
from loop.replay.pool import Left, TableSpace
from loop.seeds import derive
from loop.types import Design, Failure, Record

if TYPE_CHECKING:
    from loop.campaign import Campaign

ALIKE = "uniform"
"""The generator to which every design of the table is alike."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What picks: an acquisition, and the generator whose density it is told."""

    acquisition: PluginSpec
    generator: PluginSpec

    @property
    def name(self) -> str:
        kind = self.generator.kind
        return self.acquisition.kind if kind == ALIKE else f"{self.acquisition.kind} + {kind}"


@dataclass(frozen=True, slots=True)
class Step:
    """A round: how many evaluations were spent by its end, how many of them failed, how many picks were a fallback, and
    what was found by then (`Answers.found`)."""

    round: int
    evaluations: int
    failures: int
    fallbacks: int
    found: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One choice under one seed, told by its number. It ends where nothing better is left to be found."""

    choice: Choice
    number: int
    steps: tuple[Step, ...]


class Player:
    """Plays one choice. The first designs depend on the seed alone, so that all choices begin with the same ones."""

    def __init__(self, choice: Choice, answers: Answers, evaluations: int) -> None:
        self.choice = choice
        self.answers = answers
        self.evaluations = min(evaluations, len(answers.of))
        self.campaign = replace(
            answers.campaign,
            space=TableSpace(answers.campaign.space, answers.of),
            acquisition=choice.acquisition,
            generator=self._generator(answers.campaign),
            stop=Stop(evaluations=self.evaluations),
        )

    def _generator(self, campaign: Campaign) -> PluginSpec:
        spec = self.choice.generator
        options = {
            "generator": plugins.build("generator", spec.kind, spec.options, campaign.folder),
            "space": campaign.judged_space(),
            "designs": tuple(self.answers.of),
            "seed": derive(campaign.seed, "generator"),
        }
        return PluginSpec(f"{Left.__module__}:{Left.__name__}", options)

    def play(self, number: int) -> Run:
        """The run of this number: pick until the evaluations are spent or nothing better is left to be found."""
        seed = derive(self.campaign.seed, "replay", number)
        with tempfile.TemporaryDirectory(prefix="loop-replay-") as models:
            decider = Decider(replace(self.campaign, seed=seed), Path(models))
            return Run(self.choice, number, tuple(self._steps(decider)))

    def _steps(self, decider: Decider) -> Iterator[Step]:
        known, spent, fallbacks, number = History((), (), ()), 0, 0, 0
        while spent < self.evaluations:
            count = self.campaign.designs_per_round if number else self.campaign.initial
            decision = decider.decide(number, known, min(count, self.evaluations - spent))
            if not decision.picks:
                return
            for pick in decision.picks:
                known = self._with_answer(known, pick.proposal.design, number)
            spent += len(decision.picks)
            fallbacks += sum(pick.role == "fallback" for pick in decision.picks)
            found = self.answers.found(known.records)
            yield Step(number, spent, spent - len({r.design for r in known.records}), fallbacks, found)
            if found is not None and found >= self.answers.whole:
                return
            number += 1

    def _with_answer(self, known: History, design: Design, number: int) -> History:
        if design not in self.answers.of:
            raise BadInput(
                f"--acquisition {self.choice.acquisition.kind}: picked a design of its own, which the campaign never "
                "evaluated; only acquisitions that pick from a pool can be replayed"
            )
        answer = [replace(one, round=number) for one in self.answers.of[design]]
        records = tuple(one for one in answer if isinstance(one, Record))
        failures = tuple(one for one in answer if isinstance(one, Failure))
        return replace(known, records=known.records + records, failures=known.failures + failures)
