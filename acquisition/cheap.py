"""What an independent cheap source knows of a property, as a feature of the surrogate.

A source's synthetic records, generated designs that it labelled, are emulated by a Gaussian process of their own. Its
mean enters the surrogate of the property as a feature of learned weight, so that a source that misleads costs little
(autoregressive co-kriging: Kennedy & O'Hagan, Biometrika 2000, 87, 1), and only while it pays (`Verdict`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.encoding import Encoding
from acquisition.noise import variances
from acquisition.surrogate import Process, Surrogate
from loop.types import Objective, Record

LEAST_LABELS = 10
"""Fewer synthetic records than this do not make a source."""
LEAST_JUDGES = 10
"""Real records from which leave-one-out can tell whether a source pays."""


class Source:
    """One oracle's synthetic records of a property, emulated."""

    def __init__(self, encoding: Encoding, name: str, prop: str, records: Sequence[Record]) -> None:
        self.name, self.labels = name, len(records)
        estimates = [record.estimates[prop] for record in records]
        rows = encoding.rows([record.design for record in records])
        self._process = Process(encoding, rows, np.array([e.mean for e in estimates]), variances(records, estimates))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(n,) the source's standardised expectation of encoded designs (n, width)."""
        return self._process.posterior(rows)[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a source pays: the mean gain in log predictive density of the real records, each predicted by the
    others, in nats, and its standard error.

    Leave-one-out is honest here because the source's labels owe nothing to the real records; labels of a model trained
    on them would pass it and mislead, and are not to be given as synthetic records.
    """

    source: str
    gain: float
    error: float

    @property
    def pays(self) -> bool:
        """A gain of more than one standard error."""
        return self.gain > self.error

    def __str__(self) -> str:
        admitted = "it enters the surrogate" if self.pays else "it is left out"
        return f"{self.source}: gain {self.gain:+.2f} +- {self.error:.2f} nat per record; {admitted}"


def sources(encoding: Encoding, objective: Objective, records: Sequence[Record]) -> list[Source]:
    """The objective's cheap sources: every (oracle, fidelity) with enough synthetic records of its property."""
    found: dict[str, list[Record]] = {}
    for record in records:
        estimate = record.estimates.get(objective.property)
        if record.kind == "synthetic" and estimate is not None and math.isfinite(estimate.mean):
            found.setdefault(f"{record.oracle} ({record.fidelity})", []).append(record)
    return [
        Source(encoding, name, objective.property, labelled)
        for name, labelled in found.items()
        if len(labelled) >= LEAST_LABELS
    ]


def informed(
    encoding: Encoding, objective: Objective, real: Sequence[Record], records: Sequence[Record]
) -> tuple[Surrogate, list[Verdict]]:
    """The surrogate of an objective from its `real` records and those cheap sources among all `records` that pay,
    judged one after another, with the verdicts. With fewer than LEAST_JUDGES real records every source enters unjudged.

    Raises SurrogateError where a fit fails.
    """
    offered = sources(encoding, objective, records)
    if len(real) < LEAST_JUDGES:
        return Surrogate(encoding, objective, real, offered), []
    best, kept, verdicts = Surrogate(encoding, objective, real), list[Source](), list[Verdict]()
    for source in offered:
        richer = Surrogate(encoding, objective, real, [*kept, source])
        verdicts.append(verdict(source.name, best, richer))
        if verdicts[-1].pays:
            best, kept = richer, [*kept, source]
    return best, verdicts


def verdict(name: str, without: Surrogate, richer: Surrogate) -> Verdict:
    """What a source changes for the real records that both surrogates were fitted to."""
    gains = log_densities(richer) - log_densities(without)
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return Verdict(name, float(gains.mean()), error)


def log_densities(surrogate: Surrogate) -> np.ndarray:
    """(n,) log predictive density of every record's value given the others, in nats."""
    return np.array([-0.5 * row.z**2 - math.log(row.sd * math.sqrt(2 * math.pi)) for row in surrogate.leave_one_out()])
