"""Synthetic records under judgement: by their source's gate, by their own doubt, by real records of the design."""

from __future__ import annotations

import math
from collections.abc import Sequence

from loop.audit.real import evaluation, worst_of
from loop.ledger import Gate, Residual, SyntheticStatus, Verdict, source_name
from loop.types import Record

DOUBTFUL = 3.0
"""Standard deviations between a label and the real records' prediction beyond which the label is not believed."""

AGREE = 2.0
"""Standard deviations between a label and a real value of the same design within which the label held."""


def source_of(record: Record) -> str:
    return source_name(record.oracle, record.fidelity)


def judge_synthetic(
    records: Sequence[Record], gates: Sequence[Gate], doubts: Sequence[Residual], real: Sequence[Record]
) -> list[Verdict]:
    """One verdict for each of the synthetic `records`, in their order.

    - A real record of the design exists: `promoted` where the label, on the real scale, lies within AGREE standard
      deviations of it, `contradicted` where it does not. Without a doubt, which carries the label on that scale,
      there is nothing to compare, and the rules below hold.
    - Its label is more than DOUBTFUL standard deviations from what the real records predict: `rejected`, for an audit.
    - Its source was judged: `admitted` where a gate lets it in for a property at least, else `rejected`.
    - Its source was not judged yet: `labelled`.
    """
    worst = worst_of(doubts)
    measured: dict[str, list[Record]] = {}
    for record in real:
        if record.kind != "synthetic":
            measured.setdefault(record.design.id, []).append(record)
    return [
        _judged(record, [g for g in gates if g.source == source_of(record)], worst.get(evaluation(record)),
                measured.get(record.design.id, []))
        for record in records
    ]  # fmt: skip


def _judged(record: Record, gates: Sequence[Gate], doubt: Residual | None, real: Sequence[Record]) -> Verdict:
    if doubt is not None:
        for other in real:
            if doubt.property in other.estimates:
                return _compared(record, doubt, other)
        if abs(doubt.z) > DOUBTFUL:
            reason = f"{_told(doubt)}: the label is not believed before it is tested"
            return _verdict(record, "rejected", reason, _evidence(doubt))
    evidence = {} if doubt is None else _evidence(doubt)
    admitted = [gate for gate in gates if gate.admitted]
    if admitted:
        reason = "; ".join(f"{gate.property}: {gate.reason}" for gate in admitted)
        return _verdict(record, "admitted", reason, evidence)
    if gates:
        reason = "; ".join(f"{gate.property}: {gate.reason}" for gate in gates)
        return _verdict(record, "rejected", reason, evidence)
    return _verdict(record, "labelled", "too few real records yet to judge its source by", evidence)


def _compared(record: Record, doubt: Residual, other: Record) -> Verdict:
    """The label against a real value of the same design; the error is the label's, and the real value's own."""
    value = other.estimates[doubt.property]
    error = math.hypot(doubt.sd, value.se if math.isfinite(value.se) else 0.0)
    distance = abs(doubt.observed - value.mean) / error
    told = (
        f"its label promised {doubt.property} {doubt.observed:.4g} ± {doubt.sd:.2g}, "
        f"{other.oracle} ({other.fidelity}) found {value.mean:.4g} ± {value.se:.2g}"
    )
    evidence = {**_evidence(doubt), "real": value.mean, "real_error": value.se, "distance": distance}
    if distance <= AGREE:
        return _verdict(record, "promoted", f"{told}: the label held", evidence)
    return _verdict(record, "contradicted", f"{told}: the label did not hold", evidence)


def _told(doubt: Residual) -> str:
    return (
        f"its label stands for {doubt.property} {doubt.observed:.4g} where the real records predict "
        f"{doubt.predicted:.4g} ± {doubt.sd:.2g}, {abs(doubt.z):.1f} standard deviations away"
    )


def _evidence(doubt: Residual) -> dict[str, float]:
    return {"z": doubt.z, "label": doubt.observed, "predicted": doubt.predicted, "sd": doubt.sd}


def _verdict(record: Record, status: SyntheticStatus, reason: str, evidence: dict[str, float]) -> Verdict:
    return Verdict("synthetic", *evaluation(record), status, reason, evidence)
