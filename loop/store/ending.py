"""What becomes of a task when an attempt at it ends. Pure: the history decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loop.store.rows import AttemptRow, AttemptState
from loop.types import Cause

LOST_LIMIT = 25
"""Losses (the driver was killed under the attempt) a task may suffer. They are nobody's fault, but a task whose memory
need kills the whole machine again and again must end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended. `progress`: its work folder had changed when its time ran out."""

    state: AttemptState
    cause: Cause | None = None
    reason: str = ""
    progress: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a task takes, with cause and reason where it failed."""

    state: Literal["done", "failed", "queued"]
    cause: Cause | None = None
    reason: str | None = None


def ending_of(result: Mapping[str, Any]) -> Ending:
    """The ending a result tells of. One that cannot be understood counts as a crash."""
    match result.get("status"):
        case "observed" if result.get("estimates"):
            return Ending("done")
        case "failed" if result.get("cause"):
            return Ending("failed", result["cause"], str(result.get("reason", "")))
        case "timeout":
            return Ending("timeout", "unconverged", str(result.get("reason", "")), bool(result.get("progress")))
        case "crashed":
            return Ending("crashed", "infrastructure", str(result.get("reason", "")))
        case other:
            return Ending("crashed", "infrastructure", f"unusable result with status {other!r}")


def past(row: AttemptRow) -> Ending:
    """The ending of an attempt in the store."""
    return Ending(row.state, row.cause, row.reason or "", bool(row.result and row.result.get("progress")))


def verdict(history: Sequence[Ending], *, attempts: int) -> Verdict:
    """The task's next state, given the endings of all its attempts, the newest last.

    - An answer is final, and so is a failure that says something about the design.
    - A timeout is continued once from its checkpoint if it got anywhere; else the task is `unconverged`.
    - Infrastructure failures are retried up to `attempts` in all; the same exception twice running is final, since a
      third time would be no different. A killed child (`crashed`) only counts.
    - A lost attempt is replaced, up to LOST_LIMIT.
    """
    last = history[-1]
    if last.state == "done":
        return Verdict("done")
    if last.state == "timeout":
        again = last.progress and sum(e.state == "timeout" for e in history) == 1
        return Verdict("queued") if again else Verdict("failed", "unconverged", last.reason)
    if last.state == "lost":
        if sum(e.state == "lost" for e in history) < LOST_LIMIT:
            return Verdict("queued")
        return Verdict("failed", "infrastructure", f"lost {LOST_LIMIT} times, the last time: {last.reason}")
    if last.cause != "infrastructure":
        return Verdict("failed", last.cause, last.reason)
    faults = [e for e in history if e.cause == "infrastructure" and e.state != "lost"]
    repeated = len(faults) > 1 and last.state == "failed" and faults[-2].reason == last.reason
    if repeated or len(faults) >= attempts:
        return Verdict("failed", "infrastructure", last.reason)
    return Verdict("queued")
