"""The mutual audit of a round: which real records are tested again, and what the round's ledger says.

Both look at what is known once the round is complete, and are pure functions of that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from loop.audit import Evaluation, calibration, evaluation, flag, judge_synthetic, records_of, resolve, worst_of
from loop.engine.extend import asked, make_task
from loop.engine.fitting import Fit, Fitter
from loop.engine.history import history
from loop.ledger import Introspective, Ledger, Quality, Residual, Verdict
from loop.seeds import derive
from loop.store import ExtensionRow, Reader
from loop.types import Estimate, Observed, Task, goals

if TYPE_CHECKING:
    from loop.campaign import Campaign

STRONG = 2.5
"""Standard deviations from the prediction beyond which a record is flagged even where nothing may be run again: of
sound records one in a hundred and fifty was, of those shifted by three standard deviations half."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A flagged record, and the residual that its fresh replicate is judged by."""

    verdict: Verdict
    residual: Residual

    def plain(self) -> dict[str, Any]:
        r = self.residual
        doubt = {"property": r.property, "observed": r.observed, "predicted": r.predicted, "sd": r.sd, "z": r.z}
        return {"verdict": asdict(self.verdict), "residual": doubt}


class Auditor:
    """Audits the rounds of one campaign."""

    def __init__(self, campaign: Campaign, fitter: Fitter) -> None:
        self.campaign = campaign
        self.fitter = fitter

    def replicas(self, reader: Reader) -> tuple[list[Task], Mapping[str, Any]]:
        """A fresh replicate of each record under doubt in the last round, as far as the budget goes, with the
        evidence; nothing where the round was audited already."""
        number = last_round(reader)
        budget = replicates_left(self.campaign, reader)
        done = any(e.origin == "audit" and e.round == number for e in reader.extensions())
        if budget < 1 or done or judged(reader, number):
            return [], {}
        suspects = self._suspects(self._fit(reader, number), reader, budget)
        known = asked(reader)
        tasks = [
            make_task(self.campaign, v.design_id, self.campaign.oracles[v.oracle], max(known[key(v)]) + 1)
            for v in (suspect.verdict for suspect in suspects)
        ]
        return tasks, {"suspects": [suspect.plain() for suspect in suspects]}

    def ledger(self, reader: Reader) -> Ledger | None:
        """The account of the last round, once all its answers are in; None where it was given."""
        number = last_round(reader)
        if judged(reader, number):
            return None
        fit = self._fit(reader, number)
        quality = reader.decisions()[-1].info.get("quality")
        residuals = fit.witness.residuals() if fit.witness else ()
        return Ledger(
            round=number,
            quality=None if quality is None else Quality(**quality),
            gates=tuple(fit.witness.gates) if fit.witness else (),
            calibration=calibration(residuals) if residuals else None,
            verdicts=(*self._real(fit, reader, number), *synthetic(fit, reader)),
        )

    def _fit(self, reader: Reader, number: int) -> Fit:
        """The models on which the next round is decided."""
        return self.fitter.fit(number + 1, history(self.campaign, reader))

    def _suspects(self, fit: Fit, reader: Reader, budget: int) -> list[Suspect]:
        """The records most in doubt that a machine can answer again and that were never flagged before."""
        if fit.witness is None:
            return []
        before = {key(v) for ledger in reader.ledgers() for v in ledger.verdicts if v.subject == "real"}
        machine = {name for name, spec in self.campaign.oracles.items() if spec.isolation != "person"}
        residuals = fit.witness.residuals()
        out = {evaluation(r.record) for r in residuals if r.record.oracle not in machine}
        shares, worst = self._implausible(fit, residuals), worst_of(residuals)
        leader = next(iter(fit.incumbents()), None)
        flagged = flag(residuals, shares, budget, settled=before | out, leader=leader)
        return [Suspect(v, worst[key(v)]) for v in flagged]

    def _implausible(self, fit: Fit, residuals: Sequence[Residual]) -> list[float]:
        if not residuals or not isinstance(fit.generator, Introspective):
            return []
        seed = derive(self.campaign.seed, "implausible", len(fit.history.records))
        return fit.generator.implausible(records_of(residuals), goals(fit.objectives), seed=seed)

    def _real(self, fit: Fit, reader: Reader, number: int) -> list[Verdict]:
        """Those flagged in this round, and what their fresh replicates say; without a budget only the strongest."""
        if self.campaign.audit == 0:
            found = self._suspects(fit, reader, len(fit.history.records))
            return [suspect.verdict for suspect in found if abs(suspect.residual.z) > STRONG]
        audits = [e for e in reader.extensions() if e.origin == "audit" and e.round == number]
        return [verdict for audit in audits for verdict in outcomes(audit, reader)]


