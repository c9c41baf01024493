"""Crashes: before every single statement, then in any order with late, double and lost deliveries."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loop.store import Attempt, Store, ToldRow, task_id
from loop.types import Design, Estimate, Pick, Proposal, Task

KINDS = {"md": "simulation", "lab": "measurement"}
TABLES = (
    "decisions",
    "extensions",
    "designs",
    "proposals",
    "tasks",
    "attempts",
    "told_rows",
    "observations",
    "artifacts",
    "events",
)
VOLATILE = {"at", "submitted_at", "ended_at", "token"}


class Died(BaseException):
    """The process is gone: it neither cleans up nor comes back."""


class Fuse:
    """A connection whose process dies before statement number `after`."""

    def __init__(self, db: sqlite3.Connection, after: int) -> None:
        self.db, self.left = db, after

    def execute(self, *statement: object) -> sqlite3.Cursor:
        if self.left == 0:
            raise Died
        self.left -= 1
        return self.db.execute(*statement)

    def __getattr__(self, name: str) -> object:
        return getattr(self.db, name)


def die(store: Store) -> None:
    """What the operating system does for a killed process: no commit, no farewell, the locks drop."""
    db = store._db.db if isinstance(store._db, Fuse) else store._db
    db.close()
    store._lock.release()


def dump(store: Store) -> dict[str, list[dict[str, object]]]:
    """All that matters of a database."""
    rows = {name: [dict(row) for row in store._rows(f"SELECT * FROM {name}")] for name in TABLES}
    return {name: [{k: v for k, v in row.items() if k not in VOLATILE} for row in rows[name]] for name in rows}


def answer(attempt: Attempt, y: float = 1.0) -> dict[str, object]:
    value = {"mean": y, "se": 0.1, "unit": "K", "n_eff": None, "method": ""}
    files = [{"path": "work/a", "sha256": "00", "bytes": 1}]
    return {"status": "observed", "token": attempt.token, "estimates": {"y": value}, "artifacts": files}


def comparable(found: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    """Attempts have random tokens, which their results repeat."""
    for row in found["attempts"]:
        row.pop("result")
    return found


def decide(store: Store, round: int, oracle: str, replicates: int = 2) -> list[Task]:
    design = Design({"x": float(round)})
    key = (design.id, oracle, "std")
    tasks = [Task(task_id(*key, r), *key, r, 5) for r in range(replicates)]
    store.decide(
        round, [Pick(Proposal(design, "uniform"), "initial")], tasks, kinds=KINDS, waiting=["lab"], info={"seed": 1}
    )
    return tasks


def extend(store: Store, like: Task, *replicates: int) -> list[Task]:
    key = (like.design_id, like.oracle, like.fidelity)
    tasks = [Task(task_id(*key, r), *key, r, 5) for r in replicates]
    store.extend("amended", tasks, reason="more")
    return tasks


def prepared(folder: Path) -> Store:
    """A store with a live attempt, a queued task and waiting ones."""
    store = Store.open(folder)
    (first, _) = decide(store, 0, "md")
    decide(store, 1, "lab")
    store.intend(first.id, {"kind": "table"})
    return store


def live(store: Store) -> Attempt:
    return store.live_attempts()[0].attempt


def tell_both(store: Store) -> None:
    rows = [
        ToldRow("measurement", row.task.id, estimates={"y": Estimate(2.0, 0.1, "K")}) for row in store.tasks("waiting")
    ]
    store.tell("sheet", rows)


OPERATIONS = {
    "decide": lambda store: decide(store, 2, "md"),
    "extend": lambda store: extend(store, store.tasks()[0].task, 2, 3),
    "intend": lambda store: store.intend(store.tasks("queued")[0].task.id, {"kind": "table"}),
    "ingest": lambda store: store.ingest(live(store).id, answer(live(store))),
    "lose": lambda store: store.lose(live(store).id, "gone"),
    "cancel": lambda store: store.cancel(live(store).task_id, "not wanted"),
    "tell": tell_both,
    "configure": lambda store: store.configure("a: 1", {}),
    "event": lambda store: store.event("x", {}),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_dying_before_any_statement_leaves_all_or_nothing(tmp_path: Path, name: str) -> None:
    operation = OPERATIONS[name]
    with prepared(tmp_path / "whole") as store:
        before = comparable(dump(store))
        operation(store)
        after = comparable(dump(store))
    assert before != after or name == "configure"
    for statement in range(100):
        folder = tmp_path / str(statement)
        store = prepared(folder)
        store._db = Fuse(store._db, statement)
        try:
            operation(store)
        except Died:
            die(store)
            with Store.open(folder) as store:
                assert comparable(dump(store)) == before
                operation(store)
                assert comparable(dump(store)) == after
        else:
            store._db = store._db.db
            store.close()
            break
    assert statement > 3  # the fuse did burn


class Deliveries(RuleBasedStateMachine):
    """The store under an engine that may die at any moment and workers whose answers come late, twice or never."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(self.folder)
        self.round = 0
        self.answers: list[tuple[Attempt, dict[str, object]]] = []
        self.seen: list[int] = []
        self.values: dict[str, float] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(oracle=st.sampled_from(["md", "md", "lab"]), replicates=st.integers(1, 3))
    def decide(self, oracle: str, replicates: int) -> None:
        decide(self.store, self.round, oracle, replicates)
        self.round += 1

    @precondition(lambda self: self.store.tasks())
    @rule(pick=st.integers(0, 99))
    def extend(self, pick: int) -> None:
        evaluations = {(row.task.design_id, row.task.oracle): row.task for row in self.store.tasks()}
        like = list(evaluations.values())[pick % len(evaluations)]
        extend(self.store, like, like.replicate + 1, like.replicate + 2)

    @precondition(lambda self: self.store.tasks("queued"))
    @rule(pick=st.integers(0, 99))
    def intend(self, pick: int) -> None:
        queued = self.store.tasks("queued")
        self.store.intend(queued[pick % len(queued)].task.id, {"kind": "table"})

    @precondition(lambda self: self.store.live_attempts())
    @rule(pick=st.integers(0, 99), status=st.sampled_from(["observed", "observed", "crashed", "timeout", "unphysical"]))
    def work(self, pick: int, status: str) -> None:
        """A worker ends; its answer is on its way."""
        rows = self.store.live_attempts()
        attempt = rows[pick % len(rows)].attempt
        result = answer(attempt, float(len(self.answers)))
        if status != "observed":
            cause = {"unphysical": "unphysical"}.get(status)
            result = {"status": "failed" if cause else status, "token": attempt.token, "cause": cause, "progress": True}
        self.answers.append((attempt, result))

    @precondition(lambda self: self.answers)
    @rule(pick=st.integers(0, 99))
    def deliver(self, pick: int) -> None:
        """Any answer ever given arrives, perhaps again."""
        attempt, result = self.answers[pick % len(self.answers)]
        alive = attempt.id in [row.attempt.id for row in self.store.live_attempts()]
        assert self.store.ingest(attempt.id, result) is alive
        if alive and result["status"] == "observed":
            self.values[attempt.task_id] = result["estimates"]["y"]["mean"]

    @precondition(lambda self: self.store.live_attempts())
    @rule(pick=st.integers(0, 99))
    def lose(self, pick: int) -> None:
        rows = self.store.live_attempts()
        self.store.lose(rows[pick % len(rows)].attempt.id, "silent")

    @precondition(lambda self: any(row.person for row in self.store.tasks()))
    @rule(pick=st.integers(0, 99), y=st.integers(0, 3))
    def tell(self, pick: int, y: int) -> None:
        rows = [row for row in self.store.tasks() if row.person]
        task = rows[pick % len(rows)].task
        row = ToldRow("measurement", task.id, estimates={"y": Estimate(float(y), 0.1, "K")})
        if self.store.tell("sheet", [row]) != ["known"]:
            self.values[task.id] = float(y)

    @precondition(lambda self: self.store.tasks("running") or self.store.tasks("queued"))
    @rule(
        statements=st.integers(0, 25),
        action=st.sampled_from(["extend", "intend", "deliver", "lose"]),
        pick=st.integers(0, 99),
    )
    def die_while(self, statements: int, action: str, pick: int) -> None:
        """The engine is killed in the middle of a step; the next one recovers."""
        ready = {
            "extend": True,
            "intend": self.store.tasks("queued"),
            "deliver": self.answers,
            "lose": self.store.live_attempts(),
        }
        values = dict(self.values)
        if ready[action]:
            self.store._db = Fuse(self.store._db, statements)
            try:
                getattr(self, action)(pick)
            except Died:
                self.values = values
        die(self.store)
        self.store = Store.open(self.folder)
        for row in self.store.live_attempts():
            mine = [result for attempt, result in self.answers if attempt == row.attempt]
            if mine and self.store.ingest(row.attempt.id, mine[0]) and mine[0]["status"] == "observed":
                self.values[row.attempt.task_id] = mine[0]["estimates"]["y"]["mean"]
            elif not mine:
                self.store.lose(row.attempt.id, "the engine died")

    @invariant()
    def a_task_runs_once_at_a_time(self) -> None:
        alive = [row.attempt.task_id for row in self.store.live_attempts()]
        assert sorted(alive) == sorted(row.task.id for row in self.store.tasks("running"))
        assert len(set(alive)) == len(alive)

    @invariant()
    def every_value_counts_once(self) -> None:
        current = self.store._rows("SELECT task_id, mean FROM observations WHERE until IS NULL ORDER BY task_id")
        assert [(row["task_id"], row["mean"]) for row in current] == sorted(self.values.items())
        assert {row.task.id for row in self.store.tasks("done")} == set(self.values)
        ended = [row.attempt.task_id for row in self.store.attempts() if row.state == "done"]
        assert len(set(ended)) == len(ended)

    @invariant()
    def an_extension_is_whole(self) -> None:
        said = [event.payload["tasks"] for event in self.store.events() if event.kind == "extended"]
        assert [list(extension.tasks) for extension in self.store.extensions()] == said

    @invariant()
    def a_record_is_made_of_all_that_answered(self) -> None:
        for record in self.store.records():
            mine = [y for task, y in self.values.items() if task.startswith(f"{record.design.id}-{record.oracle}-")]
            assert record.replicates == len(mine)
            assert record.estimates["y"].mean == pytest.approx(sum(mine) / len(mine))

    @invariant()
    def an_evaluation_is_one_record_or_one_failure_or_open(self) -> None:
        found = [(r.design.id, r.oracle) for r in [*self.store.records(), *self.store.failures()]]
        assert len(set(found)) == len(found)

    @invariant()
    def the_log_only_grows(self) -> None:
        now = [event.seq for event in self.store.events()]
        assert now[: len(self.seen)] == self.seen
        self.seen = now


Deliveries.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, derandomize=True, deadline=None, database=None
)
TestDeliveries = pytest.mark.slow(Deliveries.TestCase)
