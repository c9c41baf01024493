"""One CPU core for one run.

Several times in every step OpenMM hands work to threads of its own and waits for them. Where these sit on another core
each hand-over wakes a sleeping core; on one core it is a mere switch (`benchmarks/one_core.py`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_core() -> Iterator[int | None]:
    """Keep this thread and those it starts on a core that no other run on this machine holds.

    Gives the core's number, or None, and then nothing changes, where every core is held or the system cannot (only
    Linux can). A core is held by the name of a socket, which the system takes back however the holder ends.
    """
    with socket.socket(socket.AF_UNIX) as name:
        core = _claim(name)
        if core is None:
            yield None
            return
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            yield core
        finally:
            os.sched_setaffinity(0, allowed)


def _claim(name: socket.socket) -> int | None:
    """The first core this thread may use whose name is free, its name then being `name`'s."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    for core in sorted(os.sched_getaffinity(0)):
        try:
            name.bind(f"\0nanocomposite-loop/core/{core}")
        except OSError:
            continue
        return core
    return None
