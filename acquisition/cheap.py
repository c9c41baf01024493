"""What an independent cheap source knows of a property, as a feature of the surrogate.

A source's synthetic records, generated designs that it labelled, are emulated by a Gaussian process of their own. Its
mean enters the surrogate of the property as a feature of learned weight, so that a source that misleads costs little
(autoregressive co-kriging: Kennedy & O'Hagan, Biometrika 2000, 87, 1), and only while it pays (`Gate`). Everything is
judged anew at every fit: an admission does not outlive the evidence for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from acquisition.encoding import Encoding
from acquisition.noise import variances
from acquisition.process import Process
from acquisition.surrogate import Surrogate
from loop.ledger import Gate, source_name
from loop.types import Objective, Record

LEAST_LABELS = 10
"""Fewer synthetic records than this do not make a source."""
EMULATION_TOLERANCE = 1e-4
"""Looser than for an objective: half the time, and the labels are told as well (100 of them, nine fields, measured)."""
LEAST_JUDGES = 10
"""Real records from which one can tell whether a source pays, and how its labels relate to them."""
PAYS = math.log(10)
"""Log odds that a source pays for it to enter: strong evidence on the scale of Jeffreys (Theory of Probability, 1961).
On four problems, leave-one-out gains of more than their error and 0.05 nat kept 61 % of what the good source gives and
let in a wrong one that cost 0.43 nat; these odds keep 89 % and refuse it."""
ECHO = 0.25
"""Of `Source.echo`. Measured: 0.6 to 2 for independent labels, good or bad, 0.01 to 0.04 for the surrogate's own."""


class Source:
    """One oracle's synthetic records of a property, emulated."""

    def __init__(self, encoding: Encoding, name: str, prop: str, records: Sequence[Record]) -> None:
        self.name, self.records = name, list(records)
        estimates = [record.estimates[prop] for record in records]
        self.rows = encoding.rows([record.design for record in records])
        self._values, self._noise = np.array([e.mean for e in estimates]), variances(records, estimates)
        self._process = Process(encoding, self.rows, self._values, self._noise, EMULATION_TOLERANCE)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(n,) the source's standardised expectation of encoded designs (n, width)."""
        return self._process.posterior(rows)[0]

    def echo(self, alone: Surrogate) -> float:
        """The part of the labels' variance that a surrogate of the real records alone does not explain, over the part
        that it expects not to explain of the truth: about 1 or more for independent labels, next to 0 for its own."""
        mean, sd = alone.predict(self.rows)
        expected = float((sd**2).mean()) / max(float((sd**2).mean() + mean.var()), 1e-300)
        together = np.cov(mean, self._values)
        explained = together[0, 1] ** 2 / max(together[0, 0] * together[1, 1], 1e-300)
        return float(1 - explained) / max(expected, 1e-12)

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


def sources(encoding: Encoding, objective: Objective, records: Sequence[Record]) -> list[Source]:
    """The objective's cheap sources: every (oracle, fidelity) with enough synthetic records of its property."""
    found: dict[str, list[Record]] = {}
    for record in records:
        estimate = record.estimates.get(objective.property)
        if record.kind == "synthetic" and estimate is not None and math.isfinite(estimate.mean):
            found.setdefault(source_name(record.oracle, record.fidelity), []).append(record)
    return [
        Source(encoding, name, objective.property, labelled)
        for name, labelled in found.items()
        if len(labelled) >= LEAST_LABELS
    ]


def judged(source: Source, alone: Surrogate, without: Surrogate, richer: Surrogate) -> Gate:
    """Whether a source pays: the gain in log density of the real records that all three surrogates were fitted to, each
    predicted by those before it, comes to log odds of PAYS (the Bayes factor, since these densities multiply to the
    marginal likelihood).

    That is honest because the source's labels owe nothing to the real records. Labels of a model trained on these would
    pass and mislead; where they echo what the surrogate `alone` says they are refused (`Source.echo`), but labels of an
    older or noisier model are not known from good ones: they are not to be given as synthetic records.
    """
    n = len(without.records)
    gains = richer.in_sequence()[:n] - without.in_sequence()[:n]
    gain, error = float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(n)
    refusal = ""
    if n * gain < PAYS:
        refusal = f"{n * gain:+.1f} in all where {PAYS:.1f} is asked"
    elif source.echo(alone) < ECHO:
        refusal = "its labels follow the surrogate of the real records more closely than the truth could"
    return told(source.name, without.objective.property, "feature", gain, error, not refusal, refusal)


def told(source: str, prop: str, form: str, gain: float, error: float, admitted: bool, but: str = "") -> Gate:
    """The gate with its sentence; `but` says why a gain was not enough."""
    what = {"feature": "a feature of learned weight", "rows": "rows of inflated variance"}[form]
    decided = f"it enters as {what}" if admitted else "it is left out"
    reason = f"gain {gain:+.2f} ± {error:.2f} nat per record{but and f', but {but}'}: {decided}"
    return Gate(source, prop, form, gain, error, admitted, reason)  # type: ignore[arg-type]
