"""`labels: auto` from the outside: a good source is asked much, a bad one nothing once it is known, killed or not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput

SURVEY = '''
"""A hill, walked slowly or looked at from afar; what is seen may be another hill."""
import numpy as np
from loop import Estimate

class Walk:
    properties, fidelities, isolation = {"height": "m"}, ("walked",), "inline"
    def __init__(self, seconds: float = 60.0, wrong: bool = False):
        self.seconds, self.wrong = seconds, wrong
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return self.seconds
    def evaluate(self, design, task, workdir):
        x, y = design.values["x"], design.values["y"]
        noise = 0.1 * np.random.default_rng(task.seed).standard_normal()
        if self.wrong:
            return {"height": Estimate(np.sin(7 * x) * np.cos(5 * y) + noise, 0.1, "m")}
        return {"height": Estimate(5 - 0.2 * (x - 4) ** 2 - 0.1 * (y - 3) ** 2 + noise, 0.1, "m")}
'''
CAMPAIGN = """
name: hill
seed: 5
space: {{x: {{real: [0, 10], step: 0.1}}, y: {{real: [0, 10], step: 0.1}}}}
objectives: [{{property: height, goal: maximize, oracle: walk}}]
oracles:
  quick: {{kind: "survey:Walk", labels: {labels}, {quick}}}
  walk: {{kind: "survey:Walk"}}
generator: {{kind: uniform}}
acquisition: {{kind: qlognei}}
initial: 8
batch: 4
stop: {{evaluations: 20}}
execution: {{slots: 1}}
"""


@pytest.fixture
def folder(plugin) -> Path:
    return plugin("survey", SURVEY)


def write(folder: Path, quick: str, name: str = "a", labels: str = "auto") -> Path:
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    path.write_text(CAMPAIGN.format(quick=quick, labels=labels))
    return path


def asked(path: Path, loop) -> Counter[int]:
    """Round -> answers of the source."""
    return Counter(int(row["round"]) for row in loop.exported(path) if row["oracle"] == "quick")


@pytest.mark.slow
def test_a_good_source_is_asked_the_more_the_better_it_is_known(folder: Path, loop) -> None:
    steady, killed = (write(folder, "seconds: 5", name) for name in ("steady", "killed"))
    # (60 / 5)^(7/12) = 4.26 labels an evaluation before anything is known, 8 at first: 35; of 20 in all: 86
    checked = loop("check", steady)
    assert "oracle quick: 1 x 5 s per design at walked, and as many generated designs as pay, 7.2 min in all" in checked
    said = loop("run", steady)
    assert "round 0: quick labels the picks and 27 generated designs: it explains 0.50 of the variance" in said
    counts = asked(steady, loop)
    assert counts[0] == 35 and counts[1] > 18, "4.26 times the 4 of the next round, and more by what was learnt"
    assert loop.killed_when_it_says(killed, "round 1: quick labels")
    loop("run", killed)
    assert loop.exported(killed, "--tasks") == loop.exported(steady, "--tasks")
    with loop.reader(steady) as one, loop.reader(killed) as other:
        assert [d.info["labels"] for d in one.decisions()] == [d.info["labels"] for d in other.decisions()]


def test_a_source_that_misleads_is_asked_no_more_and_costs_no_round(folder: Path, loop) -> None:
    path = write(folder, "seconds: 5, wrong: true")
    said = loop("run", path)
    assert "quick is not believed, and is asked nothing" in said and "done: 20 evaluations" in said
    counts = asked(path, loop)
    # from ten real records on it is judged: those of the first two rounds, of which the first is asked unjudged
    assert counts[0] == 35 and counts[2] == counts[3] == 0
    assert "careful: The cheap source quick (walked) is not believed: height, gain" in loop("status", path)


def test_a_source_as_dear_as_the_real_thing_is_never_asked(folder: Path, loop) -> None:
    path = write(folder, "seconds: 90")
    said = loop("run", path)
    assert "round 0: quick does not pay: it explains 0.50 of the variance, a label takes 90 s" in said
    assert asked(path, loop) == {}


@pytest.mark.parametrize("labels", ["0", "some", "1.5", "true"])
def test_what_is_no_number_of_labels_is_refused(folder: Path, labels: str) -> None:
    with pytest.raises(BadInput, match=r"oracles\.quick\.labels: should be a whole number from 1 on, or auto, not"):
        load(write(folder, "seconds: 5", labels=labels))
