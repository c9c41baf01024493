"""The attempt folder: who claimed it, whether it lives, what it answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal


def inspect(folder: Path) -> Literal["finished", "running", "dead"]:
    """Whether an attempt has a result, is being run (its shim lives and beats), or is neither (also: never claimed)."""
    raise NotImplementedError


def fence(folder: Path) -> None:
    """Forbid an attempt to start or publish, durably, and end its processes.

    A living shim sees the fence within a second, stops its child (SIGTERM, grace, SIGKILL) and returns status
    `fenced`. Where the shim is dead but its child is alive on this host, the child's group is killed here.
    Look for a result again afterwards: it may have been published just before.
    """
    raise NotImplementedError


def read_result(folder: Path) -> dict[str, Any] | None:
    """What the attempt answered; None where it has not."""
    raise NotImplementedError
