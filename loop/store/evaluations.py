"""Tasks, grouped into evaluations: which of them are records, which are failures, which are still open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from loop.records import Pool, blame, combine, complete, pools
from loop.store.rows import TaskRow
from loop.types import TEACHING_CAUSES, Design, Estimate, Failure, Record

OPEN = ("queued", "running", "waiting")


@dataclass(slots=True)
class Evaluation:
    """All replicates of one design under one oracle and fidelity, in canonical order.

    Replicates added by an extension hold nothing back: until they have ended they do not count, and one that ended
    without a word about the design (`infrastructure`, `cancelled`) never does. Nor do superseded ones.
    """

    rows: list[TaskRow] = field(default_factory=list)
    replicates: list[Mapping[str, Estimate]] = field(default_factory=list)

    @property
    def first(self) -> TaskRow:
        return self.rows[0]

    @property
    def measured(self) -> bool:
        return self.first.kind == "measurement"

    @property
    def scope(self) -> tuple[str, str]:
        return self.first.task.oracle, self.first.task.fidelity

    @property
    def pending(self) -> int:
        return sum(row.state in OPEN and row.extension is None for row in self.rows)

    @property
    def is_record(self) -> bool:
        planned = sum(
            row.superseded is None and (row.extension is None or row.state == "done" or row.cause in TEACHING_CAUSES)
            for row in self.rows
        )
        return complete(len(self.replicates), planned, self.pending, measured=self.measured)

    def failure(self, design: Design) -> Failure | None:
        """Why there will be no record; None where there is one, or may yet be."""
        if self.is_record or self.pending:
            return None
        cause, reason = blame([(row.cause or "infrastructure", row.reason or "") for row in self.rows if row.cause])
        return Failure(design, *self.scope, cause, reason, self.first.round)


def group(rows: Iterable[TaskRow], estimates: Mapping[str, Mapping[str, Estimate]]) -> list[Evaluation]:
    """Evaluations in the order of their first task. `estimates` maps the id of a task that is done to its values."""
    found: dict[tuple[str, str, str], Evaluation] = {}
    for row in rows:
        task = row.task
        evaluation = found.setdefault((task.design_id, task.oracle, task.fidelity), Evaluation())
        evaluation.rows.append(row)
        if row.state == "done" and row.superseded is None:
            evaluation.replicates.append(estimates[task.id])
    return list(found.values())


def with_pools(evaluations: Iterable[Evaluation]) -> Iterator[tuple[Evaluation, dict[str, Pool]]]:
    """Those that are records, each with the scatter of all records of its oracle and fidelity."""
    ready = [e for e in evaluations if e.is_record]
    scopes = dict.fromkeys(e.scope for e in ready)
    pooled = {scope: pools(e.replicates for e in ready if e.scope == scope) for scope in scopes}
    return ((e, pooled[e.scope]) for e in ready)


def record(evaluation: Evaluation, pool: Mapping[str, Pool], design: Design) -> Record:
    """The record an evaluation has become."""
    first = evaluation.first
    sds = {name: p.sd for name, p in pool.items()}
    return Record(
        design=design,
        oracle=first.task.oracle,
        fidelity=first.task.fidelity,
        kind=first.kind,
        estimates=combine(evaluation.replicates, sds, measured=evaluation.measured),
        replicates=len(evaluation.replicates),
        round=first.round,
    )
