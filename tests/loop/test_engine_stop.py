"""A campaign ends when its model expects nothing more, whatever happened on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput

HILL = '''
"""One hill, climbed with an error of 0.05 m."""
import numpy as np
from loop import Estimate

class Hill:
    properties, fidelities, isolation = {"height": "m", "effort": "1"}, ("climbed",), "inline"
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 60.0
    def evaluate(self, design, task, workdir):
        x, noise = design.values["x"], 0.05 * np.random.default_rng(task.seed).standard_normal(2)
        return {"height": Estimate(5 - (x - 4) ** 2 / 5 + noise[0], 0.05, "m"),
                "effort": Estimate(x + noise[1], 0.05, "1")}
'''
CAMPAIGN = """
name: hill
seed: 5
space: {{x: {{real: [0, 10], step: 0.1}}}}
objectives: {objectives}
oracles: {{climb: {{kind: "hill:Hill"}}}}
generator: {{kind: uniform}}
acquisition: {{kind: {kind}}}
initial: 12
batch: 4
stop: {{evaluations: 60, {stop}}}
execution: {{slots: 1}}
"""
ONE = "[{property: height, goal: maximize}]"
TWO = "[{property: height, goal: maximize, threshold: 0}, {property: effort, goal: minimize, threshold: 10}]"


@pytest.fixture
def folder(plugin) -> Path:
    return plugin("hill", HILL)


def write(folder: Path, stop: str, name: str = "a", objectives: str = ONE, kind: str = "qlognei") -> Path:
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    path.write_text(CAMPAIGN.format(stop=stop, objectives=objectives, kind=kind))
    return path


@pytest.mark.slow
def test_killed_or_not_it_ends_where_nothing_more_is_expected(folder: Path, loop) -> None:
    steady, killed = (write(folder, "expected_gain: 0.02", name) for name in ("steady", "killed"))
    said = loop("run", steady)
    assert "done: the next design is expected to gain 0.0" in said and "less than 0.02" in said
    assert 20 <= len(loop.exported(steady)) < 60
    assert loop.killed_when_it_says(killed, "round 2:")
    assert loop("run", killed).splitlines()[-1] == said.splitlines()[-1]
    assert loop.exported(killed, "--tasks") == loop.exported(steady, "--tasks")
    with loop.reader(steady) as reader:
        before = [decision.info["outlook"] for decision in reader.decisions() if "outlook" in decision.info]
        assert all(found is None or found["gain"] >= 0.02 for found in before), "no round was decided beyond it"
    assert loop("run", steady).splitlines()[-1] == said.splitlines()[-1], "and again, where it has ended"
    more = loop.exported(steady)
    steady.write_text(steady.read_text().replace("expected_gain: 0.02", "expected_gain: 1.0e-9"))
    steady.write_text(steady.read_text().replace("evaluations: 60", f"evaluations: {len(more) + 4}"))
    assert f"done: {len(more) + 4} evaluations" in loop("run", steady), "a smaller gain is worth another round"


def test_a_bound_on_the_regret_of_two_goals(folder: Path, loop) -> None:
    path = write(folder, "regret: 0.2", objectives=TWO, kind="qlognehvi")
    said = loop("run", path)
    assert "done: no candidate is likely to surpass the known designs by more than" in said
    found = json.loads(loop("status", path, "--json"))
    assert found["ending"] in said and found["ending"] in loop("status", path)
    assert found["state"] == "done" and 20 <= found["records"]["simulation"] < 60


@pytest.mark.parametrize("key", ["expected_gain", "regret"])
def test_without_a_model_it_is_refused(folder: Path, key: str) -> None:
    with pytest.raises(BadInput, match=f"stop.{key}: asks a model of what is known, and the acquisition sobol"):
        load(write(folder, f"{key}: 0.1", kind="sobol"))
    with pytest.raises(BadInput, match=f"stop.{key}: should be more than 0"):
        load(write(folder, f"{key}: 0"))
