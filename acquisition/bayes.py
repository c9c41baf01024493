"""Bayesian selection from a pool of decoded designs: to improve and to learn, half and half at first."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from acquisition.baselines import known, unseen
from acquisition.batch import Batch, Learning, Stage, learning_share, reference, space_filling
from acquisition.cost import log_discount
from acquisition.encoding import Encoding
from acquisition.feasibility import Feasibility, answered
from acquisition.improve import SHORTLIST, Improvement
from acquisition.informed import Informed, informed
from acquisition.plausible import Leaning, Likeness
from acquisition.process import SETTLED, SurrogateError, reproducible
from acquisition.scout import Scout
from acquisition.search import variations
from acquisition.surrogate import Surrogate, distinct, usable, utility_moments
from loop.ledger import Gate, Residual
from loop.space import Space
from loop.types import Design, Failure, Objective, Pick, Proposal, Record, goals

LEAST_RECORDS = 2
"""Fewer records of an objective than this cannot be standardised."""

LEARNED = 0.4
"""Part of a campaign's designs after which no pick learns any more: what is learned then comes too late to be used. Of
50 designs, half of each batch learning, regret at the end was 0.99 so, 1.15 with 0.6 and 1.16 with 0.8 (20 problems of
`benchmarks.sample_efficiency`, random candidates, differences +- 0.1), 1.32 without an end (14 of them)."""

MOST_DESIGNS = 2000
"""Pool members judged in one selection; their joint covariance takes 32 MB per objective."""


class Bayes:
    """What all selection by surrogates shares.

    `split` is the share of the picks that learn instead of improve; `samples` the number of Monte Carlo samples of
    the posterior (a power of two); with `rows`, cheap sources may enter as rows of inflated variance, not only as
    features (`acquisition.gate`); `robust` mistrusts records that the others do not bear out (`acquisition.outliers`);
    `cost_aware` divides what a pick is expected to gain by what it is expected to cost.
    One whose improving picks have log scores `leans`: towards plausible designs, where it is given any (`prefer`).
    `notes` says in plain words whatever made the last fit or selection differ from
    the rule. Roles of the picks: `improve`, `learn`, `explore` (too few records yet: spread over the space) and
    `fallback` (a model failed: spread over the space, the reason is in `notes`).
    """

    kind = ""
    other = ""
    objectives_allowed = range(1, 1)
    settled = SETTLED
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
        self.split, self.samples = split, samples
        self.rows, self.robust, self.cost_aware = rows, robust, cost_aware
        self.notes: list[str] = []
        self.gates: list[Gate] = []
        self._learn_until: int | None = None
        self._informed: list[Informed] = []

    def fit(
        self,
        space: Space,
        objectives: Sequence[Objective],
        records: Sequence[Record],
        failures: Sequence[Failure],
        *,
        seed: int,
    ) -> None:
        """Fit the surrogate of each objective and the feasibility model.

        Raises ValueError where the number of goals (outcome constraints aside) is not one this acquisition handles.
        """
        wanted = goals(objectives)
        if len(wanted) not in self.objectives_allowed:
            names = ", ".join(objective.property for objective in wanted)
            raise ValueError(f"{self.kind} does not handle {len(wanted)} objectives ({names}); {self.other}")
        self._space, self._encoding, self._objectives = space, Encoding(space), tuple(objectives)
        self._baseline = distinct([record.design for record in answered(objectives, records)])
        self._known = known(objectives, records, failures)
        self._records = {o: usable(o, records) for o in objectives}
        self._surrogates: list[Surrogate] | None = None
        self._informed, self.gates = [], []
        self._without_model, self._fit_notes = "explore", list(too_few(self._records))
        self._feasibility: Feasibility | None = None
        self._leaning: Leaning | None = None
        with reproducible(seed):
            if not self._fit_notes:
                self._fit_surrogates(records, seed)
            self._fit_feasibility(records, failures)
        self.notes = list(self._fit_notes)

    def plan(self, designs: int) -> None:
        """The campaign ends with so many designs: after LEARNED of them all picks improve, unless none ever does."""
        self._learn_until = math.floor(LEARNED * designs) if self._improves else None

    def prefer(self, plausible: Sequence[Design], *, seed: int) -> None:
        """Once fitted: lean towards what is like designs that a person holds plausible, while the answers bear them out
        (`acquisition.plausible`). Without a surrogate nothing leans yet."""
        if self._surrogates is None:
            return
        wished = [s for s in self._surrogates if not s.objective.constrains]
        with reproducible(seed):
            likeness = Likeness(self._space, self._encoding, plausible, seed=seed)
            self._leaning = Leaning(likeness, wished, len(self._baseline))
        self.gates.append(self._leaning.gate)
        if not self._leaning.gate.admitted:
            self._fit_notes.append(f"{self._leaning.gate.source}: {self._leaning.gate.reason}")

    def _fit_surrogates(self, records: Sequence[Record], seed: int) -> None:
        """Of the real records, and what cheap sources that pay know besides."""
        asked = partial(informed, rows=self.rows, robust=self.robust, settled=self.settled, seed=seed)
        try:
            fitted = [asked(self._encoding, o, real, records) for o, real in self._records.items()]
            self._informed, self._surrogates = fitted, [one.surrogate for one in fitted]
            self.gates = [gate for one in fitted for gate in one.gates]
            self._fit_notes += [f"robust: {doubt}" for s in self._surrogates for doubt in s.doubted()]
        except SurrogateError as error:
            self._without_model = "fallback"
            self._fit_notes.append(f"{error}; designs are spread over the space instead")

    def _fit_feasibility(self, records: Sequence[Record], failures: Sequence[Failure]) -> None:
        try:
            self._feasibility = Feasibility(self._encoding, self._objectives, records, failures)
        except SurrogateError as error:
            self._fit_notes.append(f"feasibility: {error}; every design counts as feasible")

    @property
    def _improves(self) -> bool:
        """Whether any pick is to be better than what there is."""
        return self.split < 1

    @property
    def fitted(self) -> bool:
        """True where there is a surrogate for every objective."""
        return self._surrogates is not None

    def predict(self, designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n, objectives), of the utilities, in the objectives' units.

        Without a surrogate: the mean of the records there are (0 without any) and variance 1, for every design.
        """
        if not designs:
            return np.zeros((0, len(self._objectives))), np.zeros((0, len(self._objectives)))
        rows = self._encoding.rows(designs)
        if self._surrogates is None:
            columns = [prior_utility(o, records, len(rows)) for o, records in self._records.items()]
        else:
            with reproducible(0):
                columns = [utility_moments(s.objective, *s.predict(rows)) for s in self._surrogates]
        means, variances = zip(*columns, strict=True)
        return np.stack(means, 1), np.stack(variances, 1)

    def log_feasibility(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) natural logarithm of the probability that each design gives a record."""
        if self._feasibility is None or not designs:
            return np.zeros(len(designs))
        with reproducible(0):
            return self._feasibility.log_probability(designs)

    def residuals(self) -> list[Residual]:
        """Every real record's objective properties as the other records predict them; empty without a surrogate."""
        with reproducible(0):
            return [row for surrogate in self._surrogates or () for row in surrogate.residuals()]

    def doubts(self, synthetic: Sequence[Record]) -> list[Residual]:
        """The labels of synthetic records, out of those it was fitted with, as a surrogate that never saw their source
        predicts them (`Informed.doubts`); empty without one."""
        with reproducible(0):
            return [row for one in self._informed for row in one.doubts(self._encoding, synthetic)]

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


def too_few(records: dict[Objective, list[Record]]) -> list[str]:
    """A note for each objective that cannot be modelled yet."""
    return [
        f"{len(rows)} usable records of {o.property} from {o.oracle}, {LEAST_RECORDS} are needed for a surrogate: "
        "designs are spread over the space"
        for o, rows in records.items()
        if len(rows) < LEAST_RECORDS
    ]


def prior_utility(objective: Objective, records: Sequence[Record], n: int) -> tuple[np.ndarray, np.ndarray]:
    """(mean, variance), each (n,), of the utility before there is a surrogate."""
    values = [objective.utility(r.estimates[objective.property].mean) for r in records]
    return np.full(n, float(np.mean(values)) if values else 0.0), np.ones(n)
