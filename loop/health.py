"""What is wrong with a campaign that its results alone do not show, each with a cure. Pure functions of the store."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loop.campaign.model import AUTO
from loop.export import given_error
from loop.ledger import Gate, source_name
from loop.noise import Noise, noise
from loop.store import DecisionRow, ProposalRow, Reader
from loop.types import Objective, Record
from loop.wording import label, shown

if TYPE_CHECKING:
    from loop.campaign import Campaign

CHANCE = 0.01
"""Probability, under error bars that are right, below which the number of predictions that held is no accident."""

INTERVALS = ((68, 1.0, math.erf(1.0 / math.sqrt(2))), (95, 1.96, math.erf(1.96 / math.sqrt(2))))
"""Percent, half width in standard deviations and probability of the intervals that predictions are judged by."""

FILLED = 0.5
"""Share of a pool beyond which uniform draws make up for what the generator lacks; a tenth is the rule."""

CHOICE = 10
"""Candidates per design of a batch: of fewer an acquisition has little to choose."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: which check found it, in which round, what it is, and what may cure it."""

    check: Literal["noise", "calibration", "fallback", "pool", "space", "duplicates", "source", "plausible"]
    round: int
    message: str
    cure: str


def findings(campaign: Campaign, reader: Reader) -> list[Finding]:
    """All that is wrong as the campaign stands; empty before its first round."""
    decisions = reader.decisions()
    if not decisions:
        return []
    last, records, proposals = decisions[-1], reader.records(), reader.proposals()
    noises = [noise(records, objective) for objective in campaign.objectives]
    ledgers = reader.ledgers()
    free = {source_name(spec.name, spec.fidelity) for spec in campaign.sources if spec.labels == AUTO}
    return [
        *(drowned(n, last.round) for n in noises if n.wins),
        *calibration(proposals, records, campaign.objectives),
        *fallbacks(decisions, proposals),
        *pool(last, campaign.designs_per_round),
        *duplicates(proposals),
        *(unbelieved(ledgers[-1].gates, ledgers[-1].round, free) if ledgers else ()),
        *(unlike(ledgers[-1].gates, ledgers[-1].round) if ledgers else ()),
    ]


def drowned(noise: Noise, round: int) -> Finding:
    """An objective whose error bars are larger than the differences between designs."""
    name, unit = label(noise.objective.property), shown(noise.objective.unit)
    return Finding(
        "noise",
        round,
        f"Noise wins for {name}: the designs differ by less ({noise.spread:.2g} {unit}) than the error of a single "
        f"design ({noise.error:.2g} {unit}).",
        f"Do not rank designs by {name} yet; more replicates or longer runs help, more designs do not.",
    )


def calibration(
    proposals: Sequence[ProposalRow], records: Sequence[Record], objectives: Sequence[Objective]
) -> list[Finding]:
    """Properties whose predictions, made when a design was picked, do not hold as often as their error bars say.

    A prediction holds where the answer lies inside the interval of the surrogate's standard deviation and the answer's
    own error together; answers without an error are not judged.
    """
    found = []
    for objective in objectives:
        judged = surprises(proposals, records, objective)
        finding = _judged(label(objective.property), [z for _, z in judged], max((at for at, _ in judged), default=0))
        found += [finding] if finding else []
    return found


def surprises(
    proposals: Sequence[ProposalRow], records: Sequence[Record], objective: Objective
) -> list[tuple[int, float]]:
    """(round, (answer - prediction) / standard deviation) of every pick that was predicted and has its answer."""
    answers = {
        record.design: record.estimates[objective.property]
        for record in records
        if record.oracle == objective.oracle and record.kind != "synthetic" and objective.property in record.estimates
    }
    found = []
    for row in proposals:
        answer, promise = answers.get(row.pick.proposal.design), row.pick.predicted.get(objective.property)
        error = None if answer is None else given_error(answer)
        if answer is None or promise is None or not error:
            continue
        mean, sd = promise
        found.append((row.round, (answer.mean - mean) / math.hypot(sd, error)))
    return found


