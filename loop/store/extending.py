"""More replicates of evaluations that exist: what an extension does to the database. Runs inside the store's
transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loop.store.database import now
from loop.store.inserts import insert, insert_task
from loop.store.rows import Conflict, Origin, TaskRow
from loop.types import Task, canonical_json

Log = Callable[[str, Mapping[str, Any]], int]


def extend(
    db: sqlite3.Connection, log: Log, origin: Origin, tasks: Sequence[Task], *, reason: str, info: Mapping[str, Any]
) -> None:
    """See `Store.extend`."""
    if not tasks:
        raise Conflict("an extension needs at least one replicate")
    round = db.execute("SELECT max(round) AS last FROM decisions").fetchone()["last"]
    if round is None:
        raise Conflict("nothing is decided yet: there is no evaluation to extend")
    columns = {"round": round, "origin": origin, "reason": reason, "info": canonical_json(info), "at": now()}
    try:
        id = insert(db, "extensions", columns)
    except sqlite3.IntegrityError as error:
        raise Conflict(f"round {round} is extended already ({origin})") from error
    places: dict[tuple[str, str, str], int] = {}
    for task in tasks:
        key = (task.design_id, task.oracle, task.fidelity)
        first = _first(db, task)
        person = bool(first["person"])
        row = TaskRow(
            task=task,
            kind=first["kind"],
            state="waiting" if person else "queued",
            round=round,
            position=places.setdefault(key, len(places)),
            told=False,
            person=person,
            extension=id,
        )
        insert_task(db, row)
    log("extended", {"extension": id, "origin": origin, "reason": reason, "tasks": [task.id for task in tasks]})


def _first(db: sqlite3.Connection, task: Task) -> sqlite3.Row:
    """Any earlier replicate of the task's evaluation."""
    found: sqlite3.Row | None = db.execute(
        "SELECT kind, person FROM tasks WHERE design_id = ? AND oracle = ? AND fidelity = ? LIMIT 1",
        (task.design_id, task.oracle, task.fidelity),
    ).fetchone()
    if found is None:
        raise Conflict(f"task {task.id}: there is no evaluation to extend")
    return found