def last_round(reader: Reader) -> int:
    number = reader.current_round()
    assert number is not None, "nothing is decided yet"
    return number


def judged(reader: Reader, number: int) -> bool:
    return any(ledger.round == number for ledger in reader.ledgers())


def key(verdict: Verdict) -> Evaluation:
    return verdict.design_id, verdict.oracle, verdict.fidelity


def replicates_left(campaign: Campaign, reader: Reader) -> int:
    """How many more replicates the audit may run: its share of those decided at the deciding oracles, less those it
    has had."""
    audits = {e.id for e in reader.extensions() if e.origin == "audit"}
    rows = [row for row in reader.tasks() if row.task.oracle in campaign.deciding and not row.told]
    spent = sum(row.extension in audits for row in rows)
    return math.floor(campaign.audit * (len(rows) - spent) + 1e-9) - spent


def synthetic(fit: Fit, reader: Reader) -> list[Verdict]:
    """The synthetic records whose status is not what it was."""
    records = [record for record in fit.history.records if record.kind == "synthetic"]
    if not records:
        return []
    gates, doubts = (fit.witness.gates, fit.witness.doubts(records)) if fit.witness else ((), ())
    before: dict[Evaluation, str] = {
        key(v): v.status for ledger in reader.ledgers() for v in ledger.verdicts if v.subject == "synthetic"
    }
    verdicts = judge_synthetic(records, gates, doubts, fit.history.records)
    return [verdict for verdict in verdicts if before.get(key(verdict)) != verdict.status]


def outcomes(audit: ExtensionRow, reader: Reader) -> list[Verdict]:
    """For each suspect of an audit: that it was flagged, and what its fresh replicate says."""
    found = []
    records = {evaluation(record): record for record in reader.records()}
    for suspect in audit.info["suspects"]:
        verdict = Verdict(**{**suspect["verdict"], "superseded": tuple(suspect["verdict"]["superseded"])})
        found.append(verdict)
        if key(verdict) in records:
            residual = Residual(record=records[key(verdict)], **suspect["residual"])
            found.append(outcome(verdict, residual, audit, reader))
    return found


def outcome(verdict: Verdict, residual: Residual, audit: ExtensionRow, reader: Reader) -> Verdict:
    original: dict[int, Estimate] = {}
    fresh: list[Estimate] = []
    for row in reader.tasks():
        task = row.task
        if (task.design_id, task.oracle, task.fidelity) != key(verdict) or row.superseded is not None:
            continue
        answer = reader.observed(task.id)
        if not isinstance(answer, Observed) or residual.property not in answer.estimates:
            continue
        estimate = answer.estimates[residual.property]
        if row.extension == audit.id:
            fresh.append(estimate)
        else:
            original[task.replicate] = estimate
    if not fresh:
        reason = f"its fresh replicate gave no {residual.property}; what is known stands"
        return Verdict("real", *key(verdict), "unresolved", reason, verdict.evidence)
    scatter = reader.scatter(verdict.oracle).get(residual.property)
    return resolve(verdict, list(original.values()), fresh, residual, scatter=scatter, numbers=list(original))


def summary(ledger: Ledger) -> dict[str, int]:
    """Number of verdicts of each status, for the one line that a run prints."""
    return dict(Counter(verdict.status for verdict in ledger.verdicts))
