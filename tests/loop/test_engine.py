"""The loop from the outside: a campaign runs, is killed anywhere, and ends as if nothing had happened."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOY = '''
"""An analytic oracle in a folder of its own, as a user would write one."""
import math, os, time
from loop import Check, Estimate, OracleFailure

class Toy:
    fidelities = ("exact",)
    def __init__(self, seconds: float = 0.0, isolation: str = "inline", broken: str = ""):
        self.seconds, self.isolation, self.broken = seconds, isolation, broken
        self.properties = {"strength": "MPa", "cost": "1"}
    def check(self, design, fidelity):
        return [Check("thin enough", design.values["x"] <= 9.5, design.values["x"], 9.5)]
    def cost(self, design, fidelity):
        return self.seconds
    def evaluate(self, design, task, workdir):
        with open(workdir / "visits", "a") as log:
            log.write("visited\\n")
        time.sleep(self.seconds)
        if design.values["oxide"] == self.broken:
            raise OracleFailure("unphysical", f"{self.broken} exploded")
        x, noise = design.values["x"], (task.seed % 1000) / 1e4
        height = {"magnetite": 3.0, "hematite": 2.0, "corundum": 1.0}[design.values["oxide"]]
        return {
            "strength": Estimate(height * math.exp(-((x - 4) ** 2) / 8) + noise, 0.03, "MPa"),
            "cost": Estimate(x / 10 + noise, 0.03, "1"),
        }
'''

CAMPAIGN = """
name: toy
seed: 11
space:
  oxide: {{choices: [magnetite, hematite, corundum]}}
  x: {{real: [0, 10], step: 0.1}}
objectives:
  - {{property: strength, goal: maximize}}
  - {{property: cost, goal: minimize, threshold: 1}}
oracles:
  toy: {{kind: "toy_oracle:Toy", replicates: 2, {oracle}}}
generator: {{kind: uniform}}
acquisition: {{kind: {acquisition}}}
initial: 5
batch: 3
stop: {{evaluations: {evaluations}}}
execution: {{slots: 2, schedule: {schedule}}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "toy_oracle.py").write_text(TOY)
    return tmp_path


def write(folder: Path, name: str = "a", **keys: object) -> Path:
    values = {"oracle": "seconds: 0", "acquisition": "sobol", "evaluations": 11, "schedule": "rounds"} | keys
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    path.write_text(CAMPAIGN.format(**values))
    return path


def environment(path: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(path.parent.parent / "plugins"), "OMP_NUM_THREADS": "1"}


def loop(*words: object, path: Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "loop", *map(str, words)],
        env=environment(path), capture_output=True, text=True, timeout=240, **options,
    )  # fmt: skip


def exported(path: Path, *options: str) -> list[dict[str, str]]:
    out = path.parent / "out.csv"
    done = loop("export", path, "-o", out, *options, path=path)
    assert done.returncode == 0, done.stderr
    with out.open() as file:
        return list(csv.DictReader(file))


def run_to_the_end(path: Path) -> str:
    done = loop("run", path, path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def start(path: Path) -> subprocess.Popen[str]:
    """`loop run` in the background, once it has decided its first round."""
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "loop", "run", str(path)],
        env=environment(path), start_new_session=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline().startswith("round 0")
    return run


