"""The one writer of a campaign's database. Every method is one transaction: it happened, or it did not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from loop.store.reader import Reader
from loop.store.rows import Attempt, ToldRow
from loop.types import Kind, Pick, Task


def task_id(design_id: str, oracle: str, fidelity: str, replicate: int) -> str:
    """The readable id of a task, safe as a file name: `3f2a91bc0d4e-screen-smoke-0`."""
    raise NotImplementedError


class Store(Reader):
    """Writes runs/<name>/campaign.db, under a lock that a second writer cannot take.

    Methods raise Conflict where a key forbids the request, StorageError where the disk does (nothing is lost or half
    written: the transaction is rolled back), and Locked where another process has meanwhile taken the campaign over.
    """

    @classmethod
    def open(cls, folder: Path, *, network: bool | None = None) -> Self:
        """Take the writer lock of `folder`; the folder and its database are made where missing.

        `network` says whether the folder is on a network file system (None: find out). Raises Locked, naming the
        holder, and StorageError.
        """
        raise NotImplementedError

    def configure(self, text: str, guarded: Mapping[str, Any], *, reason: str = "") -> None:
        """Keep the campaign file's text, unless it is the one kept last. `guarded` is what the resume guard compares
        (`config_versions()[-1].guarded`); `reason` says why an amended one differs. The guard itself is the caller's."""
        raise NotImplementedError

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

        A task's design is among the picks or already known. `kinds` maps oracle name to the kind of its records;
        tasks of the oracles in `waiting` wait for a person, the others are queued. `info` is JSON: seed, acquisition,
        model digest, data_seq, counts, notes, config sha. Raises Conflict where the round was decided before or a task's
        (design, oracle, fidelity, replicate) exists.
        """
        raise NotImplementedError

    def intend(self, task_id: str, spec: Mapping[str, Any]) -> Attempt:
        """Begin an attempt at a queued task: write attempts/<task>.a<n>/spec.json, then commit the attempt; submit
        `run_attempt(str(attempt.folder))` only afterwards.

        `spec` says how to run (see `loop.execution`): `kind`, `options`, `folder`, `isolation`, `time_limit`, `grace`,
        `heartbeat`, `threads`. The store adds `attempt`, `n`, `token`, `task`, `design` and `resume_from` (folders of
        earlier attempts, newest first). Raises Conflict unless the task is queued.
        """
        raise NotImplementedError

    def ingest(self, attempt_id: str, result: Mapping[str, Any], *, attempts: int = 3) -> bool:
        """Take what `run_attempt` returned. False, with a `late` event and nothing else, where the attempt is not live.

        The task is then done, failed, or queued again (`loop.store.policy`): `attempts` limits the tries that
        ended in an infrastructure failure.
        """
        raise NotImplementedError

    def lose(self, attempt_id: str, reason: str) -> None:
        """Give up a live attempt whose process is gone or fenced; its task is queued again. Losses do not count as
        infrastructure failures: they say something about the driver (killed, interrupted), not about the task. After
        `policy.LOST_LIMIT` of them the task fails as `infrastructure`. A no-op where the attempt is not live."""
        raise NotImplementedError

    def cancel(self, task_id: str, reason: str) -> Attempt | None:
        """End a task for good. Returns its live attempt, if it had one: the caller fences that folder.
        A no-op where the task has ended."""
        raise NotImplementedError

    def tell(self, sheet_id: str, rows: Sequence[ToldRow]) -> list[Literal["stored", "corrected", "known"]]:
        """Take a sheet's rows in one transaction; one answer per row.

        `known`: the very same row (whatever its sheet) was told before, and nothing changes, not even where a later
        correction has replaced it. `stored`: the task has new values and is done (failed, cancelled for those
        outcomes); a row with one property makes the task done, later rows may add the others. `corrected`: a value
        differs from the current one, which is kept in the database but no longer current. Unsolicited rows make a task
        in the round current now (0 before the first decision), in sheet order.

        Raises BadInput with one line per impossible row (unknown task, a task that is not for a person, kind or unit
        that differs from the task's, nothing told), and then nothing is written.
        """
        raise NotImplementedError

    def event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        raise NotImplementedError
