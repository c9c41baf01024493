"""Cheap labels and the mutual audit, from the outside: what is drawn, doubted, tested again and believed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput
from loop.ledger import Ledger
from loop.seeds import derive
from loop.store import Reader
from loop.types import Design

OUTLOOK = '''
"""A hill, walked with an error of 0.1 m. The first answer about one design may be a blunder."""
import numpy as np
from loop import Estimate, OracleFailure

class Walk:
    properties, fidelities, isolation = {"height": "m"}, ("walked",), "inline"
    def __init__(self, blunder: str = "", offset: float = 0.0, blind: str = ""):
        self.blunder, self.offset, self.blind = blunder, offset, blind
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 60.0
    def evaluate(self, design, task, workdir):
        x, y = design.values["x"], design.values["y"]
        if self.blind == "nan":
            return {"height": Estimate(float("nan"), 0.1, "m")}
        if self.blind:
            raise OracleFailure("unphysical", "nothing can be seen")
        noise = 0.1 * np.random.default_rng(task.seed).standard_normal()
        wrong = 5.0 if design.id == self.blunder and task.replicate == 0 else 0.0
        height = 5 - 0.2 * (x - 4) ** 2 - 0.1 * (y - 3) ** 2
        return {"height": Estimate(height + self.offset + noise + wrong, 0.1, "m")}
'''
CAMPAIGN = """
name: hill
seed: 5
space: {{x: {{real: [0, 10], step: 0.1}}, y: {{real: [0, 10], step: 0.1}}}}
objectives: [{{property: height, goal: maximize}}]
oracles:
  quick: {{kind: "outlook:Walk", offset: 2.0, labels: 6{quick}}}
  walk: {{kind: "outlook:Walk"{walk}}}
