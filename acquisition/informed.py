"""A surrogate of the real records and of the cheap sources that pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from acquisition.cheap import LEAST_JUDGES, Source, judged, sources
from acquisition.encoding import Encoding
from acquisition.gate import Independent, judge
from acquisition.process import SETTLED, Rows
from acquisition.surrogate import Surrogate
from loop.ledger import Gate, Residual
from loop.types import Objective, Record


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


def informed(
    encoding: Encoding,
    objective: Objective,
    real: Sequence[Record],
    records: Sequence[Record],
    *,
    rows: bool = False,
    robust: bool = False,
    settled: int = SETTLED,
    seed: int = 0,
) -> Informed:
    """The surrogate of an objective from its `real` records and those cheap sources among all `records` that pay,
    judged one after another. With fewer than LEAST_JUDGES real records every source enters unjudged, as a feature.

    With `rows`, a source that pays as a feature is put before the honest gate too, with folds drawn by the seed, and
    enters as rows where it passes. `settled` and `robust` are those of `Process`. Raises SurrogateError where a fit
    fails.
    """
    offered = sources(encoding, objective, records)
    surrogate = partial(Surrogate, encoding, objective, real, settled=settled, robust=robust)
    if len(real) < LEAST_JUDGES:
        return Informed(surrogate(offered), offered=offered)
    best = alone = surrogate()
    features, added, gates = list[Source](), list[Rows](), list[Gate]()
    for source in offered:
        richer = surrogate([*features, source], added)
        gates.append(judged(source, alone, best, richer))
        if not gates[-1].admitted:
            continue
        labeller = Independent(source)
        if rows:
            gates.append(judge(encoding, objective, real, labeller, seed=seed))
        if gates[-1].admitted and gates[-1].form == "rows":
            del gates[-2]
            added.append(labeller.rows(encoding, objective, real))
            best = surrogate(features, added)
        else:
            features.append(source)
            best = richer
    return Informed(best, gates, offered, alone)
