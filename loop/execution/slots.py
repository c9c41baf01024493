"""The local engine: a pool of threads, each waiting on one child process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

THREADS = "loop-slot"


def make_slots(n: int, devices: Sequence[str] = ()) -> Executor:
    """An executor that runs `n` attempts at a time, on GPUs where there are `devices`. Make it in the main thread.

    Its threads start the children, and a child dies with the thread that started it (PDEATHSIG): the pool's
    threads live until the executor is shut down or the process ends.
    """
    return Placing(n, devices) if devices else ThreadPoolExecutor(max_workers=n, thread_name_prefix=THREADS)


class Placing(ThreadPoolExecutor):
    """Gives every call the keyword `device`: the GPU with the fewest calls under way, the first of several."""

    def __init__(self, n: int, devices: Sequence[str]) -> None:
        super().__init__(max_workers=n, thread_name_prefix=THREADS)
        self._calls = dict.fromkeys(devices, 0)
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(self._place, fn, *args, **kwargs)

    def _place(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            device = min(self._calls, key=self._calls.__getitem__)
            self._calls[device] += 1
        try:
            return fn(*args, device=device, **kwargs)
        finally:
            with self._lock:
                self._calls[device] -= 1


def slots_in_use() -> bool:
    """Whether a slot's thread still waits for its child, as after an abort."""
    return any(thread.name.startswith(THREADS) for thread in threading.enumerate())