def kill_at_random(path: Path, times: int, whole: float) -> int:
    """Start `loop run` and kill its whole process group, again and again; returns how often it was cut short.

    Each run lasts up to a quarter of `whole`, the seconds of an uninterrupted one: four cannot have finished the work.
    """
    moments, cut = random.Random(5), 0
    for _ in range(times):
        run = subprocess.Popen(
            [sys.executable, "-P", "-m", "loop", "run", str(path)],
            env=environment(path), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(moments.uniform(0, whole / 4))
        if run.poll() is None:
            cut += 1
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    return cut


def test_a_plugin_outside_the_repository_runs_a_campaign_inline(folder):
    path = write(folder)
    said = run_to_the_end(path)
    assert "done: 11 evaluations" in said
    rows = exported(path)
    assert len(rows) == 11
    assert len({row["design_id"] for row in rows}) == 11
    assert {row["round"] for row in rows} == {"0", "1", "2"}
    assert all(float(row["x"]) <= 9.5 for row in rows), "the oracle's check is a rule of the space"
    assert all(float(row["strength_se"]) > 0 for row in rows)
    tasks = exported(path, "--tasks")
    assert len({(t["design_id"], t["oracle"], t["fidelity"], t["replicate"]) for t in tasks}) == len(tasks) == 22
    status = json.loads(loop("status", path, "--json", path=path).stdout)
    assert status["state"] == "done"
    assert status["tasks"] == {"done": 22, "failed": 0, "running": 0, "queued": 0, "waiting": 0}
    assert status["records"] == {"measurement": 0, "simulation": 11, "synthetic": 0}


def test_running_a_finished_campaign_again_changes_nothing(folder):
    path = write(folder)
    run_to_the_end(path)
    before = exported(path)
    run_to_the_end(path)
    assert exported(path) == before


def test_killed_anywhere_it_ends_with_the_same_designs_in_the_same_order(folder):
    steady, killed = (write(folder, name, oracle="seconds: 0.3, isolation: process") for name in ("steady", "killed"))
    started = time.monotonic()
    run_to_the_end(steady)
    assert kill_at_random(killed, times=6, whole=time.monotonic() - started) >= 4
    run_to_the_end(killed)
    assert exported(killed) == exported(steady)
    assert len(exported(killed, "--tasks")) == 22


@pytest.mark.slow
def test_killed_with_the_bayesian_acquisition_and_the_vae(folder):
    steady = write(folder, "steady", acquisition="qlognehvi", evaluations=11)
    killed = write(folder, "killed", acquisition="qlognehvi", evaluations=11)
    for path in (steady, killed):
        path.write_text(path.read_text().replace("kind: uniform", "kind: cvae"))
    started = time.monotonic()
    run_to_the_end(steady)
    assert kill_at_random(killed, times=4, whole=time.monotonic() - started) == 4
    run_to_the_end(killed)
    assert exported(killed) == exported(steady)


def test_async_keeps_the_slots_busy_and_answers_everything_once(folder):
    path = write(folder, schedule="async", evaluations=9)
    run_to_the_end(path)
    rows = exported(path)
    assert len(rows) == len({row["design_id"] for row in rows}) == 9
    assert max(int(row["round"]) for row in rows) == 4, "after the five initial designs one decision per design"


def test_rounds_without_progress_end_the_campaign(folder):
    path = write(folder, evaluations=60)
    path.write_text(path.read_text().replace("evaluations: 60", "evaluations: 60, stalled_rounds: 2"))
    said = run_to_the_end(path)
    assert "no progress in 2 rounds" in said
    assert len(exported(path)) < 60


def test_typed_failures_are_kept_and_do_not_stop_the_campaign(folder):
    path = write(folder, oracle="broken: corundum")
    said = run_to_the_end(path)
    assert "corundum exploded" in said
    rows, tasks = exported(path), exported(path, "--tasks")
    assert all(row["oxide"] != "corundum" for row in rows)
    assert len({t["design_id"] for t in tasks}) == 11
    assert len(rows) < 11


def test_a_campaign_in_which_everything_fails_stops_with_three(folder):
    path = write(folder, oracle="broken: magnetite", evaluations=60)
    path.write_text(path.read_text().replace("[magnetite, hematite, corundum]", "[magnetite]"))
    done = loop("run", path, path=path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "failed_limit" in done.stdout


def test_the_first_interrupt_exits_75_and_the_same_command_goes_on(folder):
    steady = write(folder, "steady", evaluations=5)
    run_to_the_end(steady)
    path = write(folder, "b", oracle="seconds: 1, isolation: process", evaluations=5)
    run = start(path)
    time.sleep(1.5)
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 75, said
    assert "run the same command again" in said
    run_to_the_end(path)
    assert exported(path) == exported(steady)


def test_the_second_interrupt_ends_at_once_with_130(folder):
    path = write(folder, oracle="seconds: 60, isolation: process", evaluations=5)
    run = start(path)
    deadline = time.monotonic() + 60
    while not list((path.parent / "runs").rglob("visits")) and time.monotonic() < deadline:
        time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    run.send_signal(signal.SIGINT)
    asked = time.monotonic()
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert time.monotonic() - asked < 10


def test_a_second_run_is_refused_and_names_the_holder(folder):
    path = write(folder, oracle="seconds: 2, isolation: process")
    first = start(path)
    try:
        second = loop("run", path, path=path)
        assert second.returncode == 75, second.stdout
        assert str(first.pid) in second.stderr
    finally:
        first.kill()
        first.communicate()


def test_a_changed_space_is_refused_until_amended(folder):
    path = write(folder)
    run_to_the_end(path)
    path.write_text(path.read_text().replace("[0, 10]", "[0, 8]"))
    refused = loop("run", path, path=path)
    assert refused.returncode == 2
    assert "x" in refused.stderr and "amend" in refused.stderr
    path.write_text(path.read_text().replace("[0, 8]", "[0, 10]").replace("evaluations: 11", "evaluations: 12"))
    run_to_the_end(path)
    assert len(exported(path)) == 12, "a budget may change freely"
