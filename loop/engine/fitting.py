"""Acquisition and generator, fitted to what is known: what a decision rests on, and the audit's source of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from loop import plugins
from loop.engine.guided import Guided
from loop.engine.history import History
from loop.ledger import Witness
from loop.seeds import derive
from loop.sheets.plausible import read_plausible
from loop.standing import best, standings
from loop.types import Acquisition, Design, Generator, Objective, goals

if TYPE_CHECKING:
    import numpy as np

    from loop.campaign import Campaign

INCUMBENTS = 8


@dataclass(frozen=True)
class Fit:
    """The models of one history. `learned` says whether any design has every objective."""

    objectives: Sequence[Objective]
    history: History
    acquisition: Acquisition
    generator: Generator
    learned: bool

    @property
    def witness(self) -> Witness | None:
        """The acquisition, where it can give evidence on the records."""
        return self.acquisition if isinstance(self.acquisition, Witness) else None

    def incumbents(self) -> list[Design]:
        """The best known designs by posterior mean, so that a lucky measurement does not lead the search."""
        if not self.learned:
            return []
        known = standings(self.history.records, self.objectives)
        mean, _ = expected(self.objectives, self.acquisition, [standing.design for standing in known])
        likely = [replace(standing, utilities=tuple(row)) for standing, row in zip(known, mean, strict=True)]
        return [standing.design for standing in best(likely, INCUMBENTS)[:INCUMBENTS]]


def expected(
    objectives: Sequence[Objective], acquisition: Acquisition, designs: Sequence[Design]
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, variance) of the utilities, each (n, goals)."""
    wished = [not objective.constrains for objective in objectives]
    mean, variance = acquisition.predict(designs)
    return mean[:, wished], variance[:, wished]


class Fitter:
    """Keeps the generator, whose pre-training is worth keeping, and the last fit. Fits do not depend on that, only
    their speed does."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.space = campaign.judged_space()
        self._generator: Generator | None = None
        self._last: tuple[int, Fit] | None = None

    def fit(self, number: int, history: History) -> Fit:
        """The models on which round `number` is decided, given the history."""
        if self._last is None or (self._last[0], self._last[1].history) != (number, history):
            self._last = number, self._fit(number, history)
        return self._last[1]

    def _fit(self, number: int, history: History) -> Fit:
        campaign, objectives = self.campaign, self.campaign.objectives
        acquisition: Acquisition = plugins.build(
            "acquisition", campaign.acquisition.kind, campaign.acquisition.options, campaign.folder
        )
        seed = derive(campaign.seed, "surrogate", number)
        acquisition.fit(self.space, objectives, history.records, history.failures, seed=seed)
        if isinstance(acquisition, Guided):
            if campaign.most_designs is not None:
                acquisition.plan(campaign.most_designs)
            if self._plausible and acquisition.leans:
                acquisition.prefer(self._plausible, seed=derive(campaign.seed, "plausible"))
        learned = bool(standings(history.records, objectives))
        generator = self._pretrained()
        generator.fit(
            self.space,
            [record for record in history.records if record.kind != "synthetic"],
            goals(objectives),  # what a generator may learn to exceed; more than a threshold is no better
            seed=derive(campaign.seed, "generator"),
            predict=partial(expected, objectives, acquisition) if learned else None,
        )
        return Fit(objectives, history, acquisition, generator, learned)

    @cached_property
    def _plausible(self) -> tuple[Design, ...]:
        path = self.campaign.plausible
        return () if path is None else read_plausible(path, self.campaign.space)

    def _pretrained(self) -> Generator:
        if self._generator is None:
            kind, options = self.campaign.generator.kind, self.campaign.generator.options
            self._generator = plugins.build("generator", kind, options, self.campaign.folder)
        return self._generator
