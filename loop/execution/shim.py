"""The shim under every executor: claims the attempt, starts its child, beats, limits, cancels, publishes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loop.durable import create, disk_errors, read_json
from loop.execution.attempt import is_fenced, kill_group, prepare_work, publish, read_result
from loop.execution.devices import environment
from loop.identity import identity

POLL = 0.05
"""Seconds between looks at the child."""

LOOK = 0.25
"""Seconds between looks for a fence: on a network file system each costs a round trip."""

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS")


def run_attempt(folder: str, device: str | None = None) -> dict[str, Any]:
    """Run the attempt whose spec lies in `folder`, at most once, and return its result (see `loop.execution`).

    Its process sees the one GPU `device`, or all of this process's own where None.

    Called again it returns the published result; on a fenced folder `fenced`; while another runs it
    `already-claimed`. Whatever the oracle does ends in a result; StorageError is raised where the disk is full or
    forbidden, and the attempt is then left to be recovered.
    """
    path = Path(folder)
    with disk_errors(path):
        published = read_result(path)
        if published is not None:
            return published
        spec = read_json(path / "spec.json")
        if not isinstance(spec, dict):
            return {"status": "crashed", "reason": f"{path / 'spec.json'} is missing or damaged"}
        if is_fenced(path):
            return _result(spec, "fenced")
        claim = {**identity(), "heartbeat": _seconds(spec, "heartbeat", 10.0), "device": device}
        if not create(path / "claim", json.dumps(claim)):
            return _result(spec, "already-claimed")
        prepare_work(path, list(spec.get("resume_from", ())))
        if spec.get("isolation") == "inline":
            from loop.execution.worker import answer

            return publish(path, answer(path, spec))
        return _in_child(path, spec, device)


def _in_child(folder: Path, spec: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    started = time.monotonic()
    child = _start(folder, spec, device)
    try:
        why = _watch(child, folder, spec)
    finally:
        _stop(child, _seconds(spec, "grace", 10.0))
    published = read_result(folder)
    if published is not None:
        return published
    seconds = round(time.monotonic() - started, 3)
    if why == "timeout":
        reason = f"not finished within the time limit of {spec['time_limit']:g} s"
        progress = _progress(folder)
        return publish(folder, _result(spec, why, reason=reason, progress=progress, seconds=seconds))
    return publish(folder, _result(spec, "crashed", reason=_death(child.returncode, folder), seconds=seconds))


def _start(folder: Path, spec: Mapping[str, Any], device: str | None) -> subprocess.Popen[bytes]:
    """The child: a fresh interpreter in its own session, which on Linux dies with this thread."""
    setpriv = shutil.which("setpriv")
    tied = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    command = [*tied, sys.executable, "-P", "-m", "loop.execution.worker", str(folder.resolve()), str(os.getpid())]
    with (folder / "stdout").open("ab") as out, (folder / "stderr").open("ab") as err:
        child = subprocess.Popen(
            command,
            cwd=folder / "work",
            env=_environment(str(spec.get("threads") or 1), device),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        create(folder / "child", json.dumps(identity(child.pid)))
    except BaseException:
        kill_group(child.pid, signal.SIGKILL)
        child.wait()
        raise
    return child


def _environment(threads: str, device: str | None) -> dict[str, str]:
    """The driver's own, with its threads limited, one GPU of its own, text in UTF-8 whatever the locale, and PYTHONPATH
    absolute since the child starts in another folder."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    absolute = os.pathsep.join(str(Path(path).resolve()) for path in paths if path)
    limits = dict.fromkeys(THREAD_LIMITS, threads)
    return {**os.environ, **limits, **environment(device), "PYTHONPATH": absolute, "PYTHONUTF8": "1"}


def _watch(child: subprocess.Popen[bytes], folder: Path, spec: Mapping[str, Any]) -> str:
    """Wait for the child: `exited`, `timeout` or `fenced`."""
    limit = spec.get("time_limit")
    heartbeat = _seconds(spec, "heartbeat", 10.0)
    started = time.monotonic()
    next_beat = next_look = started
    while True:
        try:
            child.wait(timeout=POLL)
            return "exited"
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if limit is not None and now - started > limit:
            return "timeout"
        if now >= next_beat:
            (folder / "heartbeat").touch()
            next_beat = now + heartbeat
        if now >= next_look:
            if is_fenced(folder):
                return "fenced"
            next_look = now + LOOK


def _stop(child: subprocess.Popen[bytes], grace: float) -> None:
    """End the child and whatever it started: an oracle may handle SIGTERM to leave a checkpoint."""
    if child.poll() is None:
        kill_group(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=grace)
    kill_group(child.pid, signal.SIGKILL)
    child.wait()


def _progress(folder: Path) -> bool:
    """Whether the work folder holds a file written since the child started."""
    began = (folder / "child").stat().st_mtime
    return any(path.stat().st_mtime > began for path in (folder / "work").rglob("*") if path.is_file())


def _death(code: int, folder: Path) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; out of memory?" if name == "SIGKILL" else ""
        return f"the worker was killed by signal {-code} ({name}){hint}"
    lines = (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = f": {lines[-1]}" if lines else ""
    return f"the worker ended with code {code} and no result{last}"


def _result(spec: Mapping[str, Any], status: str, **content: Any) -> dict[str, Any]:
    causes = {"timeout": "unconverged", "crashed": "infrastructure"}
    if status in causes:
        content = {"cause": causes[status], "evidence": ["stdout", "stderr"], "checks": [], **content}
    return {
        "status": status,
        "task_id": spec["task"]["id"],
        "attempt": spec["n"],
        "token": spec["token"],
        "host": socket.gethostname(),
        **content,
    }


def _seconds(spec: Mapping[str, Any], name: str, default: float) -> float:
    value = spec.get(name)
    return default if value is None else float(value)
