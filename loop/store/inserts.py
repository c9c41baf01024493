"""Rows that more than one part of the writer inserts. Run inside the store's transaction."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from loop.store.rows import Conflict, TaskRow
from loop.types import Design, Estimate, canonical_json


def task_id(design_id: str, oracle: str, fidelity: str, replicate: int) -> str:
    """The readable id of a task, safe as a file name: `3f2a91bc0d4e-screen-smoke-0`."""
    names = f"{oracle}-{fidelity}"
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", names)
    if safe != names:
        safe += "_" + hashlib.sha256(names.encode()).hexdigest()[:6]
    return f"{design_id}-{safe}-{replicate}"


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> int:
    """Insert one row; its rowid."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    cursor = db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))
    return int(cursor.lastrowid or 0)


def insert_design(db: sqlite3.Connection, design: Design) -> None:
    """Keep a design, unless it is known."""
    db.execute(
        'INSERT INTO designs (id, "values") VALUES (?, ?) ON CONFLICT DO NOTHING',
        (design.id, canonical_json(dict(design.values))),
    )


def insert_task(db: sqlite3.Connection, row: TaskRow) -> None:
    """Add a task. Conflict where its key exists, or its design is unknown."""
    task = row.task
    key = (task.design_id, task.oracle, task.fidelity, task.replicate)
    try:
        insert(
            db,
            "tasks",
            {
                "id": task.id,
                "design_id": task.design_id,
                "oracle": task.oracle,
                "fidelity": task.fidelity,
                "replicate": task.replicate,
                "seed": task.seed,
                "kind": row.kind,
                "round": row.round,
                "position": row.position,
                "told": int(row.told),
                "person": int(row.person),
                "state": row.state,
                "extension": row.extension,
            },
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(f"task {task.id} {key}: {error}") from error


def insert_value(
    db: sqlite3.Connection,
    task_id: str,
    name: str,
    estimate: Estimate,
    since: int,
    *,
    attempt_id: str | None = None,
    told_hash: str | None = None,
) -> None:
    """Add a current value of a property, valid from event `since` on."""
    insert(
        db,
        "observations",
        {
            "task_id": task_id,
            "property": name,
            "mean": estimate.mean,
            "se": estimate.se,
            "unit": estimate.unit,
            "n_eff": estimate.n_eff,
            "method": estimate.method,
            "attempt_id": attempt_id,
            "told_hash": told_hash,
            "since": since,
        },
    )


def insert_answer(db: sqlite3.Connection, attempt: sqlite3.Row, result: Mapping[str, Any], since: int) -> None:
    """Add the values and files of an attempt that answered."""
    for name, value in result["estimates"].items():
        insert_value(db, attempt["task_id"], name, Estimate(**value), since, attempt_id=attempt["id"])
    for file in result.get("artifacts", ()):
        insert(
            db,
            "artifacts",
            {"attempt_id": attempt["id"], "path": file["path"], "sha256": file["sha256"], "bytes": file["bytes"]},
        )
