"""Which GPUs a campaign uses, in the words of the environment variable that shows them to a process.

CUDA_VISIBLE_DEVICES speaks for NVIDIA's GPUs and, with AMD's own advice, for AMD's; where a batch system has set
HIP_VISIBLE_DEVICES that one is used instead, since it would win.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

CUDA, HIP = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"
NONE = ("", "-1", "NoDevFiles")
"""Entries that hide what follows them."""
PATIENCE = 20.0
"""Seconds for the driver's own listing."""


class NoSuchDevice(ValueError):
    """A GPU that was asked for is not there; `position` in the list that asked."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


def variable() -> str:
    return HIP if HIP in os.environ else CUDA


def visible() -> tuple[str, ...] | None:
    """Names of the GPUs this process may use: what the variable lists, else what NVIDIA's driver does. None where
    nothing tells."""
    listed = os.environ.get(variable())
    if listed is None:
        return _installed()
    names = [name.strip() for name in listed.split(",")]
    return tuple(names[: next((k for k, name in enumerate(names) if name in NONE), len(names))])


def chosen(wanted: Sequence[int] | None) -> tuple[str, ...]:
    """Names of the `wanted` GPUs, counted from 0 among the visible ones; of all visible ones where None.

    Raises NoSuchDevice where one is not there. Where nothing tells which are, the numbers are taken as they are.
    """
    seen = visible()
    if wanted is None:
        return seen or ()
    if seen is None:
        return tuple(map(str, wanted))
    for position, number in enumerate(wanted):
        if number >= len(seen):
            told = f" ({variable()}={os.environ[variable()]})" if variable() in os.environ else ""
            raise NoSuchDevice(
                position,
                f"there is no GPU {number}: this process sees {len(seen)}{told}, numbered from 0; name those, or leave "
                "`devices` out to use all",
            )
    return tuple(seen[number] for number in wanted)


def environment(device: str | None) -> dict[str, str]:
    """What shows a process one GPU only; nothing for None."""
    if device is None:
        return {}
    # numbers from the driver's list count in its order, CUDA's own default is by speed
    order = {} if variable() in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {variable(): device, **order}


def _installed() -> tuple[str, ...] | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return tuple(word for word in done.stdout.split() if word.isdigit()) if done.returncode == 0 else None
