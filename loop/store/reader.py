"""Reading a campaign's database: never takes the lock, never writes, sees the last commit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from loop.store.rows import Artifact, AttemptRow, ConfigVersion, DecisionRow, Event, ProposalRow, TaskRow
from loop.types import Check, Design, Failed, Failure, Observed, Record


class Reader:
    """The questions one may ask a campaign. `Store` answers them too.

    All lists are in canonical order: by round, the design's position in that round's decision, oracle, fidelity and
    replicate; unsolicited measurements come after the decided ones of their round, in sheet order. The order in
    which answers arrived never shows.
    """

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read `folder`/campaign.db, whether its writer is alive, gone or killed.

        Raises StorageError where there is no readable database, or a newer version of this program wrote it.
        """
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def records(self, oracle: str | None = None) -> list[Record]:
        """What is known, replicates combined by `loop.records.combine`."""
        raise NotImplementedError

    def failures(self, oracle: str | None = None) -> list[Failure]:
        """Evaluations that ended without a record, with the first teaching cause."""
        raise NotImplementedError

    def agreement(self, oracle: str | None = None) -> list[tuple[Record, Check]]:
        """Records of two or more replicates with a check per property that the replicas agree with each other."""
        raise NotImplementedError

    def designs(self) -> dict[str, Design]:
        """Every design ever decided or told, by id."""
        raise NotImplementedError

    def tasks(self, state: str | None = None) -> list[TaskRow]:
        raise NotImplementedError

    def attempts(self, task_id: str | None = None) -> list[AttemptRow]:
        raise NotImplementedError

    def live_attempts(self) -> list[AttemptRow]:
        """Attempts submitted and not yet ended."""
        raise NotImplementedError

    def observed(self, task_id: str) -> Observed | Failed | None:
        """The task's current answer with its checks, files (relative to the run folder) and provenance; the failure that
        ended it; or None while it is open."""
        raise NotImplementedError

    def artifacts(self, task_id: str) -> list[Artifact]:
        """Files left by the attempt that answered the task."""
        raise NotImplementedError

    def decisions(self) -> list[DecisionRow]:
        raise NotImplementedError

    def proposals(self, round: int | None = None) -> list[ProposalRow]:
        raise NotImplementedError

    def events(self, after: int = 0) -> list[Event]:
        """The log from seq `after`+1 on."""
        raise NotImplementedError

    def last_event(self) -> int:
        """The highest event seq: `data_seq` of a decision, and what a page tails."""
        raise NotImplementedError

    def config_versions(self) -> list[ConfigVersion]:
        raise NotImplementedError

    def counts(self) -> Mapping[str, int]:
        """Number of tasks per state: every state has its key."""
        raise NotImplementedError

    def current_round(self) -> int | None:
        """The last round decided; None before the first."""
        raise NotImplementedError

    def meta(self) -> Mapping[str, Any]:
        """`created_by` (program version), `created_at`, `campaign` (uuid)."""
        raise NotImplementedError
