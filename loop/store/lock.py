"""One writer per campaign, on whatever file system and however many hosts.

Two locks together: `flock` on the folder, which the kernel drops the moment its holder dies, and a file `lock` made
with O_EXCL that names the holder and works where flock does not (other hosts, some network file systems).
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loop.durable import age, create, read_json, write_text
from loop.errors import Locked
from loop.identity import alive, identity

NAME = "lock"
REFRESH = 10.0
"""Seconds between signs of life of the holder."""

STALE = 120.0
"""Seconds without a sign of life after which a holder on another host is taken for dead."""

SETTLE = 0.2
"""Seconds after which, of two hosts that took a stale lock over at once, both see who came last."""


class WriterLock:
    """Held from construction to `release`. Raises Locked, naming the holder. `token` is new for every holder;
    `replaced` is the dead holder that was taken over, if there was one."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        self.replaced: Mapping[str, Any] | None = None
        self._path = folder / NAME
        self._descriptor = os.open(folder, os.O_RDONLY)
        try:
            self._flock()
            self._claim()
        except BaseException:
            os.close(self._descriptor)
            raise
        self._released = threading.Event()
        threading.Thread(target=self._refresh, name="campaign lock", daemon=True).start()

    def release(self) -> None:
        if self._released.is_set():
            return
        self._released.set()
        if self._holder().get("token") == self.token:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _flock(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise Locked(describe(self._holder(), self._path)) from None
            # No flock on this file system: the lock file has to do alone.

    def _claim(self) -> None:
        me = {**identity(), "slurm_job": os.environ.get("SLURM_JOB_ID"), "token": self.token}
        me["since"] = time.strftime("%Y-%m-%d %H:%M:%S")
        content = json.dumps(me)
        if create(self._path, content):
            return
        holder = self._holder()
        if not self._dead(holder):
            raise Locked(describe(holder, self._path))
        write_text(self._path, content)
        if holder.get("host") != me["host"]:
            time.sleep(SETTLE)
        if self._holder().get("token") != self.token:
            raise Locked(describe(self._holder(), self._path))
        self.replaced = holder

    def _holder(self) -> dict[str, Any]:
        holder = read_json(self._path)
        return holder if isinstance(holder, dict) else {}

    def _dead(self, holder: Mapping[str, Any]) -> bool:
        living = alive(holder) if holder else None
        if living is not None:
            return not living
        try:
            stale = age(self._path) > STALE
        except FileNotFoundError:
            stale = True
        return stale and not _job_may_run(holder.get("slurm_job"))

    def _refresh(self) -> None:
        while not self._released.wait(REFRESH):
            try:
                os.utime(self._path)
            except OSError:
                continue  # the next transaction finds out whether the lock is still ours


def _job_may_run(job: str | None) -> bool:
    """Whether Slurm may still run the job: it says so, or cannot be asked."""
    if job is None:
        return False
    if shutil.which("squeue") is None:
        return True
    answer = subprocess.run(["squeue", "-h", "-j", str(job)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return bool(answer.stdout.strip()) or (answer.returncode != 0 and "Invalid job id" not in answer.stderr)


def describe(holder: Mapping[str, Any], path: Path) -> str:
    """One line: who holds the campaign, and what to do."""
    if not holder:
        return f"{path.parent}: another process is using this campaign; wait for it to end and run the command again"
    job = f", Slurm job {holder['slurm_job']}" if holder.get("slurm_job") else ""
    return (
        f"{path.parent}: in use by process {holder.get('pid')} on {holder.get('host')}{job} "
        f"since {holder.get('since')}; wait for it or stop it, and run the command again "
        f"(if that host is gone for good, delete {path})"
    )
