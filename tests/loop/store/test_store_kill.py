"""kill -9 of a real driver with real worker processes, again and again: everything once, and nobody left behind."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loop.store import Reader

DRIVER = '''
"""The engine in thirty lines."""
import sys
from pathlib import Path
from loop.execution import fence, inspect, make_slots, read_result, run_attempt
from loop.store import Store, task_id
from loop.types import Design, Pick, Proposal, Task

ROUNDS, DESIGNS = 3, 3
folder = Path(sys.argv[1])

def settle(store, attempt, result):
    if result is None or not store.ingest(attempt.id, result):
        store.lose(attempt.id, "the driver was killed")

def decide(store, round):
    seen = len(store.records())
    designs = [Design({"x": float(10 * round + i), "seen": seen}) for i in range(DESIGNS)]
    keys = [(d.id, "slow", "std", 0) for d in designs]
    tasks = [Task(task_id(*key), *key, seed=round) for key in keys]
    picks = [Pick(Proposal(d, "uniform"), "initial") for d in designs]
    store.decide(round, picks, tasks, kinds={"slow": "simulation"}, info={})

if __name__ == "__main__":
    slots = make_slots(2)
    with Store.open(folder) as store:
        for row in store.live_attempts():
            if inspect(row.attempt.folder) != "finished":
                fence(row.attempt.folder)
            settle(store, row.attempt, read_result(row.attempt.folder))
        while True:
            queued = store.tasks("queued")
            if not queued:
                last = store.current_round()
                if last == ROUNDS - 1:
                    break
                decide(store, 0 if last is None else last + 1)
                continue
            spec = {"kind": "slow_oracle:Slow", "options": {"seconds": 0.5}, "folder": ".", "time_limit": 60}
            attempts = [store.intend(row.task.id, spec) for row in queued[:2]]
            futures = [(a, slots.submit(run_attempt, str(a.folder))) for a in attempts]
            for attempt, future in futures:
                settle(store, attempt, future.result())
'''

ORACLE = """
import time
from loop import Estimate

class Slow:
    properties, fidelities = {"y": "K"}, ("std",)
    def __init__(self, seconds: float):
        self.seconds = seconds
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return self.seconds
    def evaluate(self, design, task, workdir):
        with (workdir / "starts").open("a") as starts:
            starts.write(task.id + "\\n")
        time.sleep(self.seconds)
        return {"y": Estimate(2 * design.values["x"], 0.1, "K")}
"""


def workers(folder: Path) -> list[psutil.Process]:
    """Processes that work in this campaign."""
    found = []
    for process in psutil.process_iter():
        try:
            if "loop.execution.worker" in process.cmdline() and str(folder) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
def test_a_campaign_killed_anywhere_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "slow_oracle.py").write_text(ORACLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = tmp_path / "run"
    command = [sys.executable, str(tmp_path / "driver.py"), str(run)]
    moments = random.Random(5)
    kills = 0
    for _ in range(10):
        driver = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            driver.wait(timeout=moments.uniform(0.2, 1.5))
            break
        except subprocess.TimeoutExpired:
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            kills += 1
            deadline = time.monotonic() + 5
            while workers(run) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert workers(run) == []  # they died with their driver
    assert subprocess.run(command, timeout=200, stdin=subprocess.DEVNULL).returncode == 0
    assert kills >= 2
    with Reader.open(run) as reader:
        assert reader.counts()["done"] == 9
        xs = [(r.design.values["x"], r.design.values["seen"], r.estimates["y"].mean) for r in reader.records()]
        assert xs == [(10.0 * r + i, 3 * r, 2 * (10.0 * r + i)) for r in range(3) for i in range(3)]
        assert len(reader._rows("SELECT * FROM observations")) == 9
        assert reader._rows("PRAGMA integrity_check")[0][0] == "ok"
        attempts = reader.attempts()
        assert sum(row.state == "done" for row in attempts) == 9
        assert {row.state for row in attempts} <= {"done", "lost"}
        for row in attempts:
            spec = json.loads((row.attempt.folder / "spec.json").read_text())
            assert spec["token"] == row.attempt.token
