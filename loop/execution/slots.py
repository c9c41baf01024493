"""The local engine: a pool of threads, each waiting on one child process."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, ThreadPoolExecutor

THREADS = "loop-slot"


def make_slots(n: int) -> Executor:
    """An executor that runs `n` attempts at a time. Make it in the main thread.

    Its threads start the children, and a child dies with the thread that started it (PDEATHSIG): the pool's
    threads live until the executor is shut down or the process ends.
    """
    return ThreadPoolExecutor(max_workers=n, thread_name_prefix=THREADS)


def slots_in_use() -> bool:
    """Whether a slot's thread still waits for its child, as after an abort."""
    return any(thread.name.startswith(THREADS) for thread in threading.enumerate())
