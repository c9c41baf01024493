"""GPUs in a campaign: every task sees one, before and after a kill; one that is missing is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput
from loop.store import Store

ORACLE = '''
import os, time
from loop import Estimate

class Gpu:
    """Reports which GPU it was given."""
    properties = {"gpu": "1"}
    fidelities = ("one",)
    def __init__(self, lacks: str = ""):
        self.lacks = lacks
    def ready(self):
        if self.lacks:
            error = ValueError(f"no {self.lacks} here")
            error.key = "lacks"
            raise error
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 1.0
    def evaluate(self, design, task, workdir):
        time.sleep(0.5)
        return {"gpu": Estimate(float(os.environ["CUDA_VISIBLE_DEVICES"]), 0.0, "1")}
'''
CAMPAIGN = """
name: gpus
seed: 3
space: {x: {real: [0, 1], step: 0.01}}
objectives: [{property: gpu, goal: maximize}]
oracles:
  gpu: {kind: "gpu_oracle:Gpu"%s}
generator: {kind: uniform}
acquisition: {kind: random}
initial: 8
stop: {evaluations: 8}
execution: {slots: 4, devices: [0, %d]}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    (tmp_path / "gpu_oracle.py").write_text(ORACLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.syspath_prepend(tmp_path)

    def make(last: int = 1, options: str = "") -> Path:
        path = tmp_path / "campaign.yaml"
        path.write_text(CAMPAIGN % (options, last))
        return path

    return make


def start(path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "loop", "run", str(path)]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def test_every_task_sees_one_gpu_before_and_after_a_kill(write) -> None:
    path = write()
    run, results = start(path), path.parent / "runs"
    while not list(results.rglob("result.json")):
        assert run.poll() is None
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert len(list(results.rglob("result.json"))) < 8
    assert start(path).wait() == 0
    with Store.open(load(path).run_folder) as store:
        given = [record.estimates["gpu"].mean for record in store.records()]
    assert len(given) == 8
    assert set(given) == {4.0, 7.0}


def test_a_gpu_that_is_not_there_is_refused_where_it_is_named(write) -> None:
    with pytest.raises(BadInput) as caught:
        load(write(last=2))
    (line,) = caught.value.problems
    assert "campaign.yaml:12:36: execution.devices.1: there is no GPU 2" in line
    assert load(write(last=2), thorough=False).execution.devices == (0, 2)


def test_what_an_oracle_misses_on_this_machine_is_refused_at_its_key(write) -> None:
    with pytest.raises(BadInput, match=r"oracles\.gpu\.lacks: no licence here"):
        load(write(options=", lacks: licence"))
