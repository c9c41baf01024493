"""`fidelities` from the outside: the last one counts, the cheaper ones inform the search while they can."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput

HILL = '''
"""A hill, seen from afar, walked or surveyed; what is seen may be another hill, and is always higher."""
import numpy as np
from loop import Estimate

class Hill:
    properties, isolation = {"height": "m"}, "inline"
    fidelities = ("seen", "walked", "surveyed")
    def __init__(self, mirage: bool = False, seen: float = 15.0):
        self.mirage, self.seconds = mirage, {"seen": seen, "walked": 20.0, "surveyed": 60.0}
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return self.seconds[fidelity]
    def evaluate(self, design, task, workdir):
        x, y = design.values["x"], design.values["y"]
        noise = 0.1 * np.random.default_rng(task.seed).standard_normal()
        if task.fidelity == "seen" and self.mirage:
            return {"height": Estimate(50 + np.sin(7 * x) * np.cos(5 * y) + noise, 0.1, "m")}
        above = {"seen": 100.0, "walked": 10.0, "surveyed": 0.0}[task.fidelity]
        return {"height": Estimate(above + 5 - 0.2 * (x - 4) ** 2 - 0.1 * (y - 3) ** 2 + noise, 0.1, "m")}
'''
CAMPAIGN = """
name: hill
seed: 5
space: {x: {real: [0, 10], step: 0.1}, y: {real: [0, 10], step: 0.1}}
objectives: [{property: height, goal: maximize}]
oracles:
  hill: {kind: "hills_seen:Hill", fidelities: [seen, surveyed], replicates: 2}
