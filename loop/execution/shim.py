"""The shim under every executor: claims the attempt, starts its child, beats, limits, cancels, publishes."""

from __future__ import annotations

from typing import Any


def run_attempt(folder: str) -> dict[str, Any]:
    """Run the attempt whose spec lies in `folder`, at most once, and return its result (see `loop.execution`).

    Called again it returns the published result; on a fenced folder `fenced`; while another runs it
    `already-claimed`. Never raises for what happens to the attempt.
    """
    raise NotImplementedError
