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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop.engine.fitting import Fit, Fitter
from loop.engine.guided import Guided
from loop.engine.history import History
from loop.engine.labelling import Labelling, labellings, most_generated, reasons
from loop.engine.outlook import Outlook, outlook
from loop.engine.price import priced
from loop.engine.synthetic import put_to_the_test, remembered, to_label
from loop.ledger import Introspective
from loop.seeds import derive
from loop.store import SYNTHETIC
from loop.types import Condition, Generator, Pick, Proposal, goals

if TYPE_CHECKING:
    from loop.campaign import Campaign

POOL = 1000
VARIED = 0.3
"""Share of the pool that are variations of the best designs, where the acquisition makes any."""
TOP_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The picks of one round, those of the role SYNTHETIC last, and what is worth knowing about how they came to be.
    `labels` is what each cheap source is asked; `ending` says why there are no picks, where a stop criterion is
    reached."""

    round: int
    picks: tuple[Pick, ...]
    info: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Labelling] = field(default_factory=dict)
    ending: str = ""


class Decider:
    """Decides a campaign's rounds; its models' files go to the folder `models`."""

    def __init__(self, campaign: Campaign, models: Path) -> None:
        self.campaign = campaign
        self.models = models
        self.fitter = Fitter(campaign)

    def decide(self, number: int, history: History, count: int) -> Decision:
        """Round `number`: `count` new designs, fewer where the space runs out of valid ones, and the designs that the
        cheap sources are to label besides."""
        started = time.perf_counter()
        decision = self._initial(history, count) if number == 0 else self._informed(number, history, count)
        return replace(decision, info={**decision.info, "seconds": round(time.perf_counter() - started, 3)})

    def _initial(self, history: History, count: int) -> Decision:
        space, seed = self.fitter.space, self.campaign.seed
        designs = space.sample(count, seed=derive(seed, "initial", 0))
        picks = [Pick(Proposal(design, "sobol"), "initial") for design in designs]
        labels = labellings(self.campaign, history, (), designs, count)
        if generated := most_generated(labels):
            more = space.sample(generated + count, seed=derive(seed, "labels", 0))
            others = [design for design in more if design not in designs][:generated]
            picks += [Pick(Proposal(design, "sobol"), SYNTHETIC) for design in others]
        return Decision(0, tuple(picks), {"pool": {"sobol": count}, "labels": reasons(labels)}, labels)

    def _informed(self, number: int, history: History, count: int) -> Decision:
        campaign, fit = self.campaign, self.fitter.fit(number, history)
        acquisition, generator = fit.acquisition, fit.generator

        def seed(purpose: str) -> int:
            return derive(campaign.seed, purpose, number)

        digest = self._keep(generator)
        quality = None
        if isinstance(generator, Introspective):
            quality = generator.quality(history.records, seed=seed("quality"))
        wanted = Condition(levels={o.property: TOP_LEVEL for o in goals(campaign.objectives)}, known=history.known)
        leaders, added = fit.incumbents(), list[Proposal]()
        if isinstance(acquisition, Guided):
            added = acquisition.vary(leaders, history.known, round(VARIED * POOL), seed=seed("vary"))
        pool = generator.propose(POOL - len(added), wanted, leaders, seed=seed("propose"))
        draws = dict(getattr(generator, "counts", {}))
        added += remembered(fit, {*history.known, *(p.design for p in added)}, seed=seed("remembered"))
        there = {proposal.design for proposal in added}
        fresh = added + [p for p in pool if p.design not in history.known and p.design not in there]
        if isinstance(acquisition, Guided):
            fresh += acquisition.search(fresh, history.known, seed=seed("search"))
        ahead = self._outlook(fit, fresh, seed("outlook"))
        if ahead and (ending := ahead.reason(campaign.stop)):
            return Decision(number, (), ending=ending)
        tested = self._test(fit, count, seed("test"))
        chosen = {pick.proposal.design for pick in tested}
        others = [proposal for proposal in fresh if proposal.design not in chosen]
        if getattr(acquisition, "cost_aware", False):
            others = priced(campaign, others)
        pending = [*history.pending, *chosen]
        left = min(count - len(tested), len(others))
        picks = tested + (acquisition.select(others, left, pending, seed=seed("select")) if left > 0 else [])
        designs = [pick.proposal.design for pick in picks]
        labels = labellings(campaign, history, fit.witness.gates if fit.witness else (), designs, len(designs))
        if (generated := most_generated(labels)) and picks:
            others = [proposal for proposal in fresh if proposal.design not in designs]
            known = replace(wanted, known=history.seen.union(designs))
            picks += to_label(fit, others, generated, known, digest, seed)
        notes = [*getattr(generator, "notes", ()), *getattr(acquisition, "notes", ())]
        info = {
            "generator": campaign.generator.kind,
            "acquisition": campaign.acquisition.kind,
            "model_digest": digest,
            "pool": dict(Counter(proposal.generator for proposal in fresh)),
            "draws": draws,
            "quality": None if quality is None else asdict(quality),
            "notes": notes,
            "labels": reasons(labels),
            "outlook": None if ahead is None else asdict(ahead),
            "seen": len(history.records) + len(history.failures),
        }
        return Decision(number, tuple(picks), info, labels)

    def _test(self, fit: Fit, count: int, seed: int) -> list[Pick]:
        """One of the picks puts a label to the test, where the campaign audits and has room for it."""
        if self.campaign.audit == 0 or count < 2:
            return []
        return put_to_the_test(fit, seed)

    def _outlook(self, fit: Fit, fresh: Sequence[Proposal], seed: int) -> Outlook | None:
        """What may still be gained, where a stop criterion asks."""
        if not self.campaign.stop.looks_ahead:
            return None
        return outlook(fit, [proposal.design for proposal in fresh], seed=seed)

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
