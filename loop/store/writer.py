"""The one writer of a campaign's database. Every method is one transaction: it happened, or it did not."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from loop.durable import write_json
from loop.errors import Locked, LoopError
from loop.ledger import Ledger
from loop.store import auditing, extending, parse, telling
from loop.store.database import Snapshots, connect_writer, disk_errors, now, on_network, transaction
from loop.store.ending import Ending, ending_of, past, verdict
from loop.store.inserts import insert, insert_answer, insert_design, insert_task
from loop.store.lock import WriterLock
from loop.store.reader import Reader
from loop.store.rows import SYNTHETIC, Attempt, Conflict, Origin, TaskRow, ToldRow
from loop.types import Kind, Pick, Task, canonical_json


class Store(Reader):
    """Writes runs/<name>/campaign.db, under a lock that a second writer cannot take.

    Methods raise Conflict where a key forbids the request, StorageError where the disk does (nothing is lost or half
    written: the transaction is rolled back), and Locked where another process has meanwhile taken the campaign over.
    """

    def __init__(self, db: sqlite3.Connection, folder: Path, lock: WriterLock, snapshots: Snapshots | None) -> None:
        super().__init__(db, folder)
        self._lock = lock
        self._snapshots = snapshots

    @classmethod
    def open(cls, folder: Path, *, network: bool | None = None) -> Self:
        """Take the writer lock of `folder`; the folder and its database are made where missing.

        `network` says whether the folder is on a network file system (None: find out). Raises Locked, naming the
        holder, and StorageError.
        """
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(folder)
            try:
                network = on_network(folder) if network is None else network
                db = connect_writer(folder, network=network)
                store = cls(db, folder, lock, Snapshots(db, folder) if network else None)
                store._enter()
            except BaseException:
                lock.release()
                raise
        return store

    def close(self) -> None:
        """Give the campaign back: publish, close, unlock. Never raises."""
        with suppress(LoopError, OSError, sqlite3.Error):
            if self._snapshots is not None:
                self._snapshots.publish(force=True)
            else:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a reader may keep the -wal file, but empty
        super().close()
        self._lock.release()

    def configure(self, text: str, guarded: Mapping[str, Any], *, reason: str = "") -> None:
        """Keep the campaign file's text, unless it is the one kept last.

        `guarded` is what the resume guard compares (`config_versions()[-1].guarded`); `reason` says why an amended one
        differs. The guard itself is the caller's.
        """
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        with self._writing():
            last = self._db.execute("SELECT * FROM config_versions ORDER BY seq DESC LIMIT 1").fetchone()
            new = (sha256, canonical_json(guarded))
            if last is not None and (last["sha256"], last["guarded"]) == new:
                return
            self._insert(
                "config_versions",
                {"sha256": sha256, "text": text, "guarded": new[1], "reason": reason, "at": now()},
            )
            self._log("configured", {"sha256": sha256, "reason": reason})

    def decide(
        self,
        round: int,
        picks: Sequence[Pick],
        tasks: Sequence[Task],
        *,
        kinds: Mapping[str, Kind],
        waiting: Collection[str] = (),
        info: Mapping[str, Any],
    ) -> None:
        """Write a round: its proposals with full lineage, their designs and the tasks, all or nothing.

        Picks of the role SYNTHETIC were generated to be labelled. A task's design is among the picks or already known.
        `kinds` maps oracle name to the kind of its records; tasks of the oracles in `waiting` wait for a person, the
        others are queued. `info` is JSON: seed, acquisition, model digest, data_seq, counts, notes, config sha. A task
        that an unsolicited measurement has answered already is left out. Raises Conflict where the round was decided
        before or a task's (design, oracle, fidelity, replicate) was.
        """
        with self._writing():
            if self._db.execute("SELECT 1 FROM decisions WHERE round = ?", (round,)).fetchone():
                raise Conflict(f"round {round} is decided already")
            self._insert("decisions", {"round": round, "info": canonical_json(info), "at": now()})
            for position, pick in enumerate(picks):
                insert_design(self._db, pick.proposal.design)
                self._insert("proposals", {"round": round, "position": position, **parse.pick_columns(pick)})
            places = {pick.proposal.design.id: i for i, pick in reversed(list(enumerate(picks)))}
            asked = [task for task in tasks if not self._told(task)]
            for task in asked:
                position = places.setdefault(task.design_id, len(places) + len(picks))
                person = task.oracle in waiting
                row = TaskRow(
                    task, kinds[task.oracle], "waiting" if person else "queued", round, position, False, person
                )
                insert_task(self._db, row)
            designs = sum(pick.role != SYNTHETIC for pick in picks)
            self._log("decided", {"round": round, "designs": designs, "tasks": [task.id for task in asked]})

    def extend(
        self, origin: Origin, tasks: Sequence[Task], *, reason: str, info: Mapping[str, Any] | None = None
    ) -> None:
        """Add replicates to evaluations that exist: a decision of its own, after the last round.

        `origin` says who asks and `reason` why; `info` is JSON. The new tasks take their evaluation's kind, and wait
        for a person where it does. Its record is made of the old replicates until they have ended, then of all.
        Raises Conflict before the first round, where a task's evaluation does not exist or its (design, oracle,
        fidelity, replicate) does, and where `undecided` would extend one round twice.
        """
        with self._writing():
            extending.extend(self._db, self._log, origin, tasks, reason=reason, info=info or {})

    def judge(self, ledger: Ledger) -> None:
        """Keep the ledger of a round, once; replicates that its verdicts call superseded no longer count in records.

        Raises Conflict where the round is not decided or was judged before, or such a replicate has no answer.
        """
        with self._writing():
            auditing.judge(self._db, self._log, ledger)

    def intend(self, task_id: str, spec: Mapping[str, Any]) -> Attempt:
        """Begin an attempt at a queued task: write attempts/<task>.a<n>/spec.json, then commit the attempt; submit
        `run_attempt(str(attempt.folder))` only afterwards.

        `spec` says how to run (see `loop.execution`): `kind`, `options`, `folder`, `isolation`, `time_limit`, `grace`,
        `heartbeat`, `threads`. The store adds `attempt`, `n`, `token`, `task`, `design` and `resume_from` (names of
        the folders of earlier attempts, newest first). Raises Conflict unless the task is queued.
        """
        with self._writing():
            row = self._task(task_id)
            if row.state != "queued":
                raise Conflict(f"task {task_id} is {row.state}, not queued")
            earlier = [a.attempt.id for a in self.attempts(task_id)]
            n = len(earlier) + 1
            name = f"{task_id}.a{n}"
            attempt = Attempt(name, task_id, n, self.folder / "attempts" / name, secrets.token_hex(8))
            attempt.folder.mkdir(parents=True, exist_ok=True)
            own = {
                "attempt": name,
                "n": n,
                "token": attempt.token,
                "task": asdict(row.task),
                "design": dict(self._design(row.task.design_id)),
                "resume_from": earlier[::-1],
            }
            write_json(attempt.folder / "spec.json", {**spec, **own})
            self._insert(
                "attempts",
                {
                    "id": name,
                    "task_id": task_id,
                    "n": n,
                    "token": attempt.token,
                    "state": "submitted",
                    "host": socket.gethostname(),
                    "submitted_at": now(),
                },
            )
            self._db.execute("UPDATE tasks SET state = 'running' WHERE id = ?", (task_id,))
            self._log("intended", {"task": task_id, "attempt": name})
        return attempt

    def ingest(self, attempt_id: str, result: Mapping[str, Any], *, attempts: int = 3) -> bool:
        """Take what `run_attempt` returned. False, with a `late` event and nothing else, where the attempt is not
        live or the answer is not its own. A `fenced` attempt is lost.

        The task is then done, failed, or queued again (`loop.store.ending.verdict`): `attempts` limits the tries that
        ended in an infrastructure failure.
        """
        status = result.get("status")
        if status == "fenced":
            self.lose(attempt_id, "fenced")
            return False
        with self._writing():
            row = self._attempt(attempt_id)
            if row["state"] != "submitted" or status == "already-claimed" or result.get("token") != row["token"]:
                self._log("late", {"attempt": attempt_id, "status": status, "state": row["state"]})
                return False
            ending = ending_of(result)
            self._end_attempt(row, ending, json.dumps(dict(result), allow_nan=False))
            seq = self._settle_task(row["task_id"], attempt_id, attempts)
            if ending.state == "done":
                insert_answer(self._db, row, result, seq)
            return True

    def lose(self, attempt_id: str, reason: str) -> None:
        """Give up a live attempt whose process is gone or fenced; its task is queued again.

        Losses do not count as infrastructure failures: they say something about the driver (killed, interrupted),
        not about the task. After LOST_LIMIT of them the task fails as `infrastructure`. A no-op where the attempt is
        not live.
        """
        with self._writing():
            row = self._attempt(attempt_id)
            if row["state"] != "submitted":
                return
            self._end_attempt(row, Ending("lost", "infrastructure", reason), None)
            self._settle_task(row["task_id"], attempt_id, attempts=1)

    def cancel(self, task_id: str, reason: str) -> Attempt | None:
        """End a task for good. Returns its live attempt, if it had one: the caller fences that folder.
        A no-op where the task has ended."""
        with self._writing():
            if self._task(task_id).state in ("done", "failed", "cancelled"):
                return None
            live = [a.attempt for a in self.live_attempts() if a.attempt.task_id == task_id]
            for attempt in live:
                self._end_attempt(self._attempt(attempt.id), Ending("cancelled", "cancelled", reason), None)
            self._set_task(task_id, "cancelled", "cancelled", reason)
            self._log("cancelled", {"task": task_id, "reason": reason})
        return live[0] if live else None

    def tell(self, sheet_id: str, rows: Sequence[ToldRow]) -> list[telling.Told]:
        """Take a sheet's rows in one transaction; one answer per row.

        `known`: the very same row (whatever its sheet) was told before, and nothing changes, not even where a later
        correction has replaced it. `stored`: the task has new values and is done (failed, cancelled for those
        outcomes); a row with one property makes the task done, later rows may add the others. `corrected`: a value
        differs from the current one, which is kept in the database but no longer current. Unsolicited rows make a
        task in the round current now (0 before the first decision), in sheet order.

        Raises BadInput with one line per impossible row (unknown task, a task that is not for a person, kind or unit
        that differs from the task's, nothing told), and then nothing is written.
        """
        with self._writing():
            return telling.tell(self._db, self._log, sheet_id, rows)

    def event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        with self._writing():
            self._log(kind, payload)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction of the holder of the lock, published to readers."""
        with disk_errors(self.folder), transaction(self._db):
            holder = self._db.execute("SELECT value FROM meta WHERE key = 'writer'").fetchone()
            if holder is None or holder["value"] != self._lock.token:
                raise Locked(f"{self.folder}: another process has taken this campaign over; this one stops")
            yield
        if self._snapshots is not None:
            with suppress(OSError, sqlite3.Error):  # committed already; readers see it with the next one
                self._snapshots.publish()

    def _enter(self) -> None:
        """Become the writer: from now on a predecessor that wakes up cannot commit."""
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('writer', ?)", (self._lock.token,))
            if self._lock.replaced is not None:
                self._log("taken over", {"from": {k: v for k, v in self._lock.replaced.items() if k != "token"}})
        if self._snapshots is not None:
            self._snapshots.publish(force=True)

    def _log(self, kind: str, payload: Mapping[str, Any]) -> int:
        return self._insert("events", {"at": now(), "kind": kind, "payload": canonical_json(payload)})

    def _insert(self, table: str, values: Mapping[str, Any]) -> int:
        return insert(self._db, table, values)

    def _told(self, task: Task) -> bool:
        found = self._db.execute("SELECT 1 FROM tasks WHERE id = ? AND told = 1", (task.id,)).fetchone()
        return found is not None

    def _task(self, task_id: str) -> TaskRow:
        row = self._db.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        if row is None:
            raise Conflict(f"there is no task {task_id!r}")
        return parse.task(row)

    def _design(self, design_id: str) -> dict[str, Any]:
        row = self._db.execute('SELECT "values" FROM designs WHERE id = ?', (design_id,)).fetchone()
        found: dict[str, Any] = json.loads(row["values"])
        return found

    def _attempt(self, attempt_id: str) -> sqlite3.Row:
        row: sqlite3.Row | None = self._db.execute("SELECT * FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
        if row is None:
            raise Conflict(f"there is no attempt {attempt_id!r}")
        return row

    def _end_attempt(self, row: sqlite3.Row, ending: Ending, result: str | None) -> None:
        self._db.execute(
            "UPDATE attempts SET state = ?, cause = ?, reason = ?, result = ?, ended_at = ? WHERE id = ?",
            (ending.state, ending.cause, ending.reason, result, now(), row["id"]),
        )

    def _settle_task(self, task_id: str, attempt_id: str, attempts: int) -> int:
        """Move a task on from its attempts' endings; the number of the event that says so."""
        history = [past(a) for a in self.attempts(task_id)]
        next_ = verdict(history, attempts=attempts)
        self._set_task(task_id, next_.state, next_.cause, next_.reason)
        kind = "requeued" if next_.state == "queued" else next_.state
        last = history[-1]
        return self._log(
            kind,
            {"task": task_id, "attempt": attempt_id, "ending": last.state, "cause": last.cause, "reason": last.reason},
        )

    def _set_task(self, task_id: str, state: str, cause: str | None, reason: str | None) -> None:
        self._db.execute(
            "UPDATE tasks SET state = ?, cause = ?, reason = ? WHERE id = ?", (state, cause, reason, task_id)
        )