audit: {audit}
generator: {{kind: uniform}}
acquisition: {{kind: qlognei}}
initial: 16
batch: 4
stop: {{evaluations: 24}}
execution: {{slots: 1, schedule: {schedule}}}
"""


@pytest.fixture
def folder(plugin) -> Path:
    return plugin("outlook", OUTLOOK)


def write(folder: Path, name: str = "a", audit: float = 0.1, schedule: str = "rounds", **options: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    given = {"quick": "", "walk": ""} | options
    path.write_text(CAMPAIGN.format(audit=audit, schedule=schedule, **given))
    return path


def ledgers(path: Path) -> list[Ledger]:
    with Reader.open(path.parent / "runs" / "hill") as reader:
        return reader.ledgers()


def initial(path: Path) -> list[Design]:
    campaign = load(path)
    return campaign.judged_space().sample(campaign.initial, seed=derive(campaign.seed, "initial", 0))


def test_a_cheap_source_labels_picks_and_generated_designs(folder: Path, loop) -> None:
    path = write(folder)
    checked = loop("check", path)
    # 24 designs in three rounds, 6 labels in each, all of a minute; a tenth of 24 replicates on second looks
    assert "oracle quick: 1 x 60 s per design at walked, and 6 generated designs a round, 42 min in all" in checked
    assert "at most 2 more replicates of doubted records: 2 min" in checked
    assert "wall time: about 66 min on 1 slots, at most 68 min with added replicates" in checked
    said = loop("run", path)
    assert "round 0: 16 designs (16 initial, 6 synthetic)" in said and "done: 24 evaluations" in said
    with Reader.open(path.parent / "runs" / "hill") as reader:
        sources = Counter(row.pick.proposal.generator for row in reader.synthetic())
        # half of those of a round are of the pool, where variations of the best and what a search finds stand too
        assert sources["sobol"] == 6 and sources["uniform:synthetic"] >= 6 and sources.total() == 18
        pools = [decision.info["pool"] for decision in reader.decisions()]
        assert pools[1]["sobol"] == 6 and pools[2]["sobol"] <= 5, "what is labelled may be picked, once"
        kinds = Counter((record.oracle, record.kind) for record in reader.records())
        # every pick is labelled too, but the two of the audit, which had their labels already
        assert kinds == {("walk", "simulation"): 24, ("quick", "synthetic"): 24 + 3 * 6 - 2}
        assert len(reader.synthetic()) == 18 and len(reader.proposals()) == 24
        audited = [row.pick.proposal for row in reader.proposals() if row.pick.role == "audit"]
        tested = [proposal.design for proposal in audited]
        assert {proposal.generator.split(":")[-1] for proposal in audited} <= {"sobol", "synthetic"}, "lineage is kept"
        labelled = {row.pick.proposal.design for row in reader.synthetic()}
        assert len(tested) == 2 and labelled.issuperset(tested), "one label a round is put to the test"
    found = ledgers(path)
    assert [ledger.round for ledger in found] == [0, 1, 2]
    (gate,) = found[-1].gates
    assert gate.admitted and gate.source == "quick (walked)", "a source that is off by a constant pays"
    last = {v.design_id: v.status for ledger in found for v in ledger.verdicts if v.subject == "synthetic"}
    assert {last[design.id] for design in tested} == {"promoted"}
    status = json.loads(loop("status", path, "--json"))
    assert status["records"] == {"measurement": 0, "simulation": 24, "synthetic": 40}


def test_a_blunder_is_found_tested_again_and_no_longer_counts(folder: Path, loop) -> None:
    sound = initial(write(folder))[7]
    path = write(folder, audit=0.15, walk=f', blunder: "{sound.id}"')
    loop("run", path)
    verdicts = [v for ledger in ledgers(path) for v in ledger.verdicts if v.subject == "real"]
    (corrected,) = [v for v in verdicts if v.status == "corrected"]
    assert (corrected.design_id, corrected.superseded) == (sound.id, (0,))
    assert [v.status for v in verdicts if v.design_id == sound.id] == ["flagged", "corrected"]
    marked = [row for row in loop.exported(path, "--tasks") if row["superseded"]]
    assert [(row["design_id"], row["replicate"], row["superseded"]) for row in marked] == [(sound.id, "0", "0")]
    with Reader.open(path.parent / "runs" / "hill") as reader:
        (record,) = [r for r in reader.records("walk") if r.design == sound]
        x, y = float(sound.values["x"]), float(sound.values["y"])
        assert abs(record.estimates["height"].mean - (5 - 0.2 * (x - 4) ** 2 - 0.1 * (y - 3) ** 2)) < 0.4
        rows = [row for row in reader.tasks() if row.task.design_id == sound.id and row.task.oracle == "walk"]
        assert [(row.state, row.superseded) for row in rows] == [("done", 0), ("done", None)], "and is kept"
        added = sum(len(e.tasks) for e in reader.extensions())
        assert added <= 0.15 * 24 and {e.origin for e in reader.extensions()} == {"audit"}


def test_without_a_budget_nothing_is_run_again(folder: Path, loop) -> None:
    sound = initial(write(folder))[7]
    path = write(folder, audit=0.0, walk=f', blunder: "{sound.id}"')
    loop("run", path)
    with Reader.open(path.parent / "runs" / "hill") as reader:
        assert not reader.extensions() and all(row.pick.role != "audit" for row in reader.proposals())
    real = [v for ledger in ledgers(path) for v in ledger.verdicts if v.subject == "real"]
    assert [(v.design_id, v.status) for v in real] == [(sound.id, "flagged")]


@pytest.mark.parametrize("blind", ["nan", "all"])
def test_a_source_that_sees_nothing_stalls_nothing(folder: Path, blind: str, loop) -> None:
    path = write(folder, quick=f", blind: {blind}")
    assert "done: 24 evaluations" in loop("run", path)
    with Reader.open(path.parent / "runs" / "hill") as reader:
        assert {record.oracle for record in reader.records()} == {"walk"}, "a failure never becomes a number"
        assert len(reader.failures("quick")) == 24 + 18


def test_killed_and_resumed_the_ledger_is_the_same(folder: Path, loop) -> None:
    steady, killed = write(folder, "steady", audit=0.15), write(folder, "killed", audit=0.15)
    loop("run", steady)
    for words in ("round 0: 16 designs", "1 more replicate", "2 more replicates", "round 1: records"):
        loop.killed_when_it_says(killed, words)
    loop("run", killed)
    assert [ledger.plain() for ledger in ledgers(killed)] == [ledger.plain() for ledger in ledgers(steady)]
    assert loop.exported(killed, "--tasks") == loop.exported(steady, "--tasks")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"walk": ", labels: 3"}, "quick answers an objective"),
        ({"schedule": "async"}, "needs the schedule `rounds`"),
        ({"audit": 1.5}, "audit: should be at most 1"),
    ],
)
def test_what_cannot_be_audited_is_refused(folder: Path, options: dict, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        load(write(folder, **options))
