"""Rows told while `loop run` holds the campaign: judged files that the running loop takes in, so that one writer
stays one."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loop.campaign import Campaign
from loop.durable import disk_errors, write_json
from loop.errors import BadInput
from loop.store import Store, ToldRow
from loop.types import Design, Estimate


def drop(campaign: Campaign, sheet_id: str, rows: Sequence[ToldRow]) -> Path:
    """Leave the rows for the running loop; the file is complete or absent. Raises StorageError."""
    folder = campaign.run_folder / "inbox"
    path = folder / f"{time.time_ns():020d}-{sheet_id[:12]}.json"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, {"sheet_id": sheet_id, "rows": [plain(row) for row in rows]})
    return path


def drain_inbox(store: Store, campaign: Campaign) -> int:
    """Tell the store everything in the inbox, oldest first, and return the number of rows that were new.

    A file is deleted once its rows are committed; told twice after a crash, its rows are known. One that the store
    refuses goes to `inbox/refused` with an event that says why.
    """
    new = 0
    for path in sorted((campaign.run_folder / "inbox").glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            answers = store.tell(content["sheet_id"], [told_row(row) for row in content["rows"]])
        except (BadInput, ValueError, KeyError, TypeError) as error:
            refuse(store, path, error)
            continue
        new += sum(answer != "known" for answer in answers)
        path.unlink()
    return new


def refuse(store: Store, path: Path, error: Exception) -> None:
    folder = path.parent / "refused"
    folder.mkdir(exist_ok=True)
    path.replace(folder / path.name)
    store.event("sheet_refused", {"file": f"inbox/refused/{path.name}", "reason": str(error)})


def plain(row: ToldRow) -> dict[str, Any]:
    return {
        **{key: getattr(row, key) for key in ("kind", "task_id", "oracle", "fidelity", "replicate", "outcome")},
        "cause": row.cause,
        "reason": row.reason,
        "meta": dict(row.meta),
        "design": None if row.design is None else dict(row.design.values),
        "estimates": {name: asdict(estimate) for name, estimate in row.estimates.items()},
    }


def told_row(content: dict[str, Any]) -> ToldRow:
    """What `plain` wrote. Raises TypeError where it is something else."""
    values = content["design"]
    estimates = {name: Estimate(**estimate) for name, estimate in content["estimates"].items()}
    return ToldRow(**{**content, "design": None if values is None else Design(values), "estimates": estimates})
