"""How many designs a cheap source labels in a round: as many as the campaign file says, or as many as pay."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from loop.campaign.model import AUTO
from loop.ledger import Gate, source_name
from loop.types import Design, Objective, Record

if TYPE_CHECKING:
    from loop.campaign import Campaign, OracleSpec
    from loop.engine.history import History

UNSEEN, PRIOR_PAIRS = 0.5, 4.0
"""The part of a property's variance that a source is taken to explain before there are designs that have both, and how
many such designs that guess counts for."""

MOST_EXPLAINED = 0.99
"""No source is taken for more than this, however few the designs it was compared on."""

SMOOTHNESS = 2.5
"""Of what is learnt: that of a Matern 5/2 kernel."""

MOST_PER_EVALUATION = 25.0
"""Labels of one source, however cheap. With 25, 12 and 6 of a good one, regret after 26 designs was 1.04, 1.24 and 1.5
(six to ten problems of `benchmarks.sample_efficiency`)."""

MOST_LABELS = 1000
"""Of one source in a campaign: with so many a decision takes 8 CPU-seconds (nine fields, one objective; 2 without), and
that grows with their cube."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a source is asked in one round: to label `generated` designs, and the picks too where `picks` is true;
    `reason` says why where that was decided by what pays (empty: the campaign file says so)."""

    generated: int
    picks: bool
    reason: str = ""


def most_generated(labels: Mapping[str, Labelling]) -> int:
    """How many designs are to be drawn, the sources sharing the first of them."""
    return max((labelling.generated for labelling in labels.values()), default=0)


def reasons(labels: Mapping[str, Labelling]) -> list[str]:
    return [labelling.reason for labelling in labels.values() if labelling.reason]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a source is expected to tell and to take: the `part` of a property's variance that it explains, and the
    seconds of a `label` and of an `evaluation`, of functions of so many `fields`."""

    part: float
    label: float
    evaluation: float
    fields: int

    @property
    def ratio(self) -> float:
        """The best number of labels per evaluation, at most MOST_PER_EVALUATION."""
        best = labels_per_evaluation(self.part, self.evaluation, self.label, self.fields)
        return min(best, MOST_PER_EVALUATION)

    @property
    def left(self) -> float:
        """What is left of the variance for the same money, spent on evaluations and this source at the best ratio,
        in a unit that all sources of a campaign share; infinite where that ratio is one or less."""
        ratio, falls = self.ratio, rate(self.fields)
        if ratio <= 1:
            return math.inf
        return float((self.evaluation + ratio * self.label) ** falls * (self.part * ratio**-falls + 1 - self.part))

    @property
    def pays(self) -> bool:
        """Whether that is less than evaluations alone leave."""
        return bool(self.left < self.evaluation ** rate(self.fields))

    def __str__(self) -> str:
        return (
            f"it explains {self.part:.2f} of the variance, a label takes {self.label:.3g} s, "
            f"an evaluation {self.evaluation:.3g} s"
        )


def labellings(
    campaign: Campaign, history: History, gates: Sequence[Gate], designs: Sequence[Design], count: int
) -> dict[str, Labelling]:
    """Source -> what it is asked in a round of `count` picks. `designs` stand for those whose cost is asked of the
    oracles; `gates` say which sources are believed."""
    worths = {
        spec.name: _worth(campaign, spec, history, refused(spec, gates), designs)
        for spec in campaign.sources
        if spec.labels == AUTO and designs and believed(spec, gates)
    }
    asked = {}
    for spec in campaign.sources:
        if spec.labels != AUTO:
            asked[spec.name] = Labelling(spec.labels, True)
        elif not believed(spec, gates):
            asked[spec.name] = Labelling(0, False, f"{spec.name} is not believed, and is asked nothing")
        else:
            asked[spec.name] = _paying(campaign, spec, history, worths, count) if designs else Labelling(0, False)
    return asked


def refused(spec: OracleSpec, gates: Sequence[Gate]) -> set[str]:
    """The properties that a source is not believed for."""
    source = source_name(spec.name, spec.fidelity)
    return {gate.property for gate in gates if gate.source == source and not gate.admitted}


def believed(spec: OracleSpec, gates: Sequence[Gate]) -> bool:
    """Whether a source is believed for some property, or was not judged yet."""
    judged = [gate.admitted for gate in gates if gate.source == source_name(spec.name, spec.fidelity)]
    return not judged or any(judged)


def _worth(
    campaign: Campaign, spec: OracleSpec, history: History, refused: Collection[str], designs: Sequence[Design]
) -> Worth:
    part = fmean(
        0.0 if o.property in refused or o.property not in spec.oracle.properties else explained(history, spec, o)
        for o in campaign.objectives
    )
    return _priced(campaign, spec, part, designs)


def _priced(campaign: Campaign, spec: OracleSpec, part: float, designs: Sequence[Design]) -> Worth:
    evaluation = expected_cost([campaign.oracles[name] for name in campaign.deciding], designs)
    return Worth(part, expected_cost([spec], designs), evaluation, len(campaign.space.free))


