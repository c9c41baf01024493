"""One decision: fit, propose, select. A pure function of the campaign, the round and the history.

The same history gives the same picks, bit for bit, on one CPU build; that is what lets a killed campaign go on as if
nothing had happened.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop import plugins
from loop.engine.history import History
from loop.seeds import derive
from loop.standing import best, standings
from loop.types import Acquisition, Condition, Design, Generator, Pick, Proposal, goals

if TYPE_CHECKING:
    import numpy as np

    from loop.campaign import Campaign
    from loop.space import Space

POOL = 1000
INCUMBENTS = 8
TOP_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The picks of one round, and what is worth knowing about how they came to be."""

    round: int
    picks: tuple[Pick, ...]
    info: Mapping[str, Any] = field(default_factory=dict)


class Decider:
    """Holds the campaign's generator between rounds, since its pre-training is worth keeping; decisions do not depend
    on that, only their speed does."""

    def __init__(self, campaign: Campaign, models: Path) -> None:
        self.campaign = campaign
        self.models = models
        self.space: Space = campaign.judged_space()
        self._generator: Generator | None = None

    def decide(self, number: int, history: History, count: int) -> Decision:
        """Round `number`: `count` new designs, fewer where the space runs out of valid ones."""
        started = time.perf_counter()
        decision = self._initial(count) if number == 0 else self._informed(number, history, count)
        return replace(decision, info={**decision.info, "seconds": round(time.perf_counter() - started, 3)})

    def _initial(self, count: int) -> Decision:
        designs = self.space.sample(count, seed=derive(self.campaign.seed, "initial", 0))
        picks = tuple(Pick(Proposal(design, "sobol"), "initial") for design in designs)
        return Decision(0, picks, {"pool": {"sobol": len(picks)}})

    def _informed(self, number: int, history: History, count: int) -> Decision:
        campaign, objectives = self.campaign, self.campaign.objectives
        wishes = goals(objectives)  # what a generator may learn to exceed; more than a threshold is no better

        def seed(purpose: str) -> int:
            return derive(campaign.seed, purpose, number)

        acquisition: Acquisition = plugins.build(
            "acquisition", campaign.acquisition.kind, campaign.acquisition.options, campaign.path.parent
        )
        acquisition.fit(self.space, objectives, history.records, history.failures, seed=seed("surrogate"))
        learned = bool(standings(history.records, objectives))
        generator = self._pretrained()
        generator.fit(
            self.space,
            history.records,
            wishes,
            seed=derive(campaign.seed, "generator"),
            predict=partial(self._expected, acquisition) if learned else None,
        )
        known = history.known
        wanted = Condition(levels={o.property: TOP_LEVEL for o in wishes}, known=known)
        incumbents = self._incumbents(history, acquisition) if learned else []
        pool = generator.propose(POOL, wanted, incumbents, seed=seed("propose"))
        fresh = [proposal for proposal in pool if proposal.design not in known]
        picks = acquisition.select(fresh, min(count, len(fresh)), history.pending, seed=seed("select")) if fresh else []
        notes = [*getattr(generator, "notes", ()), *getattr(acquisition, "notes", ())]
        info = {
            "generator": campaign.generator.kind,
            "acquisition": campaign.acquisition.kind,
            "model_digest": self._keep(generator),
            "pool": dict(Counter(proposal.generator for proposal in fresh)),
            "draws": getattr(generator, "counts", {}),
            "notes": notes,
            "seen": len(history.records) + len(history.failures),
        }
        return Decision(number, tuple(picks), info)

    def _pretrained(self) -> Generator:
        if self._generator is None:
            kind, options = self.campaign.generator.kind, self.campaign.generator.options
            self._generator = plugins.build("generator", kind, options, self.campaign.path.parent)
        return self._generator

    def _incumbents(self, history: History, acquisition: Acquisition) -> list[Design]:
        """The best known designs by posterior mean, so that a lucky measurement does not lead the search."""
        known = standings(history.records, self.campaign.objectives)
        mean, _ = self._expected(acquisition, [standing.design for standing in known])
        expected = [replace(standing, utilities=tuple(row)) for standing, row in zip(known, mean, strict=True)]
        return [standing.design for standing in best(expected, INCUMBENTS)[:INCUMBENTS]]

    def _expected(self, acquisition: Acquisition, designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance) of the utilities, each (n, goals)."""
        wished = [not objective.constrains for objective in self.campaign.objectives]
        mean, variance = acquisition.predict(designs)
        return mean[:, wished], variance[:, wished]

    def _keep(self, generator: Generator) -> str:
        """Write the model's files before the row that names them; the folder is called by their digest."""
        self.models.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.models))
        try:
            digest = generator.save(draft)
            target = self.models / digest
            if not target.exists():
                draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return digest
