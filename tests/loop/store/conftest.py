"""A small campaign told straight to the store: one parameter `x`, the oracles `md` (simulated) and `lab` (a person)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from loop.store import Attempt, Origin, Store, task_id
from loop.types import Design, Pick, Proposal, Task

KINDS = {"md": "simulation", "lab": "measurement"}


class Campaign:
    """What the engine does, in short."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store.open(folder)

    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder)

    @staticmethod
    def design(x: float) -> Design:
        return Design({"x": x})

    def task(self, x: float, oracle: str = "md", replicate: int = 0) -> Task:
        design = self.design(x).id
        return Task(task_id(design, oracle, "std", replicate), design, oracle, "std", replicate, 11)

    def decide(self, round: int, xs: Sequence[float], oracle: str = "md", replicates: int = 1) -> list[Task]:
        picks = [Pick(Proposal(self.design(x), "uniform"), "initial") for x in xs]
        tasks = [self.task(x, oracle, r) for x in xs for r in range(replicates)]
        self.store.decide(round, picks, tasks, kinds=KINDS, waiting=["lab"], info={"seed": 1})
        return tasks

    def extend(self, x: float, *replicates: int, origin: Origin = "undecided", oracle: str = "md") -> list[Task]:
        tasks = [self.task(x, oracle, replicate) for replicate in replicates]
        self.store.extend(origin, tasks, reason="the error bar is wide", info={"seen": 1})
        return tasks

    def intend(self, task: Task) -> Attempt:
        return self.store.intend(task.id, {"kind": "table", "options": {}, "folder": "."})

    @staticmethod
    def result(attempt: Attempt, status: str = "observed", y: float = 1.0, **content: Any) -> dict[str, Any]:
        value = {"mean": y, "se": 0.1, "unit": "K", "n_eff": None, "method": "m"}
        answers = {"estimates": {"y": value}} if status == "observed" else {}
        return {"status": status, "token": attempt.token, "attempt": attempt.n, **answers, **content}

    def run(self, task: Task, status: str = "observed", *, attempts: int = 3, y: float = 1.0, **content: Any) -> None:
        attempt = self.intend(task)
        assert self.store.ingest(attempt.id, self.result(attempt, status, y, **content), attempts=attempts)

    def state(self, task: Task) -> str:
        return next(row.state for row in self.store.tasks() if row.task.id == task.id)


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    one = Campaign(tmp_path / "runs" / "small")
    yield one
    one.store.close()
