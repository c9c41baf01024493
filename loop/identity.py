"""Which process is meant, and does it still live? A process id alone is used again after a while or a reboot."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START_TIME_TOLERANCE = 1.0
"""Seconds: the kernel derives start times from the boot time, which clock corrections shift a little."""


def identity(pid: int | None = None) -> dict[str, Any]:
    """`host`, `boot` (id of the host's boot), `pid` and `started` (Unix time) of a process, this one by default."""
    import psutil

    pid = os.getpid() if pid is None else pid
    return {
        "host": socket.gethostname(),
        "boot": _boot(),
        "pid": pid,
        "started": psutil.Process(pid).create_time(),
    }


def alive(who: Mapping[str, Any]) -> bool | None:
    """Whether the process of an `identity` still runs. None where only another host could say."""
    import psutil

    if who.get("host") != socket.gethostname():
        return None
    if who.get("boot") != _boot():
        return False
    try:
        process = psutil.Process(who["pid"])
        same = abs(process.create_time() - who["started"]) < START_TIME_TOLERANCE
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def _boot() -> str:
    source = Path("/proc/sys/kernel/random/boot_id")
    if source.exists():
        return source.read_text().strip()
    import psutil

    return str(round(psutil.boot_time()))