generator: {kind: uniform}
acquisition: {kind: qlognei}
initial: 8
batch: 4
stop: {evaluations: 12}
execution: {slots: 1}
"""


@pytest.fixture
def folder(plugin) -> Path:
    return plugin("hills_seen", HILL)


def write(folder: Path, name: str = "a", *changes: tuple[str, str]) -> Path:
    text = CAMPAIGN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "campaign.yaml"
    path.write_text(text)
    return path


def by_round(rows: list[dict[str, str]], oracle: str) -> Counter[int]:
    return Counter(int(row["round"]) for row in rows if row["oracle"] == oracle)


@pytest.mark.slow
def test_the_cheaper_fidelity_labels_what_pays_and_only_the_last_one_counts(folder: Path, loop) -> None:
    path, killed = write(folder, "steady"), write(folder, "killed")
    checked = loop("check", path)
    assert "oracle hill: 2 x 60 s per design at surveyed, 24 min in all" in checked
    assert "oracle hill.seen: 1 x 15 s per design at seen, and as many generated designs as pay" in checked
    said = loop("run", path)
    # (120 / 15)^(7/12) = 3.36 labels an evaluation before anything is known, 8 evaluations at first: 27
    assert "round 0: hill.seen labels the picks and 19 generated designs: it explains 0.50 of the variance" in said
    assert "done: 12 evaluations" in said
    rows = loop.exported(path)
    kinds = Counter((row["oracle"], row["fidelity"], row["kind"], row["replicates"]) for row in rows)
    assert kinds["hill", "surveyed", "simulation", "2"] == 12
    assert kinds["hill.seen", "seen", "synthetic", "1"] > 27 and len(kinds) == 2
    surveyed = {row["design_id"]: float(row["height"]) for row in rows if row["oracle"] == "hill"}
    seen = {row["design_id"] for row in rows if row["oracle"] == "hill.seen"}
    assert set(surveyed) <= seen, "every pick is labelled too"
    best = json.loads(loop("status", path, "--json"))["best"][0]
    assert best["design_id"] == max(surveyed, key=surveyed.__getitem__), "a hill seen 100 m higher is no best one"
    assert loop.killed_when_it_says(killed, "round 1: hill.seen")
    loop("run", killed)
    assert loop.exported(killed) == rows and loop.exported(killed, "--tasks") == loop.exported(path, "--tasks")


@pytest.mark.slow
def test_a_fidelity_that_misleads_is_left_out_and_the_next_one_is_asked(folder: Path, loop) -> None:
    path = write(
        folder,
        "mirage",
        ("[seen, surveyed], replicates: 2", "[seen, walked, surveyed], replicates: 2, mirage: true"),
        ("evaluations: 12", "evaluations: 20"),
    )
    assert "oracle hill.walked: 1 x 20 s per design at walked, and as many generated designs as pay, none at first" in (
        loop("check", path)
    )
    said = loop("run", path)
    assert "hill.walked is asked nothing, hill.seen tells more for what it costs: it explains 0.50" in said
    assert "hill.seen is not believed, and is asked nothing" in said and "done: 20 evaluations" in said
    rows = loop.exported(path)
    seen, walked = by_round(rows, "hill.seen"), by_round(rows, "hill.walked")
    assert walked and max(seen) < min(walked), "the next one is asked in its place"
    warned = loop("status", path)
    assert "careful: The cheap source hill.seen (seen) is not believed: height, gain" in warned
    assert "Nothing is asked of it while that is so" in warned


def test_another_set_of_fidelities_needs_an_amendment(folder: Path, loop) -> None:
    path = write(folder, "a", ("evaluations: 12", "evaluations: 8"))
    loop("run", path)
    path.write_text(path.read_text().replace("[seen, surveyed]", "[walked, surveyed]"))
    amended = loop("amend", path, "--reason", "too hazy")
    assert "oracles.hill.seen: was {" in amended and "oracles.hill.walked: was absent, is {" in amended


ORACLE = "fidelities: [seen, surveyed], replicates: 2"
FAULTS = {
    "unknown": (
        "fidelities: [sen, surveyed, trodden]",
        [
            "7:47: oracles.hill.fidelities: 'sen' is not one of seen, walked, surveyed; did you mean seen?",
            "7:47: oracles.hill.fidelities: 'trodden' is not one of seen, walked, surveyed",
        ],
    ),
    "twice": ("fidelities: [seen, surveyed, seen]", ["7:47: oracles.hill.fidelities: seen is given twice"]),
    "both": (
        "fidelity: seen, fidelities: [seen, surveyed]",
        ["7:51: oracles.hill.fidelities: give fidelity or fidelities, not both"],
    ),
    "order": (
        "fidelities: [surveyed, walked]",
        [
            "7:47: oracles.hill.fidelities: should rise in cost, the last being the one that counts; a design takes "
            "60 s at surveyed, 20 s at walked: write [walked, surveyed]"
        ],
    ),
    "no cheaper": (
        "seen: 20, fidelities: [seen, walked, surveyed]",
        [
            "7:57: oracles.hill.fidelities: should rise in cost, the last being the one that counts; a design takes "
            "20 s at seen, 20 s at walked, 60 s at surveyed: leave out those that are no cheaper"
        ],
    ),
    "labels": (
        "fidelities: [seen, surveyed], labels: 6",
        [
            "7:73: oracles.hill.labels: with several fidelities the cheaper ones label as many designs as pay; leave "
            "`labels` out, or write a second entry with `fidelity: seen` and `labels: 6`"
        ],
    ),
    "a name that is taken": (
        'fidelities: [seen, surveyed]}\n  hill.seen: {kind: "hills_seen:Hill", fidelity: seen',
        [
            "7:47: oracles.hill.fidelities: its seen would be called hill.seen, as another entry is; rename that one",
        ],
    ),
}


@pytest.mark.parametrize(("oracle", "faults"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_with_fidelities_is_told_at_once(folder: Path, oracle: str, faults: list[str]) -> None:
    path = write(folder, "a", (ORACLE, oracle))
    with pytest.raises(BadInput) as caught:
        load(path)
    assert [line.removeprefix(f"{path}:") for line in caught.value.problems] == faults


def test_cheaper_fidelities_need_rounds_and_something_to_inform(folder: Path) -> None:
    path = write(folder, "a", ("slots: 1", "slots: 1, schedule: async"))
    with pytest.raises(BadInput, match=r"oracles\.hill\.fidelities: needs the schedule `rounds`"):
        load(path)
    other = 'oracles:\n  peak: {kind: "hills_seen:Hill", fidelity: seen}\n'
    with pytest.raises(BadInput, match=r"hill\.fidelities: hill answers no objective, so that there is nothing for"):
        load(write(folder, "b", ("oracles:\n", other)))
    with pytest.raises(BadInput, match=r"objectives\.0\.oracle: hill\.seen only informs the search: write hill, or"):
        load(write(folder, "c", ("goal: maximize", "goal: maximize, oracle: hill.seen")))


def test_one_fidelity_in_a_list_is_that_one(folder: Path) -> None:
    campaign = load(write(folder, "a", ("[seen, surveyed]", "[walked]")))
    assert campaign.oracles["hill"].fidelity == "walked" and campaign.sources == ()
