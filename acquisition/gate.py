"""The honest gate: whether synthetic rows may stand beside real ones in a surrogate.

A label that a model made of the real records knows them all, and any test on these records praises it. So everything
that learns (generator, labeller, surrogate) is fitted anew inside every fold, on the real records of the fold alone,
and the rows must do better than as many jittered copies of real rows, which say nothing new.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from acquisition.cheap import Source, told
from acquisition.encoding import Encoding
from acquisition.noise import variances
from acquisition.process import Rows
from acquisition.surrogate import Surrogate
from loop.ledger import Gate
from loop.seeds import derive
from loop.types import Objective, Record

LEAST_REAL = 20
"""Fewer real records cannot tell a gain from luck."""
FOLDS = 5
WORST_FOLD = 0.5
"""Nats per record that no fold may lose."""
JITTER = 0.05
"""Standard deviation, in fractions of the range, of the numbers of a jittered row."""


class Labeller(Protocol):
    """Makes synthetic rows of a property."""

    @property
    def name(self) -> str: ...

    def rows(self, encoding: Encoding, objective: Objective, real: Sequence[Record]) -> Rows:
        """Rows made with these real records and no others: whatever learns from real records learns from these."""
        ...


@dataclass(frozen=True)
class Independent:
    """The labels of a cheap source, which owe nothing to the real records; these only say how the labels relate to the
    real property, and how far to believe them."""

    source: Source

    @property
    def name(self) -> str:
        return self.source.name

    def rows(self, encoding: Encoding, objective: Objective, real: Sequence[Record]) -> Rows:
        estimates = [record.estimates[objective.property] for record in real]
        designs = encoding.rows([record.design for record in real])
        values, variance = self.source.on_scale_of(designs, np.array([e.mean for e in estimates]))
        return Rows(self.source.rows, values, no_more_than(variance, variances(real, estimates)))


def no_more_than(synthetic: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The `synthetic` variances, raised together until the rows hold no more information, the sum of 1 / variance,
    than the `real` ones; exact real values hold infinitely much."""
    if (real <= 0).any():
        return synthetic
    return synthetic * max(1.0, float((1 / synthetic).sum() / (1 / real).sum()))


@dataclass(frozen=True)
class Trial:
    """Gains (n,) in log density of held-out real records, by rows and by as many jittered real rows, and the fold of
    each record."""

    gains: np.ndarray
    null: np.ndarray
    folds: np.ndarray

    @property
    def gain(self) -> float:
        return float(self.gains.mean())

    @property
    def error(self) -> float:
        return float(self.gains.std(ddof=1)) / math.sqrt(len(self.gains))

    def refusal(self) -> str:
        """Empty, or what is wrong with the rows."""
        worst = min(float(self.gains[self.folds == k].mean()) for k in range(FOLDS))
        if self.gain <= self.error:
            return "not more than its error"
        if self.gain <= float(self.null.mean()):
            return f"as many jittered real rows give {self.null.mean():+.2f}"
        if worst < -WORST_FOLD:
            return f"a fifth of the records loses {-worst:.2f}"
        return ""


def judge(encoding: Encoding, objective: Objective, real: Sequence[Record], labeller: Labeller, *, seed: int) -> Gate:
    """Whether rows enter: twice running, with the records there are now and with those before the last round, from
    LEAST_REAL records on. The synthetic records are those of now both times."""
    last = max((record.round for record in real), default=0)
    before = [record for record in real if record.round < last]
    name, prop = labeller.name, objective.property
    if len(real) < LEAST_REAL:
        reason = f"{len(real)} real records, {LEAST_REAL} are needed to judge rows by"
        return Gate(name, prop, "rows", 0.0, 0.0, False, reason)
    now = trial(encoding, objective, real, labeller, seed)
    refusal = now.refusal()
    if not refusal:
        refusal = "there were too few records to judge it by a round ago" if len(before) < LEAST_REAL else ""
    if not refusal:
        earlier = trial(encoding, objective, before, labeller, seed).refusal()
        refusal = f"it did not pass with the records of a round ago ({earlier})" if earlier else ""
    return told(name, prop, "rows", now.gain, now.error, not refusal, refusal)


def trial(encoding: Encoding, objective: Objective, real: Sequence[Record], labeller: Labeller, seed: int) -> Trial:
    """Every real record predicted by surrogates fitted without its fold: alone, with rows, with jittered rows."""
    rng = np.random.default_rng(derive(seed, "folds"))
    folds = rng.permutation(np.arange(len(real)) % FOLDS)
    gains, null = np.zeros(len(real)), np.zeros(len(real))
    for k in range(FOLDS):
        kept = [record for record, fold in zip(real, folds, strict=True) if fold != k]
        held = [record for record, fold in zip(real, folds, strict=True) if fold == k]
        rows = labeller.rows(encoding, objective, kept)
        alone = held_out(Surrogate(encoding, objective, kept), encoding, held)
        gains[folds == k] = held_out(Surrogate(encoding, objective, kept, rows=[rows]), encoding, held) - alone
        copies = jittered(encoding, objective, kept, rows, rng)
        null[folds == k] = held_out(Surrogate(encoding, objective, kept, rows=[copies]), encoding, held) - alone
    return Trial(gains, null, folds)


def jittered(
    encoding: Encoding, objective: Objective, real: Sequence[Record], rows: Rows, rng: np.random.Generator
) -> Rows:
    """As many rows with the same variances: real ones drawn again, their numbers moved a little."""
    drawn = [real[i] for i in rng.integers(len(real), size=len(rows.values))]
    designs = encoding.rows([record.design for record in drawn])
    numbers = designs[:, : encoding.n_numeric]
    designs[:, : encoding.n_numeric] = (numbers + JITTER * rng.normal(size=numbers.shape)).clip(0, 1)
    values = np.array([record.estimates[objective.property].mean for record in drawn])
    return Rows(designs, values, rows.variances)


def held_out(surrogate: Surrogate, encoding: Encoding, records: Sequence[Record]) -> np.ndarray:
    """(n,) log density of the values of records the surrogate never saw, in nats."""
    estimates = [record.estimates[surrogate.objective.property] for record in records]
    mean, sd = surrogate.predict(encoding.rows([record.design for record in records]))
    variance = sd**2 + variances(records, estimates) + surrogate.residual_variance
    off = np.array([e.mean for e in estimates]) - mean
    return np.asarray(-0.5 * (off**2 / variance + np.log(2 * math.pi * variance)))
