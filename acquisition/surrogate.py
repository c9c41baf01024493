"""The surrogate of one objective, on the decoded design and with the measured standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from acquisition.encoding import Encoding
from acquisition.noise import variances
from acquisition.process import SETTLED, Feature, Process, Rows, SurrogateError
from loop.ledger import Residual
from loop.types import Design, Objective, Record


class Surrogate(Process):
    """The process of one objective's property, from the records that count for it and, after them, further `rows`."""

    def __init__(
        self,
        encoding: Encoding,
        objective: Objective,
        records: Sequence[Record],
        features: Sequence[Feature] = (),
        rows: Sequence[Rows] = (),
        *,
        settled: int = SETTLED,
        robust: bool = False,
    ) -> None:
        self.objective = objective
        self.records = usable(objective, records)
        estimates = [record.estimates[objective.property] for record in self.records]
        own = Rows(
            encoding.rows([record.design for record in self.records]),
            np.array([e.mean for e in estimates]),
            variances(self.records, estimates),
        )
        designs = np.concatenate([some.designs for some in (own, *rows)])
        values = np.concatenate([some.values for some in (own, *rows)])
        noise = np.concatenate([some.variances for some in (own, *rows)])
        try:
            super().__init__(encoding, designs, values, noise, features=features, settled=settled, robust=robust)
        except SurrogateError as error:
            raise SurrogateError(f"surrogate of {objective.property}: {error}") from error

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of the property without noise, in its unit."""
        mean, variance = self.posterior(rows)
        return mean * self.scale + self.centre, np.sqrt(variance) * self.scale

    @property
    def residual_variance(self) -> float:
        """Of an observation about the process, beyond its own error, in the property's unit squared."""
        return float(self.model.likelihood.second_noise.detach()) * self.scale**2

    @property
    def usual_noise(self) -> float:
        """Mean standardised variance of the records, as a new one is expected to have it."""
        return float((self.noise.numpy() - self.doubts / self.scale**2)[: len(self.records)].mean())

    def utility(self, standard: Any) -> Any:
        """Standardised values of the property (array or tensor) turned so that more is better."""
        if self.objective.goal == "target":
            assert self.objective.target is not None
            return -abs(standard - (self.objective.target - self.centre) / self.scale)
        return -standard if self.objective.falls else standard

    def observed_utility(self) -> np.ndarray:
        """(n,) standardised utilities of the records."""
        return np.asarray(self.utility(self.targets[: len(self.records)].numpy()))

    def residuals(self) -> list[Residual]:
        """Every record's property as the others predict it."""
        n, name = len(self.records), self.objective.property
        mean, sd = (column[:n] for column in self.left_out())
        return [
            Residual(record, name, y, float(m), float(s), float((y - m) / s))
            for record, m, s in zip(self.records, mean, sd, strict=True)
            for y in [record.estimates[name].mean]
        ]

    def explained(self) -> float:
        """The part of the records' variance that each is predicted with by the others; 0 where they are all equal."""
        rows = self.residuals()
        observed, predicted = (
            np.array(column) for column in zip(*((r.observed, r.predicted) for r in rows), strict=True)
        )
        total = float(observed.var())
        return 1 - float(np.mean(np.square(observed - predicted))) / total if total > 0 else 0.0

    def doubted(self) -> list[str]:
        """What is to be said of each record in doubt."""
        if not self.doubts.any():
            return []
        return [
            f"{row.property} {row.observed:.4g} of design {row.record.design.id} is not borne out by the others, which "
            f"say {row.predicted:.4g}: it counts with an error of {math.sqrt(doubt):.3g} more"
            for row, doubt in zip(self.residuals(), self.doubts, strict=False)
            if doubt > 0
        ]


def usable(objective: Objective, records: Sequence[Record]) -> list[Record]:
    """The records that count for the objective: its oracle's, not synthetic, with a finite value."""
    return [
        record
        for record in records
        if record.oracle == objective.oracle
        and record.kind != "synthetic"
        and objective.property in record.estimates
        and math.isfinite(record.estimates[objective.property].mean)
    ]


def utility_moments(objective: Objective, mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, variance) of the utility of a normal property; for a target, of the folded normal distribution
    (Leone, Nelson & Nottingham, Technometrics 3 (1961) 543) with its sign turned."""
    if objective.goal != "target":
        return (-mean if objective.falls else mean), sd**2
    from scipy.special import ndtr

    assert objective.target is not None
    off = mean - objective.target
    ratio = np.clip(off / np.maximum(sd, 1e-300), -40, 40)  # beyond, the folded part is exactly zero
    distance = sd * math.sqrt(2 / math.pi) * np.exp(-0.5 * ratio**2) + off * (1 - 2 * ndtr(-ratio))
    return -distance, np.maximum(off**2 + sd**2 - distance**2, 0.0)


def distinct(designs: Sequence[Design]) -> list[Design]:
    """The designs without repeats, in their order."""
    return list(dict.fromkeys(designs))
