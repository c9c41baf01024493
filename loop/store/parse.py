"""Database rows to the values of the contract, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loop.store.rows import Attempt, AttemptRow, TaskRow
from loop.types import Check, Design, Estimate, Failed, Observed, Pick, Proposal, Task, canonical_json


def task(row: sqlite3.Row) -> TaskRow:
    return TaskRow(
        task=Task(row["id"], row["design_id"], row["oracle"], row["fidelity"], row["replicate"], row["seed"]),
        kind=row["kind"],
        state=row["state"],
        round=row["round"],
        position=row["position"],
        told=bool(row["told"]),
        person=bool(row["person"]),
        cause=row["cause"],
        reason=row["reason"],
        extension=row["extension"],
        superseded=row["superseded"],
    )


def attempt(row: sqlite3.Row, folder: Path) -> AttemptRow:
    return AttemptRow(
        attempt=Attempt(row["id"], row["task_id"], row["n"], folder / "attempts" / row["id"], row["token"]),
        state=row["state"],
        host=row["host"],
        submitted_at=row["submitted_at"],
        ended_at=row["ended_at"],
        cause=row["cause"],
        reason=row["reason"],
        result=None if row["result"] is None else json.loads(row["result"]),
    )


def estimate(row: sqlite3.Row | Mapping[str, Any]) -> Estimate:
    return Estimate(row["mean"], row["se"], row["unit"], row["n_eff"], row["method"])


def checks(found: Sequence[Mapping[str, Any]]) -> tuple[Check, ...]:
    return tuple(Check(**check) for check in found)


def observed(
    row: TaskRow, estimates: Mapping[str, Estimate], last: AttemptRow | None, told: sqlite3.Row | None
) -> Observed:
    if last is None or last.result is None:
        provenance = (
            {} if told is None else {"sheet": told["sheet_id"], "at": told["at"], **json.loads(told["content"])}
        )
        return Observed(row.task.id, 0, estimates, provenance=provenance)
    return Observed(
        row.task.id,
        last.attempt.n,
        estimates,
        checks(last.result.get("checks", ())),
        tuple(_in_run_folder(last, file["path"]) for file in last.result.get("artifacts", ())),
        {**last.result.get("provenance", {}), "host": last.result.get("host"), "seconds": last.result.get("seconds")},
    )


def failed(row: TaskRow, last: AttemptRow | None) -> Failed:
    result = (last.result if last is not None else None) or {}
    return Failed(
        row.task.id,
        last.attempt.n if last is not None else 0,
        row.cause or "infrastructure",
        row.reason or "",
        tuple(_in_run_folder(last, path) for path in result.get("evidence", ())) if last is not None else (),
        checks(result.get("checks", ())),
    )


def _in_run_folder(attempt: AttemptRow, path: str) -> str:
    return f"attempts/{attempt.attempt.id}/{path}"


def pick(row: sqlite3.Row) -> Pick:
    latent = row["latent"]
    proposal = Proposal(
        design=Design(json.loads(row["values"])),
        generator=row["generator"],
        model_digest=row["model_digest"],
        latent=None if latent is None else tuple(json.loads(latent)),
        parents=tuple(json.loads(row["parents"])),
        log_density=row["log_density"],
        checks=checks(json.loads(row["checks"])),
    )
    predicted = {name: (mean, sd) for name, (mean, sd) in json.loads(row["predicted"]).items()}
    return Pick(proposal, row["role"], row["value"], predicted)


def pick_columns(pick: Pick) -> dict[str, Any]:
    """The columns of `proposals` that a pick fills."""
    proposal = pick.proposal
    return {
        "design_id": proposal.design.id,
        "generator": proposal.generator,
        "model_digest": proposal.model_digest,
        "latent": None if proposal.latent is None else canonical_json(proposal.latent),
        "parents": canonical_json(proposal.parents),
        "log_density": proposal.log_density,
        "checks": canonical_json([asdict(check) for check in proposal.checks]),
        "role": pick.role,
        "value": pick.value,
        "predicted": canonical_json(dict(pick.predicted)),
    }