def _paying(
    campaign: Campaign, spec: OracleSpec, history: History, worths: Mapping[str, Worth], count: int
) -> Labelling:
    """As many labels in all as leave the least uncertainty for what labels and evaluations cost together."""
    worth = worths[spec.name]
    if not worth.pays:
        return Labelling(0, False, f"{spec.name} does not pay: {worth}")
    best = best_fidelity(campaign, spec, worths)
    if best != spec.name:
        return Labelling(0, False, f"{spec.name} is asked nothing, {best} tells more for what it costs: {worth}")
    answered = {record.design for record in history.records if record.oracle in campaign.deciding}
    evaluated = len(answered.union(history.pending)) + count
    labelled = {record.design for record in history.records if record.oracle == spec.name}
    failed = {failure.design for failure in history.failures if failure.oracle == spec.name}
    generated = max(0, in_all(worth.ratio, evaluated) - len(labelled | failed) - count)
    return Labelling(generated, True, f"{spec.name} labels the picks and {generated} generated designs: {worth}")


def best_fidelity(campaign: Campaign, spec: OracleSpec, worths: Mapping[str, Worth]) -> str:
    """Of the cheaper fidelities of one oracle, `spec` among them, the one with `worths` that leaves the least variance
    for the money, the cheapest first: what one fidelity knows the others know too, so that only one is asked. A source
    of its own is its own best."""
    if spec.cheaper_than is None:
        return spec.name
    same = [other.name for other in campaign.sources if other.cheaper_than == spec.cheaper_than]
    return min((name for name in same if name in worths), key=lambda name: worths[name].left)


def expected_labels(campaign: Campaign, spec: OracleSpec, evaluated: int, designs: Sequence[Design]) -> int:
    """How many designs a source would label with so many evaluated in all, if all explained UNSEEN of the variance."""
    worths = {other.name: _priced(campaign, other, UNSEEN, designs) for other in campaign.sources}
    asked = worths[spec.name].pays and best_fidelity(campaign, spec, worths) == spec.name
    return in_all(worths[spec.name].ratio, evaluated) if asked else 0


def in_all(ratio: float, evaluated: int) -> int:
    """The labels of so many evaluations, which are labelled themselves."""
    return max(evaluated, math.ceil(min(ratio * evaluated, MOST_LABELS)))


def labels_per_evaluation(part: float, evaluation: float, label: float, fields: int) -> float:
    """(part * evaluation / ((1 - part) * label)) ^ (1 / (1 + rate)), for a source that explains this part of a
    property's variance and the costs of an evaluation and of a label.

    With m labels and n evaluations, about part * m^-rate + (1 - part) * n^-rate is left of the variance of a function
    of so many fields (the optimal rate of Stone, Ann. Statist. 10 (1982) 1040, for the smoothness that the surrogate
    takes it to have). This m / n makes it least for the money: the last second spent on labels brings as much as the
    last one spent on evaluations. With no fields but a mean to learn, it is
    the rule of Peherstorfer, Willcox & Gunzburger, SIAM J. Sci. Comput. 38 (2016) A3163.
    """
    if part <= 0 or evaluation <= 0:
        return 0.0
    if label <= 0:
        return math.inf
    return float((part * evaluation / ((1 - part) * label)) ** (1 / (1 + rate(fields))))


def rate(fields: int) -> float:
    """How fast the variance left of a function of so many fields falls with the number of its values."""
    return 2 * SMOOTHNESS / (2 * SMOOTHNESS + fields)


def explained(history: History, spec: OracleSpec, objective: Objective) -> float:
    """The part of the variance of the objective's records that the source's labels of the same designs explain by a
    straight line, corrected for its two parameters, and shrunk towards UNSEEN."""
    name = objective.property
    real = values(history.records, objective.oracle, name)
    labels = values(history.records, spec.name, name)
    pairs = np.array([(real[design], labels[design]) for design in real if design in labels])
    degrees = len(pairs) - 2
    if degrees < 1 or not (np.ptp(pairs, axis=0) > 0).all():
        return UNSEEN
    left = (1 - float(np.corrcoef(pairs.T)[0, 1]) ** 2) * (degrees + 1) / degrees
    seen = max(0.0, 1 - left)
    return min(MOST_EXPLAINED, (PRIOR_PAIRS * UNSEEN + len(pairs) * seen) / (PRIOR_PAIRS + len(pairs)))


def values(records: Sequence[Record], oracle: str, name: str) -> Mapping[Design, float]:
    """Design -> the finite value of a property by an oracle."""
    return {
        record.design: record.estimates[name].mean
        for record in records
        if record.oracle == oracle and name in record.estimates and math.isfinite(record.estimates[name].mean)
    }


def expected_cost(specs: Sequence[OracleSpec], designs: Sequence[Design]) -> float:
    """Mean expected seconds of all replicates at these oracles together."""
    return sum(
        spec.replicates * fmean(float(spec.oracle.cost(design, spec.fidelity)) for design in designs) for spec in specs
    )
