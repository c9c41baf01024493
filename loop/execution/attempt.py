"""The attempt folder: who claimed it, whether it lives, what it answered.

spec.json     what to run                       claim       who runs it (made once, O_EXCL)
work/         the oracle's own files            child       the process it runs in
stdout, stderr                                  heartbeat   touched while it runs
result.json   the answer, published atomically  fenced      made by the driver: do not start, do not publish
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from loop.durable import age, create, read_json, write_json
from loop.identity import alive

LEASE = 120.0
"""Seconds without a heartbeat (at least three of them) after which an attempt on another host counts as dead."""

Status = Literal["finished", "running", "dead"]


def inspect(folder: Path) -> Status:
    """Whether an attempt has a result, is being run (its shim lives), or is neither (also: never claimed)."""
    if read_result(folder) is not None:
        return "finished"
    claim = read_json(folder / "claim")
    if not isinstance(claim, dict):
        return "dead"
    living = alive(claim)
    if living is None:
        living = _silence(folder) < max(LEASE, 3 * float(claim.get("heartbeat", 0)))
    return "running" if living else "dead"


def _silence(folder: Path) -> float:
    """Seconds since the last sign of life."""
    for name in ("heartbeat", "claim"):
        with suppress(FileNotFoundError):
            return age(folder / name)
    return float("inf")


def fence(folder: Path) -> None:
    """Forbid an attempt to start or publish, durably, and end its processes.

    A living shim sees the fence within a second, stops its child (SIGTERM, grace, SIGKILL) and returns status
    `fenced`. Where the shim is dead but its child is alive on this host, the child's group is killed here.
    Look for a result again afterwards: it may have been published just before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    create(folder / "fenced", "")
    claim, child = read_json(folder / "claim"), read_json(folder / "child")
    if isinstance(claim, dict) and isinstance(child, dict) and alive(claim) is False and alive(child):
        kill_group(child["pid"], signal.SIGKILL)


def is_fenced(folder: Path) -> bool:
    return (folder / "fenced").exists()


def kill_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to every process of a child's group (the child leads it)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def read_result(folder: Path) -> dict[str, Any] | None:
    """What the attempt answered; None where it has not."""
    result = read_json(folder / "result.json")
    return result if isinstance(result, dict) else None


def publish(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Make the answer durable, unless the attempt is fenced; what was published."""
    if is_fenced(folder):
        return {**result, "status": "fenced"}
    write_json(folder / "result.json", dict(result))
    return dict(result)


def prepare_work(folder: Path, resume_from: list[str]) -> Path:
    """The work folder, absolute: this attempt's own, else a copy of the newest earlier attempt's, else empty.

    The copy is complete or not there, so that an attempt cut short while copying is itself no bad origin.
    """
    work = folder.resolve() / "work"
    if work.is_dir():
        return work
    origins = [folder.parent / name / "work" for name in resume_from]
    origin = next((path for path in origins if path.is_dir()), None)
    if origin is None:
        work.mkdir()
        return work
    partial = work.with_name("work.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(origin, partial, symlinks=True)
    partial.rename(work)
    return work
