"""What `loop run` says while it works: a live display on a terminal, else one line per event, or JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from loop.campaign import Campaign
from loop.store.rows import TaskState


class Progress(Protocol):
    """Told of every event; `counts` maps task states to numbers."""

    def event(self, kind: str, payload: Mapping[str, Any]) -> None: ...

    def counts(self, tasks: Mapping[TaskState, int]) -> None: ...

    def close(self) -> None: ...


def make_progress(campaign: Campaign, *, json_events: bool = False, stream: TextIO | None = None) -> Progress:
    """The display that fits the stream (default: stdout)."""
    stream = stream or sys.stdout
    if json_events:
        return JsonLines(stream)
    return Live(campaign) if stream.isatty() else Lines(stream)


class Stream:
    """Writes what is worth a line; the numbers of tasks are not."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def counts(self, tasks: Mapping[TaskState, int]) -> None:
        return None

    def close(self) -> None:
        return None


class JsonLines(Stream):
    """One JSON object per event."""

    def event(self, kind: str, payload: Mapping[str, Any]) -> None:
        print(json.dumps({"event": kind, **payload}), file=self.stream, flush=True)


class Lines(Stream):
    """One readable line per event."""

    def event(self, kind: str, payload: Mapping[str, Any]) -> None:
        line = sentence(kind, payload)
        if line:
            print(line, file=self.stream, flush=True)


class Live:
    """A bar of finished tasks with the events scrolling above it."""

    def __init__(self, campaign: Campaign) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self.bars = Bars(*columns)
        self.bar = self.bars.add_task(campaign.name, total=None)
        self.bars.start()

    def event(self, kind: str, payload: Mapping[str, Any]) -> None:
        line = sentence(kind, payload)
        if line:
            self.bars.console.print(line, markup=False, highlight=False)

    def counts(self, tasks: Mapping[TaskState, int]) -> None:
        finished = sum(tasks.get(state, 0) for state in ("done", "failed", "cancelled"))
        expected = finished + tasks.get("queued", 0) + tasks.get("running", 0)
        self.bars.update(self.bar, completed=finished, total=expected)

    def close(self) -> None:
        self.bars.stop()


def sentence(kind: str, payload: Mapping[str, Any]) -> str:
    """One line for a person; empty for what only the record needs."""
    if kind == "decided":
        sources = ", ".join(f"{count} {role}" for role, count in payload["roles"].items())
        return f"round {payload['round']}: {payload['designs']} designs ({sources}) in {payload['seconds']:.1f} s"
    if kind == "extended":
        many = "1 more replicate" if payload["replicates"] == 1 else f"{payload['replicates']} more replicates"
        return f"{many} for {payload['designs']} of the designs so far: {payload['reason']}"
    if kind == "judged":
        found = ", ".join(f"{count} {status}" for status, count in payload["found"].items())
        return f"round {payload['round']}: records {found}" if found else ""
    if kind == "fallback":
        return f"round {payload['round']}: fallback: {payload['reason']}"
    if kind == "task_done":
        values = ", ".join(f"{name} {mean:.4g} +- {se:.2g}" for name, (mean, se) in payload["values"].items())
        return f"{payload['task']} ({payload['design']}): {values}"
    if kind == "task_failed":
        return f"{payload['task']} ({payload['design']}): failed, {payload['cause']}: {payload['reason']}"
    if kind == "attempt_lost":
        return f"{payload['task']}: attempt {payload['attempt']} lost ({payload['reason']}); queued again"
    if kind == "message":
        return str(payload["text"])
    return ""
