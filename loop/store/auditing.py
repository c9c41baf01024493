"""What a round's ledger does to the database. Runs inside the store's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from loop.ledger import Ledger
from loop.store.database import now
from loop.store.inserts import insert
from loop.store.rows import Conflict
from loop.types import canonical_json


def judge(db: sqlite3.Connection, log: Callable[[str, Mapping[str, Any]], int], ledger: Ledger) -> None:
    """See `Store.judge`."""
    columns = {"round": ledger.round, "ledger": canonical_json(ledger.plain()), "at": now()}
    try:
        insert(db, "ledgers", columns)
    except sqlite3.IntegrityError as error:
        raise Conflict(f"round {ledger.round} is judged already, or not decided") from error
    superseded = []
    for verdict in ledger.verdicts:
        for replicate in verdict.superseded:
            key = (verdict.design_id, verdict.oracle, verdict.fidelity, replicate)
            changed = db.execute(
                "UPDATE tasks SET superseded = ? WHERE design_id = ? AND oracle = ? AND fidelity = ? AND replicate = ? "
                "AND state = 'done' AND superseded IS NULL",
                (ledger.round, *key),
            )
            if changed.rowcount != 1:
                raise Conflict(f"replicate {key} cannot be superseded: it has no answer, or was superseded before")
            superseded.append(key)
    log("judged", {"round": ledger.round, "superseded": superseded})
