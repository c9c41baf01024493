"""What an independent cheap source knows of a property, as a feature of the surrogate.

A source's synthetic records, generated designs that it labelled, are emulated by a Gaussian process of their own. Its
mean enters the surrogate of the property as a feature of learned weight, so that a source that misleads costs little
(autoregressive co-kriging: Kennedy & O'Hagan, Biometrika 2000, 87, 1), and only while it pays (`Gate`). Everything is
judged anew at every fit: an admission does not outlive the evidence for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from acquisition.encoding import Encoding
from acquisition.noise import variances
from acquisition.surrogate import Process, Surrogate
from loop.ledger import Gate, Residual
from loop.types import Objective, Record

LEAST_LABELS = 10
"""Fewer synthetic records than this do not make a source."""
LEAST_JUDGES = 10
"""Real records from which leave-one-out can tell whether a source pays, and how its labels relate to them."""


class Source:
    """One oracle's synthetic records of a property, emulated."""

    def __init__(self, encoding: Encoding, name: str, prop: str, records: Sequence[Record]) -> None:
        self.name, self.records = name, list(records)
        estimates = [record.estimates[prop] for record in records]
        self.rows = encoding.rows([record.design for record in records])
        self._values, self._noise = np.array([e.mean for e in estimates]), variances(records, estimates)
        self._process = Process(encoding, self.rows, self._values, self._noise)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(n,) the source's standardised expectation of encoded designs (n, width)."""
        return self._process.posterior(rows)[0]

    def on_scale_of(self, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(values, variances), each (labels,): the labels on the scale of a real property with `values` (n,) at encoded
        designs `rows` (n, width), by the least-squares line through what the source expects of these designs.

        The variances are the labels' own, and the scatter about the line, which holds whatever keeps the source from
        being the property.
        """
        x, scale = self(rows), self._process.scale
        line = np.polynomial.Polynomial.fit(x, values, 1).convert()
        scatter = float(np.square(values - line(x)).sum()) / (len(x) - 2)
        slope = line.coef[1] / scale
        return line((self._values - self._process.centre) / scale), slope**2 * self._noise + scatter


@dataclass(frozen=True)
class Informed:
    """The surrogate of an objective with the sources that were let in, their gates, all sources `offered`, and the
    surrogate `alone`, of the real records only (None where these are too few to judge by)."""

    surrogate: Surrogate
    gates: list[Gate] = field(default_factory=list)
    offered: list[Source] = field(default_factory=list)
    alone: Surrogate | None = None

    def doubts(self, encoding: Encoding, synthetic: Sequence[Record]) -> list[Residual]:
        """The labels of those `synthetic` records that a source was made of, against the surrogate alone."""
        if self.alone is None:
            return []
        name, asked, found = self.alone.objective.property, {id(record) for record in synthetic}, list[Residual]()
        real = encoding.rows([record.design for record in self.alone.records])
        values = np.array([record.estimates[name].mean for record in self.alone.records])
        for source in self.offered:
            labels, variance = source.on_scale_of(real, values)
            mean, sd = self.alone.predict(source.rows)
            spread = np.sqrt(sd**2 + variance)
            found += [
                Residual(record, name, float(label), float(m), float(s), float((label - m) / s))
                for record, label, m, s in zip(source.records, labels, mean, spread, strict=True)
                if id(record) in asked
            ]
        return found


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


def informed(encoding: Encoding, objective: Objective, real: Sequence[Record], records: Sequence[Record]) -> Informed:
    """The surrogate of an objective from its `real` records and those cheap sources among all `records` that pay,
    judged one after another. With fewer than LEAST_JUDGES real records every source enters unjudged.

    Raises SurrogateError where a fit fails.
    """
    offered = sources(encoding, objective, records)
    if len(real) < LEAST_JUDGES:
        return Informed(Surrogate(encoding, objective, real, offered), offered=offered)
    alone = Surrogate(encoding, objective, real)
    best, kept, gates = alone, list[Source](), list[Gate]()
    for source in offered:
        richer = Surrogate(encoding, objective, real, [*kept, source])
        gates.append(judged(source.name, best, richer))
        if gates[-1].admitted:
            best, kept = richer, [*kept, source]
    return Informed(best, gates, offered, alone)


def judged(source: str, without: Surrogate, richer: Surrogate) -> Gate:
    """Whether a source pays: it is admitted for a gain of more than one standard error, over the real records that both
    surrogates were fitted to.

    Each is predicted by the others. That is honest here because the source's labels owe nothing to the real records;
    labels of a model trained on them would pass it and mislead, and are not to be given as synthetic records.
    """
    gains = log_densities(richer) - log_densities(without)
    gain, error = float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return told(source, without.objective.property, "feature", gain, error, gain > error)


def told(source: str, prop: str, form: str, gain: float, error: float, admitted: bool, but: str = "") -> Gate:
    """The gate with its sentence; `but` says why a gain was not enough."""
    what = {"feature": "a feature of learned weight", "rows": "rows of inflated variance"}[form]
    decided = f"it enters as {what}" if admitted else "it is left out"
    reason = f"gain {gain:+.2f} ± {error:.2f} nat per record{but and f', but {but}'}: {decided}"
    return Gate(source, prop, form, gain, error, admitted, reason)  # type: ignore[arg-type]


def log_densities(surrogate: Surrogate) -> np.ndarray:
    """(n,) log predictive density of every record's value given the others, in nats."""
    return np.array([-0.5 * row.z**2 - math.log(row.sd * math.sqrt(2 * math.pi)) for row in surrogate.residuals()])
