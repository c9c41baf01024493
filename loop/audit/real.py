"""Real records under doubt: which are worth a fresh replicate, and what the fresh replicate says of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from loop.ledger import Calibration, Residual, Verdict
from loop.records import combine
from loop.types import Design, Estimate, Record

SUSPECT_SHARE = 0.1
"""Of the records, those farthest from what the others predict. A rank and no limit on |z|: a corrupted record widens
the error bars by which it is judged, so that a test of |z| > 3 finds a third of what the rank finds."""

LEADING = 1.0
"""Standard deviations from the prediction beyond which the leading record is doubted: a campaign's answer rests on it,
and one record in three lies that far out by chance."""

IMPLAUSIBLE = 0.02
"""Share of the corpus below which values do not go with their design."""

AGREE = 2.0
"""Combined standard errors within which two values are one."""

ODDS = 2.0
"""Log odds, under what the other records predict, by which a fresh value must be the likelier to replace another."""

Evaluation = tuple[str, str, str]
"""Design id, oracle and fidelity of a record."""


def evaluation(record: Record) -> Evaluation:
    return record.design.id, record.oracle, record.fidelity


def records_of(residuals: Sequence[Residual]) -> list[Record]:
    """The records that the residuals are of, each once, in their order."""
    return list({evaluation(residual.record): residual.record for residual in residuals}.values())


def worst_of(residuals: Sequence[Residual]) -> dict[Evaluation, Residual]:
    """The residual of each record that lies farthest from what was predicted, the first of equals; records in their
    order."""
    worst: dict[Evaluation, Residual] = {}
    for residual in residuals:
        key = evaluation(residual.record)
        if key not in worst or abs(residual.z) > abs(worst[key].z):
            worst[key] = residual
    return worst


def flag(
    residuals: Sequence[Residual],
    implausible: Sequence[float],
    budget: int,
    *,
    settled: Collection[Evaluation] = (),
    leader: Design | None = None,
) -> list[Verdict]:
    """The records worth a fresh replicate, at most `budget`, most urgent first.

    They are the SUSPECT_SHARE of all records that lie farthest from what the others predict (each by its worst
    property), those whose design does not go with their values, and those of the `leader`, the design taken for the
    best, where they lie LEADING or farther out. The leader comes first, then those doubted for both other reasons, then
    the farther from the prediction. `implausible` follows `records_of(residuals)`, or is empty where no generator can
    tell; `settled` evaluations were audited before and are not doubted again.
    """
    worst = worst_of(residuals)
    if implausible and len(implausible) != len(worst):
        raise ValueError(f"{len(implausible)} shares for {len(worst)} records; they must follow records_of(residuals)")
    shares = dict(zip(worst, implausible, strict=True)) if implausible else dict.fromkeys(worst, 1.0)
    ranked = sorted(worst, key=lambda key: -abs(worst[key].z))
    far = set(ranked[: math.ceil(SUSPECT_SHARE * len(ranked))])
    odd = {key for key in worst if shares[key] < IMPLAUSIBLE}
    lead = {key for key in worst if leader and key[0] == leader.id and abs(worst[key].z) > LEADING}
    doubted = [key for key in ranked if key in far | odd | lead and key not in settled]
    doubted.sort(key=lambda key: (key in lead, (key in far) + (key in odd)), reverse=True)
    return [_flagged(worst[key], shares[key], key in far, key in odd, key in lead) for key in doubted[: max(budget, 0)]]


def _flagged(residual: Residual, share: float, far: bool, odd: bool, leads: bool) -> Verdict:
    doubts = []
    if leads:
        doubts.append("its design is taken for the best")
    if far or leads:
        doubts.append(
            f"{residual.property} is {residual.observed:.4g} where the other records predict "
            f"{residual.predicted:.4g} ± {residual.sd:.2g}, {abs(residual.z):.1f} standard deviations away"
        )
    if odd:
        doubts.append(f"only {share:.1%} of designs go less well with such values")
    evidence = {"z": residual.z, "observed": residual.observed, "predicted": residual.predicted, "sd": residual.sd}
    if share < 1:
        evidence["implausible"] = share
    return _verdict(residual.record, "flagged", "; ".join(doubts), evidence)


def resolve(
    flagged: Verdict,
    original: Sequence[Estimate],
    fresh: Sequence[Estimate],
    residual: Residual,
    *,
    scatter: float | None = None,
    numbers: Sequence[int] | None = None,
) -> Verdict:
    """What fresh replicates say of a flagged record, by the property of `residual` (as it was when flagged).

    - Both values within AGREE combined standard errors: `confirmed`, the record is news.
    - Else, if the other records' prediction makes the fresh value likelier than the original one by ODDS or more:
      `corrected`, the original replicates are superseded.
    - Else `unresolved`: both count, and their scatter widens the error.

    `scatter` is the pooled standard deviation between replicates of this oracle and fidelity (`loop.records.Pool.sd`):
    without it the errors within runs are taken for all there is. `numbers` are those of the original replicates, by
    default their positions.
    """
    before, after = _value(original, scatter), _value(fresh, scatter)
    apart, error = abs(before.mean - after.mean), math.hypot(before.se, after.se)
    distance = apart / error if error > 0 else math.inf if apart else 0.0
    z, fresh_z = ((value.mean - residual.predicted) / residual.sd for value in (before, after))
    odds = (z**2 - fresh_z**2) / 2
    evidence = {
        **flagged.evidence,
        "original": before.mean,
        "original_error": before.se,
        "fresh": after.mean,
        "fresh_error": after.se,
        "odds": odds,
    }
    replicates = "a fresh replicate gives" if len(fresh) == 1 else f"{len(fresh)} fresh replicates give"
    told = (
        f"{replicates} {residual.property} {after.mean:.4g} ± {after.se:.2g}, "
        f"the original {before.mean:.4g} ± {before.se:.2g}"
    )
    if distance <= AGREE:
        return _verdict(residual.record, "confirmed", f"{told}: they agree", evidence)
    predicted = f"the other records predict {residual.predicted:.4g} ± {residual.sd:.2g}"
    if odds >= ODDS:
        superseded = tuple(range(len(original)) if numbers is None else numbers)
        reason = f"{told}; {predicted}, so the original no longer counts"
        return _verdict(residual.record, "corrected", reason, evidence, superseded)
    return _verdict(
        residual.record, "unresolved", f"{told}; {predicted}, which does not decide, so both count", evidence
    )


def _value(estimates: Sequence[Estimate], scatter: float | None) -> Estimate:
    return combine([{"": estimate} for estimate in estimates], {"": scatter})[""]


def _verdict(
    record: Record,
    status: str,
    reason: str,
    evidence: dict[str, float],
    superseded: tuple[int, ...] = (),
) -> Verdict:
    return Verdict("real", *evaluation(record), status, reason, evidence, superseded)  # type: ignore[arg-type]


def calibration(residuals: Sequence[Residual]) -> Calibration:
    """How many of the left-out values lie within 1 and 1.96 standard deviations of what was predicted of them.

    Raises ValueError without residuals.
    """
    if not residuals:
        raise ValueError("no residuals to judge error bars by: no surrogate was fitted")
    n = len(residuals)
    within = [sum(abs(residual.z) <= limit for residual in residuals) / n for limit in (1.0, 1.96)]
    return Calibration(n, *within)
