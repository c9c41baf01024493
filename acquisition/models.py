"""What a campaign's records teach: surrogates of the objectives, a model of failures, and what these say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from acquisition.baselines import known
from acquisition.encoding import Encoding
from acquisition.feasibility import Feasibility, answered
from acquisition.informed import Informed, informed
from acquisition.plausible import Leaning, Likeness
from acquisition.process import SETTLED, SurrogateError, reproducible
from acquisition.surrogate import Surrogate, distinct, usable, utility_moments
from loop.ledger import Gate, Residual
from loop.space import Space
from loop.types import Design, Failure, Objective, Record, goals

LEAST_RECORDS = 2
"""Fewer records of an objective than this cannot be standardised."""


class Models:
    """The surrogate of each objective and the feasibility model of a campaign.

    With `rows`, cheap sources may enter as rows of inflated variance, not only as features (`acquisition.gate`);
    `robust` mistrusts records that the others do not bear out (`acquisition.outliers`). What is made of plausible
    designs (`prefer`) is for those that `lean`. `notes` says in plain words whatever made the last fit differ from the
    rule.
    """

    kind = ""
    other = ""
    objectives_allowed = range(1, 1)
    settled = SETTLED

    def __init__(self, rows: bool, robust: bool) -> None:
        self.rows, self.robust = rows, robust
        self.notes: list[str] = []
        self.gates: list[Gate] = []
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
