"""Bayesian selection from a pool of decoded designs: to improve and to learn, half and half at first."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np

from acquisition.baselines import unseen
from acquisition.batch import Batch, Learning, Stage, learning_share, reference, space_filling
from acquisition.cost import log_discount
from acquisition.improve import SHORTLIST, Improvement
from acquisition.models import Models
from acquisition.process import reproducible
from acquisition.scout import Scout
from acquisition.search import variations
from acquisition.surrogate import Surrogate, distinct
from loop.types import Design, Pick, Proposal

LEARNED = 0.4
"""Part of a campaign's designs after which no pick learns any more: what is learned then comes too late to be used. Of
50 designs, half of each batch learning, regret at the end was 0.99 so, 1.15 with 0.6 and 1.16 with 0.8 (20 problems of
`benchmarks.sample_efficiency`, random candidates, differences +- 0.1), 1.32 without an end (14 of them)."""

MOST_DESIGNS = 2000
"""Pool members judged in one selection; their joint covariance takes 32 MB per objective."""


class Bayes(Models):
    """What all selection by surrogates shares.

    `split` is the share of the picks that learn instead of improve; `samples` the number of Monte Carlo samples of
    the posterior (a power of two); `rows` and `robust` are those of `Models`; `cost_aware` divides what a pick is
    expected to gain by what it is expected to cost.
    One whose improving picks have log scores `leans`: towards plausible designs, where it is given any (`prefer`).
    `notes` also says what made the last selection differ from the rule. Roles of the picks: `improve`, `learn`,
    `explore` (too few records yet: spread over the space) and `fallback` (a model failed: spread over the space, the
    reason is in `notes`).
    """

    leans = True

    def __init__(
        self,
        split: float = 0.5,
        samples: int = 64,
        rows: bool = False,
        robust: bool = False,
        cost_aware: bool = False,
    ) -> None:
        if not 0 <= split <= 1:
            raise ValueError(f"split is {split}; it is the share of picks that learn, from 0 to 1")
        if samples < 1 or samples & (samples - 1):
            raise ValueError(f"samples is {samples}; it must be a power of two, such as 64")
        super().__init__(rows, robust)
        self.split, self.samples, self.cost_aware = split, samples, cost_aware
        self._learn_until: int | None = None

    def plan(self, designs: int) -> None:
        """The campaign ends with so many designs: after LEARNED of them all picks improve, unless none ever does."""
        self._learn_until = math.floor(LEARNED * designs) if self._improves else None

    @property
    def _improves(self) -> bool:
        """Whether any pick is to be better than what there is."""
        return self.split < 1

    def vary(self, leaders: Sequence[Design], taken: Collection[Design], n: int, *, seed: int) -> list[Proposal]:
        """At most n variations of the leading designs for the pool, none of them taken (`acquisition.search`); none
        without a surrogate, or where no pick improves."""
        return variations(self._space, leaders, taken, n, seed=seed) if self._scout and leaders else []

    def search(self, pool: Sequence[Proposal], taken: Collection[Design], *, seed: int) -> list[Proposal]:
        """More proposals for the pool, neither in it nor taken, from where the surrogates are good enough to search the
        space by (`acquisition.scout`); none without them, or where no pick improves."""
        scout = self._scout
        if scout is None or not scout.sure:
            return []
        return self._tried("the direct search", lambda: scout.search(pool, taken, seed), seed)

    def promising(self, pool: Sequence[Proposal], n: int, *, seed: int) -> list[Proposal]:
        """At most n distinct proposals of the pool that may be the best, for labels; none without a surrogate, or where
        no pick improves."""
        scout = self._scout
        if scout is None or not pool:
            return []
        few = thinned(pool, seed)
        return self._tried("the choice of designs to label", lambda: scout.promising(few, n, seed), seed)

    @property
    def _scout(self) -> Scout | None:
        """None without a surrogate, or where no pick improves."""
        if self._surrogates is None or not self._improves:
            return None
        return Scout(self._space, self._encoding, self._surrogates, self._baseline, self.log_feasibility)

    def _tried(self, what: str, find: Callable[[], list[Proposal]], seed: int) -> list[Proposal]:
        """What is found, or nothing and a note."""
        with reproducible(seed):
            try:
                return find()
            except (RuntimeError, ArithmeticError) as error:
                failed = f"{what} failed: {error}; the round goes on without it"
                self._fit_notes.append(failed)
                self.notes.append(failed)
                return []

    def select(self, pool: Sequence[Proposal], q: int, pending: Sequence[Design], *, seed: int) -> list[Pick]:
        """q distinct picks that are neither known nor pending; fewer, with a note, where the pool has fewer."""
        self.notes = list(self._fit_notes)
        fresh = self._new(pool, q, pending, seed)
        if not fresh or q < 1:
            return []
        if self._surrogates is None:
            return self._spread(fresh, q, pending, seed, self._without_model)
        with reproducible(seed):
            try:
                return self._choose(self._surrogates, fresh, q, distinct(pending), seed)
            except (RuntimeError, ArithmeticError) as error:
                self.notes.append(f"the acquisition failed: {error}; designs are spread over the space instead")
        return self._spread(fresh, q, pending, seed, "fallback")

    def _new(self, pool: Sequence[Proposal], q: int, pending: Sequence[Design], seed: int) -> Sequence[Proposal]:
        """The pool without known, pending and repeated designs, thinned to MOST_DESIGNS by the seed."""
        fresh = unseen(pool, [*self._known, *pending])
        if len(fresh) < q:
            self.notes.append(f"the pool holds {len(fresh)} new designs; {q} were asked for")
        if len(fresh) > MOST_DESIGNS:
            self.notes.append(f"{MOST_DESIGNS} of the {len(fresh)} new designs in the pool were drawn and judged")
        return thinned(fresh, seed)

    def _spread(self, fresh: Sequence[Proposal], q: int, pending: Sequence[Design], seed: int, role: str) -> list[Pick]:
        taken = [*self._known, *pending]
        chosen, distances = space_filling(self._encoding, [p.design for p in fresh], taken, q, seed)
        values = [d if np.isfinite(d) else None for d in distances]
        return [Pick(fresh[i], role, value) for i, value in zip(chosen, values, strict=True)]

    def _choose(
        self, surrogates: list[Surrogate], fresh: Sequence[Proposal], q: int, pending: Sequence[Design], seed: int
    ) -> list[Pick]:
        from acquisition.finite import FinitePosterior

        q = min(q, len(fresh))
        learn = learning_share(q, len(set(self._known) | set(pending)), self.split, self._learn_until)
        observed = set(self._baseline)
        waiting = [design for design in pending if design not in observed]
        batch = Batch(fresh, self.log_feasibility([proposal.design for proposal in fresh]), self._discount(fresh))
        n, b = len(fresh), len(self._baseline)
        designs = [*(proposal.design for proposal in fresh), *self._baseline, *waiting]
        rows = self._encoding.rows(designs)
        posterior = FinitePosterior(*zip(*[s.joint(rows) for s in surrogates], strict=True))
        stage = Stage(surrogates, rows, posterior, n, range(n, n + b), range(n + b, len(designs)), seed)
        if learn < q:
            self._improve(stage, batch, q - learn)
        if learn:
            self._learn(stage, batch, learn)
        return self._with_predictions(surrogates, batch.picks)

    def _discount(self, fresh: Sequence[Proposal]) -> np.ndarray:
        """(n,) what is added to the log scores for the designs' cost."""
        discount = log_discount(fresh) if self.cost_aware else np.zeros(len(fresh))
        if discount is None:
            self.notes.append("cost_aware: no oracle says what a design costs, so that all count as equally expensive")
            return np.zeros(len(fresh))
        return discount

    def _improve(self, stage: Stage, batch: Batch, q: int) -> None:
        improvement = self._improvement(stage)
        improvement.wait_for(stage.pending)
        among, leaning = None, self._lean(batch.pool)
        for _ in range(q):
            scores = improvement(stage.pool, among) + leaning
            improvement.wait_for([batch.take("improve", scores)])
            among = batch.best(scores, max(SHORTLIST, q)) if among is None and improvement.same else among

    def _lean(self, pool: Sequence[Proposal]) -> np.ndarray:
        """(n,) what is added to the log scores for likeness to the plausible designs."""
        if self._leaning is None:
            return np.zeros(len(pool))
        return self._leaning([proposal.design for proposal in pool])

    def _improvement(self, stage: Stage) -> Improvement:
        return Improvement(stage.surrogates, stage.posterior, stage.observed, self.samples, stage.seed)

    def _learn(self, stage: Stage, batch: Batch, q: int) -> None:
        noises = [s.usual_noise for s in stage.surrogates]
        points = reference(batch.pool, stage.seed)
        learning = Learning([c.numpy() for c in stage.posterior.covariance], noises, points)
        for i in [*stage.pending, *batch.chosen]:
            learning.observe(i)
        for _ in range(q):
            learning.observe(batch.take("learn", np.log(np.maximum(learning.gains(stage.pool), 1e-300))))

    def _with_predictions(self, surrogates: list[Surrogate], picks: Sequence[Pick]) -> list[Pick]:
        rows = self._encoding.rows([pick.proposal.design for pick in picks])
        told = {s.objective.property: s.predict(rows) for s in surrogates}
        return [
            Pick(
                pick.proposal,
                pick.role,
                pick.value,
                {name: (float(mean[i]), float(sd[i])) for name, (mean, sd) in told.items()},
            )
            for i, pick in enumerate(picks)
        ]


class QLogNEI(Bayes):
    """One goal: log noisy expected improvement. Its own threshold plays no part: the best record is the one to beat."""

    kind = "qlognei"
    other = "it takes exactly one; for two to four write acquisition: {kind: qlognehvi}, for more {kind: parego}"
    objectives_allowed = range(1, 2)


class QLogNEHVI(Bayes):
    """Two to four goals: log noisy expected hypervolume improvement above the thresholds (for three and four by
    random hypervolume scalarisation, see `Improvement`)."""

    kind = "qlognehvi"
    other = "it takes two to four; for one write acquisition: {kind: qlognei}, for more {kind: parego}"
    objectives_allowed = range(2, 5)


def thinned(pool: Sequence[Proposal], seed: int) -> Sequence[Proposal]:
    """At most MOST_DESIGNS of a pool, drawn by the seed."""
    if len(pool) <= MOST_DESIGNS:
        return pool
    return [pool[i] for i in sorted(np.random.default_rng(seed).choice(len(pool), MOST_DESIGNS, replace=False))]
