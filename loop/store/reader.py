"""Reading a campaign's database: never takes the lock, never writes, sees the last commit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from loop.ledger import Ledger, ledger_from
from loop.records import agreement
from loop.store import evaluations, parse
from loop.store.database import connect_reader, disk_errors
from loop.store.rows import (
    SYNTHETIC,
    Artifact,
    AttemptRow,
    ConfigVersion,
    DecisionRow,
    Event,
    ExtensionRow,
    ProposalRow,
    TaskRow,
    TaskState,
)
from loop.types import Check, Design, Estimate, Failed, Failure, Observed, Record

CANONICAL = "ORDER BY round, extension, told, position, oracle, fidelity, replicate"


class Reader:
    """The questions one may ask a campaign. `Store` answers them too.

    All lists are in canonical order: by round, the design's position in that round's decision, oracle, fidelity and
    replicate; unsolicited measurements come after the decided ones of their round, in sheet order, and after both the
    replicates added before the next round. The order in which answers arrived never shows.
    """

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read `folder`/campaign.db, whether its writer is alive, gone or killed.

        Raises StorageError where there is no readable database, or a newer version of this program wrote it.
        """
        return cls(connect_reader(folder), folder)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def records(self, oracle: str | None = None) -> list[Record]:
        """What is known, replicates combined by `loop.records.combine`."""
        designs = self.designs()
        ready = evaluations.with_pools(self._evaluations(oracle))
        return [evaluations.record(e, pool, designs[e.first.task.design_id]) for e, pool in ready]

    def agreement(self, oracle: str | None = None) -> list[tuple[Record, list[Check]]]:
        """Every record with a check per property that its replicates scatter no more than those of other records
        (none for a lone replicate, or where fewer than three other records have several)."""
        designs = self.designs()
        return [
            (evaluations.record(e, pool, designs[e.first.task.design_id]), agreement(e.replicates, pool))
            for e, pool in evaluations.with_pools(self._evaluations(oracle))
        ]

    def failures(self, oracle: str | None = None) -> list[Failure]:
        """Evaluations that ended without a record, each with the cause of its first replicate that says something
        about the design (else of its first)."""
        designs = self.designs()
        found = (e.failure(designs[e.first.task.design_id]) for e in self._evaluations(oracle))
        return [failure for failure in found if failure is not None]

    def designs(self) -> dict[str, Design]:
        """Every design ever decided or told, by id."""
        return {row["id"]: Design(json.loads(row["values"])) for row in self._rows("SELECT * FROM designs ORDER BY id")}

    def tasks(self, state: TaskState | None = None) -> list[TaskRow]:
        """All tasks, or those in one state."""
        wanted = "" if state is None else "WHERE state = ?"
        return [parse.task(row) for row in self._rows(f"SELECT * FROM tasks {wanted} {CANONICAL}", *_given(state))]

    def attempts(self, task_id: str | None = None) -> list[AttemptRow]:
        """All attempts, or those at one task, by task and number."""
        wanted = "" if task_id is None else "WHERE task_id = ?"
        rows = self._rows(f"SELECT * FROM attempts {wanted} ORDER BY task_id, n", *_given(task_id))
        return [parse.attempt(row, self.folder) for row in rows]

    def live_attempts(self) -> list[AttemptRow]:
        """Attempts submitted and not yet ended, in the order of submission."""
        rows = self._rows("SELECT * FROM attempts WHERE state = 'submitted' ORDER BY rowid")
        return [parse.attempt(row, self.folder) for row in rows]

    def observed(self, task_id: str) -> Observed | Failed | None:
        """The task's current answer with its checks, files (relative to the run folder) and provenance; the failure
        that ended it; or None while it is open. Told answers have attempt 0 and their sheet row as provenance."""
        found = self._rows("SELECT * FROM tasks WHERE id = ?", task_id)
        row = parse.task(found[0]) if found else None
        if row is None or row.state in evaluations.OPEN:
            return None
        attempts = self.attempts(task_id)
        last = attempts[-1] if attempts else None
        if row.state != "done":
            return parse.failed(row, last)
        told = self._rows("SELECT * FROM told_rows WHERE task_id = ? ORDER BY rowid DESC LIMIT 1", task_id)
        estimates = self._estimates("AND task_id = ?", task_id)[task_id]
        return parse.observed(row, estimates, last, told[0] if told else None)

    def artifacts(self, task_id: str) -> list[Artifact]:
        """Files left by the attempt that answered the task."""
        rows = self._rows(
            "SELECT artifacts.*, task_id FROM artifacts JOIN attempts ON attempts.id = attempt_id "
            "WHERE task_id = ? ORDER BY artifacts.rowid",
            task_id,
        )
        return [
            Artifact(r["task_id"], r["attempt_id"], f"attempts/{r['attempt_id']}/{r['path']}", r["sha256"], r["bytes"])
            for r in rows
        ]

    def decisions(self) -> list[DecisionRow]:
        """Every round decided."""
        rows = self._rows("SELECT * FROM decisions ORDER BY round")
        return [DecisionRow(r["round"], json.loads(r["info"]), r["at"]) for r in rows]

    def extensions(self) -> list[ExtensionRow]:
        """Every time replicates were added, oldest first."""
        tasks: dict[int, list[str]] = {}
        for row in self.tasks():
            if row.extension is not None:
                tasks.setdefault(row.extension, []).append(row.task.id)
        return [
            ExtensionRow(
                r["id"], r["round"], r["origin"], r["reason"], json.loads(r["info"]), tuple(tasks[r["id"]]), r["at"]
            )
            for r in self._rows("SELECT * FROM extensions ORDER BY id")
        ]

    def proposals(self, round: int | None = None) -> list[ProposalRow]:
        """The picks of all rounds, or of one."""
        return [row for row in self._proposals(round) if row.pick.role != SYNTHETIC]

    def synthetic(self, round: int | None = None) -> list[ProposalRow]:
        """The designs of all rounds, or of one, that were generated only to be labelled by cheap sources."""
        return [row for row in self._proposals(round) if row.pick.role == SYNTHETIC]

    def ledgers(self) -> list[Ledger]:
        """What every complete round learnt about its data, oldest first."""
        return [ledger_from(json.loads(r["ledger"])) for r in self._rows("SELECT * FROM ledgers ORDER BY round")]

    def scatter(self, oracle: str) -> dict[str, float | None]:
        """Property -> pooled standard deviation between replicates of an oracle's records (`loop.records.Pool.sd`)."""
        found: dict[str, float | None] = {}
        for _, pool in evaluations.with_pools(self._evaluations(oracle)):
            found |= {name: p.sd for name, p in pool.items()}
        return found

    def _proposals(self, round: int | None) -> list[ProposalRow]:
        wanted = "" if round is None else "WHERE round = ?"
        rows = self._rows(
            'SELECT proposals.*, designs."values" FROM proposals JOIN designs ON designs.id = design_id '
            f"{wanted} ORDER BY round, position",
            *_given(round),
        )
        return [ProposalRow(r["round"], r["position"], parse.pick(r)) for r in rows]

    def events(self, after: int = 0) -> list[Event]:
        """The log from seq `after` + 1 on."""
        rows = self._rows("SELECT * FROM events WHERE seq > ? ORDER BY seq", after)
        return [Event(r["seq"], r["at"], r["kind"], json.loads(r["payload"])) for r in rows]

    def last_event(self) -> int:
        """The highest event seq: `data_seq` of a decision, and what a page tails. 0 for none."""
        return int(self._rows("SELECT coalesce(max(seq), 0) AS last FROM events")[0]["last"])

    def config_versions(self) -> list[ConfigVersion]:
        """Every text the campaign file has had, oldest first."""
        rows = self._rows("SELECT * FROM config_versions ORDER BY seq")
        return [
            ConfigVersion(r["seq"], r["sha256"], r["text"], json.loads(r["guarded"]), r["reason"], r["at"])
            for r in rows
        ]

    def counts(self) -> dict[TaskState, int]:
        """Number of tasks per state: every state has its key."""
        rows = self._rows("SELECT state, count(*) AS n FROM tasks GROUP BY state")
        return dict.fromkeys(get_args(TaskState), 0) | {r["state"]: r["n"] for r in rows}

    def current_round(self) -> int | None:
        """The last round decided; None before the first."""
        last: int | None = self._rows("SELECT max(round) AS last FROM decisions")[0]["last"]
        return last

    def meta(self) -> Mapping[str, str]:
        """`created_by` (program version), `created_at`, `campaign` (uuid)."""
        return {r["key"]: r["value"] for r in self._rows("SELECT * FROM meta WHERE key <> 'writer' ORDER BY key")}

    def _evaluations(self, oracle: str | None) -> list[evaluations.Evaluation]:
        wanted = "" if oracle is None else "WHERE oracle = ?"
        with disk_errors(self.folder):
            self._db.execute("SAVEPOINT reading")
            try:
                rows = self._rows(f"SELECT * FROM tasks {wanted} {CANONICAL}", *_given(oracle))
                estimates = self._estimates()
            finally:
                self._db.execute("RELEASE reading")
        return evaluations.group((parse.task(row) for row in rows), estimates)

    def _estimates(self, wanted: str = "", *values: Any) -> dict[str, dict[str, Estimate]]:
        found: dict[str, dict[str, Estimate]] = {}
        query = f"SELECT * FROM observations WHERE until IS NULL {wanted} ORDER BY task_id, property"
        for row in self._rows(query, *values):
            found.setdefault(row["task_id"], {})[row["property"]] = parse.estimate(row)
        return found

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with disk_errors(self.folder):
            return self._db.execute(query, values).fetchall()


def _given(value: Any) -> Iterable[Any]:
    return () if value is None else (value,)
