"""More replicates without a re-run, from the outside: asked for by the campaign file, or by the rule, or cut short."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from loop.store import Reader

NOISY = '''
"""Heights that differ little, under noise of 0.3 m in every replicate."""
import time
import numpy as np
from loop import Estimate, OracleFailure

class Hills:
    properties, fidelities = {"height": "m"}, ("walked",)
    isolation = "inline"
    def __init__(self, seconds: float = 0.0, closed: str = ""):
        self.seconds, self.closed = seconds, closed
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 60.0
    def evaluate(self, design, task, workdir):
        time.sleep(self.seconds)
        if design.values["side"] == self.closed:
            raise OracleFailure("infeasible", f"the {self.closed} side is closed")
        noise = 0.3 * np.random.default_rng(task.seed).standard_normal()
        return {"height": Estimate(3 - 0.01 * (design.values["x"] - 4) ** 2 + noise, 0.01, "m")}
'''
CAMPAIGN = """
name: hills
seed: 3
space:
  side: {{choices: [north, south]}}
  x: {{real: [0, 10], step: 0.1}}
objectives: [{{property: height, goal: maximize}}]
oracles: {{walk: {{kind: "hills:Hills", {oracle}}}}}
generator: {{kind: uniform}}
acquisition: {{kind: sobol}}
initial: 5
batch: 3
stop: {{evaluations: {evaluations}}}
execution: {{slots: 1, schedule: {schedule}, failed_limit: 0.9}}
"""
RULE = "replicates: 2, replicates_max: 4"


@pytest.fixture
def folder(plugin) -> Path:
    return plugin("hills", NOISY)


def write(folder: Path, name: str = "a", oracle: str = RULE, evaluations: int = 11, schedule: str = "rounds") -> Path:
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    path.write_text(CAMPAIGN.format(oracle=oracle, evaluations=evaluations, schedule=schedule))
    return path


def counts(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(row["replicates"] for row in rows)


def test_the_rule_adds_replicates_where_the_ranking_is_open(folder: Path, loop) -> None:
    path = write(folder)
    checked = loop("check", path)
    # 11 designs: 5 + 3 + 3 in three rounds, each followed by at most 3 replicates of a minute
    assert "at most 9 more replicates where they decide which designs lead: 9 min" in checked
    assert "wall time: about 22 min on 1 slots, at most 31 min with added replicates" in checked
    said = loop("run", path)
    assert "3 more replicates for 3 of the designs so far: the ranking turns within 2 standard errors" in said
    assert "done: 11 evaluations" in said
    rows, tasks = loop.exported(path), loop.exported(path, "--tasks")
    assert len(rows) == len({row["design_id"] for row in rows}) == 11
    assert {int(row["replicates"]) for row in rows} <= {2, 3, 4}
    added = len(tasks) - 22
    assert sum(int(row["replicates"]) for row in rows) == 22 + added and 3 < added <= 9
    with Reader.open(path.parent / "runs" / "hills") as reader:
        extensions = reader.extensions()
        assert [e.round for e in extensions] == sorted({e.round for e in extensions})
        assert extensions[-1].round == 2, "the last round too, before the campaign ends"
        for extension in extensions:
            assert 0 < len(extension.tasks) <= 3
            assert set(extension.info["distances"]) == set(extension.tasks)
            assert all(0 <= distance <= 2 for distance in extension.info["distances"].values())
    status = json.loads(loop("status", path, "--json"))
    assert status["added_replicates"] == {"amended": 0, "undecided": added, "audit": 0}
    assert f"replicates added later: 0 amended, {added} undecided" in loop("status", path)
    loop("run", path)
    assert loop.exported(path, "--tasks") == tasks, "running it again changes nothing"


def test_killed_between_the_decision_and_its_answers_it_ends_the_same(folder: Path, loop) -> None:
    steady, killed = write(folder, "steady"), write(folder, "killed")
    slow = RULE + ", seconds: 0.4"
    loop("run", steady)
    killed.write_text(killed.read_text().replace(RULE, slow))
    assert loop.killed_when_it_says(killed, "3 more replicates")
    with Reader.open(killed.parent / "runs" / "hills") as reader:
        assert len(reader.extensions()) == 1
        assert reader.observed(reader.extensions()[0].tasks[-1]) is None
    killed.write_text(killed.read_text().replace(slow, RULE))
    loop("amend", killed, "--reason", "quicker")
    loop("run", killed)
    for options in ((), ("--tasks",)):
        assert loop.exported(killed, *options) == loop.exported(steady, *options)


def test_replicates_raised_later_are_added_to_the_designs_so_far(folder: Path, loop) -> None:
    path = write(folder, oracle="replicates: 2, closed: north", evaluations=5)
    loop("run", path)
    before = loop.exported(path)
    path.write_text(path.read_text().replace("replicates: 2", "replicates: 3").replace("evaluations: 5", "rounds: 1"))
    answered = len(before)
    assert 0 < answered < 5
    adds = f"the next run adds {answered} replicates to the designs so far: {60 * answered} s"
    assert (adds if answered < 2 else adds.replace(f"{60 * answered} s", f"{answered} min")) in loop("check", path)
    said = loop("run", path)
    assert f"{answered} more replicates for {answered} of the designs so far: " in said
    assert "the campaign file asks for 3 replicates of walk" in said
    assert set(counts(loop.exported(path))) == {"3"}
    assert [row["design_id"] for row in loop.exported(path)][:answered] == [row["design_id"] for row in before]
    failed = [t for t in loop.exported(path, "--tasks") if t["state"] == "failed" and t["round"] == "0"]
    assert Counter(t["replicate"] for t in failed) == {"0": 5 - answered, "1": 5 - answered}, "not tried again"
    status = json.loads(loop("status", path, "--json"))
    assert status["added_replicates"] == {"amended": answered, "undecided": 0, "audit": 0}
    assert "the next run adds" not in loop("check", path)


def test_replicates_lowered_later_hold_for_new_designs(folder: Path, loop) -> None:
    path = write(folder, oracle="replicates: 3", evaluations=5)
    loop("run", path)
    path.write_text(path.read_text().replace("replicates: 3", "replicates: 1").replace("evaluations: 5", "rounds: 1"))
    loop("run", path)
    assert counts(loop.exported(path)) == {"3": 5, "1": 3}
    path.write_text(path.read_text().replace("replicates: 1", "replicates: 3"))
    loop("run", path)
    assert counts(loop.exported(path)) == {"3": 8}


def test_raised_and_killed_it_ends_the_same(folder: Path, loop) -> None:
    steady, killed = (write(folder, name, oracle="replicates: 1, seconds: 0.1") for name in ("steady", "killed"))
    for path in (steady, killed):
        loop("run", path)
        path.write_text(path.read_text().replace("replicates: 1", "replicates: 2"))
    assert loop.killed_when_it_says(killed, "11 more replicates")
    for path in (killed, steady):
        loop("run", path)
    for options in ((), ("--tasks",)):
        assert loop.exported(killed, *options) == loop.exported(steady, *options)
    assert counts(loop.exported(killed)) == {"2": 11}


def test_without_a_barrier_replicates_may_be_raised_too(folder: Path, loop) -> None:
    path = write(folder, oracle="replicates: 1", evaluations=6, schedule="async")
    loop("run", path)
    path.write_text(path.read_text().replace("replicates: 1", "replicates: 2").replace("tions: 6", "tions: 8"))
    loop("run", path)
    assert counts(loop.exported(path)) == {"2": 8}


def test_the_rule_leaves_failures_alone(folder: Path, loop) -> None:
    path = write(folder, oracle=RULE + ", closed: north")
    loop("run", path)
    rows = loop.exported(path, "--tasks")
    assert {row["replicate"] for row in rows if row["side"] == "north"} == {"0", "1"}
    assert {row["replicate"] for row in rows if row["side"] == "south"} > {"0", "1"}
