"""Measurements by hand: what a told row does to the database. Runs inside the store's transaction."""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from loop.errors import BadInput
from loop.store import parse
from loop.store.database import now
from loop.store.inserts import insert, insert_design, insert_task, insert_value, task_id
from loop.store.rows import Conflict, TaskRow, ToldRow
from loop.types import Estimate, Task, canonical_json

Told = Literal["stored", "corrected", "known"]
Log = Callable[[str, Mapping[str, Any]], int]


def tell(db: sqlite3.Connection, log: Log, sheet_id: str, rows: Sequence[ToldRow]) -> list[Told]:
    """See `Store.tell`."""
    answers: list[Told] = []
    problems = []
    for number, row in enumerate(rows, start=1):
        try:
            answers.append(_tell_one(db, log, sheet_id, row))
        except (Conflict, ValueError) as error:
            problems.append(f"row {number}: {error}")
    if problems:
        raise BadInput(*problems)
    return answers


def _tell_one(db: sqlite3.Connection, log: Log, sheet_id: str, row: ToldRow) -> Told:
    _check_values(row)
    content = _content(row)
    digest = hashlib.sha256(content.encode()).hexdigest()
    if db.execute("SELECT 1 FROM told_rows WHERE hash = ?", (digest,)).fetchone():
        return "known"
    target = _target(db, row)
    _check_units(db, target, row)
    line = {"hash": digest, "sheet_id": sheet_id, "task_id": target.task.id, "content": content, "at": now()}
    insert(db, "told_rows", line)
    seq = log("told", {"task": target.task.id, "sheet": sheet_id, "outcome": row.outcome, "row": digest})
    corrected = _observe(db, target.task.id, row, digest, seq)
    _settle(db, target.task.id, row)
    return "corrected" if corrected else "stored"


def _content(row: ToldRow) -> str:
    """The row as canonical JSON: equal rows, equal text."""
    content: dict[str, Any] = {
        "kind": row.kind,
        "task_id": row.task_id,
        "design_id": None if row.design is None else row.design.id,
        "oracle": row.oracle,
        "fidelity": row.fidelity,
        "replicate": row.replicate,
        "estimates": {name: asdict(estimate) for name, estimate in row.estimates.items()},
        "outcome": row.outcome,
        "cause": row.cause if row.outcome == "failed" else None,
        "reason": row.reason,
        "meta": dict(row.meta),
    }
    return canonical_json(content)


def _check_values(row: ToldRow) -> None:
    if row.outcome == "done" and not row.estimates:
        raise ValueError("no value is given; leave the row out, or mark it failed or skip")
    if row.outcome != "done" and row.estimates:
        raise ValueError(f"values are given, yet the row is marked {row.outcome}; clear one of the two")
    for name, estimate in row.estimates.items():
        if not math.isfinite(estimate.mean):
            raise ValueError(f"{name}: {estimate.mean} is not a number")
        if not (math.isfinite(estimate.se) and estimate.se >= 0):
            raise ValueError(f"{name}: the error {estimate.se} is not zero or more")


def _target(db: sqlite3.Connection, row: ToldRow) -> TaskRow:
    """The task the row answers, made where an unsolicited row meets none."""
    if row.task_id is not None:
        found = db.execute("SELECT * FROM tasks WHERE id = ?", (row.task_id,)).fetchone()
        if found is None:
            raise ValueError(f"there is no task {row.task_id!r} in this campaign")
    else:
        if row.design is None or row.oracle is None or row.fidelity is None:
            raise ValueError("neither a task id nor a design with its oracle and fidelity is given")
        key = (row.design.id, row.oracle, row.fidelity, row.replicate)
        found = db.execute(
            "SELECT * FROM tasks WHERE design_id = ? AND oracle = ? AND fidelity = ? AND replicate = ?", key
        ).fetchone()
        if found is None:
            insert_design(db, row.design)
            return _unsolicited(db, Task(task_id(*key), *key, seed=0), row)
    target = parse.task(found)
    if not target.person:
        raise ValueError(f"task {target.task.id} is answered by the oracle {target.task.oracle!r}, not by a person")
    if target.kind != row.kind:
        raise ValueError(f"task {target.task.id} is a {target.kind}, the row a {row.kind}")
    return target


def _unsolicited(db: sqlite3.Connection, task: Task, row: ToldRow) -> TaskRow:
    """A new task at the end of the current round."""
    others = db.execute(
        "SELECT kind FROM tasks WHERE design_id = ? AND oracle = ? AND fidelity = ? AND kind <> ?",
        (task.design_id, task.oracle, task.fidelity, row.kind),
    ).fetchone()
    if others is not None:
        raise ValueError(f"the other replicates of {task.id} are a {others['kind']}, the row a {row.kind}")
    place = db.execute(
        "WITH current AS (SELECT coalesce(max(round), 0) AS round FROM decisions) "
        "SELECT current.round, coalesce(max(position) + 1, 0) AS position "
        "FROM current LEFT JOIN tasks ON tasks.round = current.round AND told = 1"
    ).fetchone()
    target = TaskRow(task, row.kind, "waiting", place["round"], place["position"], told=True, person=True)
    insert_task(db, target)
    return target


def _check_units(db: sqlite3.Connection, target: TaskRow, row: ToldRow) -> None:
    for name, estimate in row.estimates.items():
        other = db.execute(
            "SELECT unit FROM observations JOIN tasks ON tasks.id = task_id "
            "WHERE oracle = ? AND property = ? AND unit <> ? LIMIT 1",
            (target.task.oracle, name, estimate.unit),
        ).fetchone()
        if other is not None:
            raise ValueError(f"{name}: the unit {estimate.unit!r} differs from {other['unit']!r} of earlier values")


def _observe(db: sqlite3.Connection, task_id: str, row: ToldRow, digest: str, seq: int) -> bool:
    """Make the row's values current. True where they replaced or withdrew others."""
    current = {
        found["property"]: found
        for found in db.execute("SELECT * FROM observations WHERE task_id = ? AND until IS NULL", (task_id,))
    }
    corrected = False
    for name, old in current.items():
        if row.outcome != "done" or (name in row.estimates and not _same(old, row.estimates[name])):
            db.execute("UPDATE observations SET until = ? WHERE id = ?", (seq, old["id"]))
            corrected = True
    for name, estimate in row.estimates.items():
        if name not in current or not _same(current[name], estimate):
            insert_value(db, task_id, name, _worded(estimate), seq, told_hash=digest)
    return corrected


def _same(old: sqlite3.Row, new: Estimate) -> bool:
    return parse.estimate(old) == _worded(new)


def _worded(estimate: Estimate) -> Estimate:
    if estimate.method:
        return estimate
    return replace(estimate, method="error given by hand" if estimate.se else "no error given")


def _settle(db: sqlite3.Connection, task_id: str, row: ToldRow) -> None:
    state, cause = {"done": ("done", None), "failed": ("failed", row.cause), "skip": ("cancelled", "cancelled")}[
        row.outcome
    ]
    reason = (row.reason or f"marked {row.outcome} by hand") if cause else None
    db.execute("UPDATE tasks SET state = ?, cause = ?, reason = ? WHERE id = ?", (state, cause, reason, task_id))
