"""What the store hands out and takes in, one frozen class per table row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from loop.errors import LoopError
from loop.types import Cause, Design, Estimate, Kind, Pick, Task

TaskState = Literal["queued", "running", "waiting", "done", "failed", "cancelled"]
AttemptState = Literal["submitted", "done", "failed", "timeout", "crashed", "lost", "cancelled"]
Origin = Literal["amended", "undecided", "audit"]
"""Why replicates were added: the campaign file asks for more, the rule found the ranking undecided, or the audit doubts
the record."""

SYNTHETIC = "synthetic"
"""Role of a design that was generated only to be labelled by cheap sources."""


class Conflict(LoopError):
    """The store was asked for something its keys forbid, such as deciding one round twice."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task and where it stands. `position` orders the designs of a round; `told` marks an unsolicited measurement,
    `person` a task that a person answers; `cause` and `reason` say why it failed or was cancelled; `extension` is the
    one that added it (None: it belongs to its evaluation from the start); `superseded` is the round whose ledger found
    that it does not count (None: it does)."""

    task: Task
    kind: Kind
    state: TaskState
    round: int
    position: int
    told: bool
    person: bool
    cause: Cause | None = None
    reason: str | None = None
    extension: int | None = None
    superseded: int | None = None


@dataclass(frozen=True, slots=True)
class ExtensionRow:
    """Replicates added to evaluations that existed, after `round` was decided: why, and the ids of their tasks."""

    id: int
    round: int
    origin: Origin
    reason: str
    info: Mapping[str, Any]
    tasks: tuple[str, ...]
    at: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a task. `folder` is absolute; `token` is what a worker must find in its spec to be ours."""

    id: str
    task_id: str
    n: int
    folder: Path
    token: str


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt and how it ended. Times are ISO 8601 UTC; `result` is the content of its result.json, if any."""

    attempt: Attempt
    state: AttemptState
    host: str
    submitted_at: str
    ended_at: str | None
    cause: Cause | None
    reason: str | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One round as it was decided; `info` is what the engine gave `Store.decide`."""

    round: int
    info: Mapping[str, Any]
    at: str


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal that was picked, or generated to be labelled, with its lineage and its place in the round."""

    round: int
    position: int
    pick: Pick


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log."""

    seq: int
    at: str
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A campaign file as it once was. `guarded` is the part a resumed campaign may not change."""

    seq: int
    sha256: str
    text: str
    guarded: Mapping[str, Any]
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file an attempt left. `path` is relative to the campaign's run folder."""

    task_id: str
    attempt_id: str
    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One line of a sheet: what a person says about one replicate.

    Name the question by `task_id` (its replicate is the task's) or, unsolicited, by `design`, `oracle`, `fidelity` and
    `replicate`; an unsolicited row that meets an existing task of that key answers it. `estimates` may hold some of the
    oracle's properties only, in the oracle's units (`se` 0.0: no error was given). `outcome` is `done` (needs at least
    one estimate), `failed` (could not be made or measured; `cause` says of which sort, `reason` why) or `skip` (the
    task is cancelled). `meta` keeps operator, date and notes as text.
    """

    kind: Kind
    task_id: str | None = None
    design: Design | None = None
    oracle: str | None = None
    fidelity: str | None = None
    replicate: int = 0
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    outcome: Literal["done", "failed", "skip"] = "done"
    cause: Cause = "infeasible"
    reason: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