def _judged(name: str, z: Sequence[float], round: int) -> Finding | None:
    """Whether too few or too many predictions held, by one-sided binomial tests."""
    from scipy.special import bdtr, bdtrc

    n = len(z)
    held = [sum(abs(each) <= width for each in z) for _, width, _ in INTERVALS]
    told = " and ".join(f"{k} in their {p} % interval" for (p, _, _), k in zip(INTERVALS, held, strict=True))
    said = f"Of {n} predictions of {name} made before the answer, {told}"
    if any(bdtr(k, n, chance) < CHANCE for (_, _, chance), k in zip(INTERVALS, held, strict=True) if n):
        return Finding(
            "calibration",
            round,
            f"{said}: the error bars are too narrow.",
            "Take predictions of untried designs for optimistic; more `initial` designs or a larger `split` of the "
            "acquisition make a better model, and `audit` looks again at answers that nothing explains.",
        )
    if any(k and bdtrc(k - 1, n, chance) < CHANCE for (_, _, chance), k in zip(INTERVALS, held, strict=True)):
        return Finding(
            "calibration",
            round,
            f"{said}: the error bars are too wide.",
            "The search explores more than it needs to; where an oracle states its own errors, see whether they are "
            "too large.",
        )
    return None


def fallbacks(decisions: Sequence[DecisionRow], proposals: Sequence[ProposalRow]) -> list[Finding]:
    """Rounds that chose designs without the model that was asked for."""
    without = Counter(row.round for row in proposals if row.pick.role == "fallback")
    return [
        Finding(
            "fallback",
            decision.round,
            f"Round {decision.round} chose {without[decision.round]} of its designs without a model: "
            f"{'; '.join(decision.info.get('notes', ()))}.",
            "Look at the values it names; the next round tries again with what is known by then.",
        )
        for decision in decisions
        if without[decision.round]
    ]


def pool(decision: DecisionRow, batch: int) -> list[Finding]:
    """Whether the last round had little to choose from, or its generator little to offer."""
    counts, round = decision.info.get("pool", {}), decision.round
    total, uniform = sum(counts.values()), counts.get("uniform", 0)
    kind = decision.info.get("generator", "uniform")
    found = []
    if counts and round > 0 and total < CHOICE * batch:
        message = f"Round {round} had {total} new designs to choose from: the space is all but used up."
        found.append(Finding("space", round, message, "Widen the space or its constraints, or end the campaign."))
    elif kind != "uniform" and uniform > FILLED * total:
        message = (
            f"{uniform} of the {total} candidates of round {round} are uniform draws: the generator {kind} found too "
            "few new ones."
        )
        cure = f"See its remarks in the report; `generator: {{kind: uniform}}` does as well while {kind} has collapsed."
        found.append(Finding("pool", round, message, cure))
    return found


def duplicates(proposals: Sequence[ProposalRow]) -> list[Finding]:
    """Designs that were decided more than once."""
    rounds: dict[str, list[int]] = {}
    for row in proposals:
        rounds.setdefault(row.pick.proposal.design.id, []).append(row.round)
    again = {id: at for id, at in rounds.items() if len(at) > 1}
    if not again:
        return []
    what = "1 design was" if len(again) == 1 else f"{len(again)} designs were"
    message = f"{what} picked more than once: {', '.join(again)}."
    cure = "Nothing is run twice, but a place in a batch is lost: the acquisition should leave known designs out."
    return [Finding("duplicates", max(at[-1] for at in again.values()), message, cure)]


def unbelieved(gates: Sequence[Gate], round: int, free: Collection[str] = ()) -> list[Finding]:
    """Cheap sources that no property of the last judged round was better known by; those in `free` label only what
    pays."""
    refused: dict[str, list[Gate]] = {}
    for gate in gates:
        if gate.form == "prior":
            continue
        refused.setdefault(gate.source, []).append(gate)
    return [
        Finding(
            "source",
            round,
            f"The cheap source {source} is not believed: "
            f"{'; '.join(f'{label(gate.property)}, {gate.reason}' for gate in judged)}.",
            "Nothing is asked of it while that is so; where that lasts, the campaign does as well without it."
            if source in free
            else "Leave its `labels` out, or write `labels: auto`, which asks it nothing while it is refused.",
        )
        for source, judged in refused.items()
        if not any(gate.admitted for gate in judged)
    ]


def unlike(gates: Sequence[Gate], round: int) -> list[Finding]:
    """Plausible designs that the answers of the last judged round did not bear out."""
    return [
        Finding(
            "plausible",
            round,
            f"Of the designs held plausible: {gate.reason}.",
            "Nothing is lost, and every round judges anew; see whether they are the right ones, or leave them out.",
        )
        for gate in gates
        if gate.form == "prior" and not gate.admitted
    ]
