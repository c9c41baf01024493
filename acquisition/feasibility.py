"""The probability that a design gives a record at all, learned from the failures that teach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acquisition.encoding import Encoding
from acquisition.process import Process
from acquisition.surrogate import distinct, usable
from loop.types import TEACHING_CAUSES, Design, Failure, Objective, Record

FIT_TOLERANCE = 1e-4
"""Looser than for an objective: a probability that shapes the search needs no more (measured: same log loss)."""

LEAST = 1e-6
"""No design is called less feasible than this: the model has seen tens of designs, not millions."""


class Feasibility:
    """Gaussian-process classification by least squares: a process on labels +1 (record) and -1 (failure), and
    P(feasible) = P(label of a new evaluation > 0), its inferred noise included (Rasmussen & Williams 2006, section
    6.5). With no failure P is 1; with no record it says nothing and is 1 too.

    Counts only what the objectives' oracles answered, and only causes that teach; a failure with a record of the
    same design, oracle and fidelity has been overcome. Raises SurrogateError where the fit fails.
    """

    def __init__(
        self,
        encoding: Encoding,
        objectives: Sequence[Objective],
        records: Sequence[Record],
        failures: Sequence[Failure],
    ) -> None:
        self._encoding = encoding
        self.feasible = distinct([r.design for r in answered(objectives, records)])
        self.infeasible = failed(objectives, records, failures)
        self._process: Process | None = None
        if self.feasible and self.infeasible:
            labels = np.array([1.0] * len(self.feasible) + [-1.0] * len(self.infeasible))
            rows = encoding.rows([*self.feasible, *self.infeasible])
            self._process = Process(encoding, rows, labels, np.zeros(len(labels)), FIT_TOLERANCE)

    def log_probability(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) natural logarithm of the probability of feasibility."""
        from scipy.special import log_ndtr

        if self._process is None:
            return np.zeros(len(designs))
        mean, variance = self._process.posterior(self._encoding.rows(designs))
        residual = float(self._process.noise.mean())
        border = -self._process.centre / self._process.scale
        return np.asarray(np.maximum(log_ndtr((mean - border) / np.sqrt(variance + residual)), np.log(LEAST)))


def answered(objectives: Sequence[Objective], records: Sequence[Record]) -> list[Record]:
    """The records that count for at least one objective, in the order given."""
    counted = {id(record) for objective in objectives for record in usable(objective, records)}
    return [record for record in records if id(record) in counted]


def failed(objectives: Sequence[Objective], records: Sequence[Record], failures: Sequence[Failure]) -> list[Design]:
    """The distinct designs whose failures teach."""
    oracles = {objective.oracle for objective in objectives}
    overcome = {(r.design, r.oracle, r.fidelity) for r in records}
    return distinct(
        [
            f.design
            for f in failures
            if f.cause in TEACHING_CAUSES and f.oracle in oracles and (f.design, f.oracle, f.fidelity) not in overcome
        ]
    )
