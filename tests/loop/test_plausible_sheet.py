"""A campaign that is given designs held plausible: what is refused, and what the search makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loop.campaign import load
from loop.errors import BadInput
from loop.health import unbelieved, unlike
from loop.report.audit import of_gate, words_of

HILL = '''
"""A hill over a and b, on schist only half as high."""
from loop import Estimate

class Hill:
    properties, fidelities, isolation = {"height": "m"}, ("climbed",), "inline"
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 0.0
    def evaluate(self, design, task, workdir):
        a, b = design.values["a"], design.values["b"]
        height = 10 - (a - 7) ** 2 / 4 - (b - 2) ** 2 / 4
        return {"height": Estimate(height / (2 if design.values["rock"] == "schist" else 1), 0.1, "m")}
'''
CAMPAIGN = """
name: hill
seed: 5
space:
  rock: {choices: [gneiss, schist, "001"]}
  a: {real: [0, 10], unit: nm}
  b: {real: [0, 10], unit: nm}
  c: {integer: [0, 10]}
  t: {fixed: 400, unit: K}
constraints: [{if: {rock: schist}, then: {b: {max: 5}}}]
objectives: [{property: height, goal: maximize}]
oracles: {climb: {kind: "marble_hill:Hill"}}
generator: {kind: uniform}
acquisition: {kind: qlognei, split: 0}
plausible: earlier/work.csv
initial: 4
batch: 4
stop: {evaluations: 8}
execution: {slots: 1}
"""
GOOD = [("gneiss", 6 + i % 3, 1.0 + i % 4, i % 11) for i in range(12)]


@pytest.fixture
def campaign(plugin):
    """Writes the campaign with these lines of plausible designs."""
    folder: Path = plugin("marble_hill", HILL)
    (folder / "earlier").mkdir()

    def write(lines: list[str], text: str = CAMPAIGN) -> Path:
        (folder / "earlier" / "work.csv").write_text("\n".join(lines))
        (folder / "campaign.yaml").write_text(text)
        return folder / "campaign.yaml"

    return write


def sheet(rows: list[tuple[object, ...]]) -> list[str]:
    return ["rock,a [nm],b [angstrom],c,notes", *(f"{r},{a},{10 * b},{c},Smith 2019" for r, a, b, c in rows)]


def faults_of(path: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load(path)
    assert not (path.parent / "runs").exists()
    start = f"{path}:15:12: plausible: {path.parent / 'earlier' / 'work.csv'}"
    return [line.removeprefix(start).strip() for line in caught.value.problems]


def test_every_bad_row_is_named_at_once(campaign) -> None:
    bad = [("gneis", 1, 1, 1), ("gneiss", 11, 1, 1), ("schist", 1, 7, 1), ("gneiss", 1, 1, ""), ("gneiss", 1, 1, 2)]
    assert faults_of(campaign(sheet(bad))) == [
        "row 2, column \"rock\": 'gneis' is not one of gneiss, schist, 001; did you mean gneiss?",
        "row 3, column \"a [nm]\": '11' is not between 0 and 10 nm",
        "row 4: the design breaks rock=schist => b in ..5",
        'row 5, column "c [1]": a plausible design is a whole one; c is missing',
    ]


def test_a_column_that_is_no_parameter_one_without_unit_few_designs_and_no_file_are_named(campaign) -> None:
    assert faults_of(campaign(["rock,a,b [nm],c,height", "gneiss,1,1,1,3"])) == [
        'row 1, column "a": has no unit; write a [nm]',
        'row 1, column "height": unknown column; delete it, or put its text into the notes',
    ]
    assert faults_of(campaign(sheet([*GOOD[:4], GOOD[0]]))) == [": holds 4 different designs; give at least 5"]
    path = campaign([])
    (path.parent / "earlier" / "work.csv").unlink()
    assert faults_of(path) == [": cannot be read: No such file or directory"]


def test_an_acquisition_that_cannot_lean_is_refused(campaign) -> None:
    path = campaign(sheet(GOOD), CAMPAIGN.replace("{kind: qlognei, split: 0}", "{kind: thompson}"))
    with pytest.raises(BadInput) as caught:
        load(path)
    assert caught.value.problems == (
        f"{path}:15:1: plausible: the acquisition thompson leans towards no designs; choose qlognei, qlognehvi or "
        "parego, or leave it out",
    )


def picks(loop, path: Path) -> list[list[dict[str, str]]]:
    """The designs of every round."""
    loop("run", path)
    rows = loop.exported(path)
    return [[row for row in rows if row["round"] == str(number)] for number in range(2)]


def test_the_search_begins_near_them_and_says_so(campaign, loop) -> None:
    path = campaign(sheet(GOOD))
    led = picks(loop, path)
    with loop.reader(path) as reader:
        gates = [gate for ledger in reader.ledgers() for gate in ledger.gates]
        words = words_of(load(path), reader)
    free = picks(loop, campaign(sheet(GOOD), CAMPAIGN.replace("plausible: earlier/work.csv", "").replace(
        "name: hill", "name: free")))  # fmt: skip
    assert led[0] == free[0]

    def far(rows: list[dict[str, str]]) -> float:
        return float(np.mean([abs(float(r["a"]) - 7) + abs(float(r["b"]) - 2.5) for r in rows]))

    assert far(led[1]) < far(free[1]) - 1
    assert gates and all(gate.form == "prior" and gate.admitted for gate in gates)
    assert of_gate(gates[0], words).startswith("Plausible designs admitted: 4 answered designs, from 10 on")
    assert unbelieved(gates, 1) == unlike(gates, 1) == []


def test_misleading_designs_are_switched_off_and_health_says_so(campaign, loop) -> None:
    wrong = [("schist", i % 2, 5 - i % 2, i % 11) for i in range(12)]
    path = campaign(sheet(wrong), CAMPAIGN.replace("initial: 4", "initial: 16").replace("evaluations: 8", "rounds: 1"))
    loop("run", path)
    with loop.reader(path) as reader:
        (decision,) = [d for d in reader.decisions() if d.round == 1]
        gates = reader.ledgers()[-1].gates
    (note,) = decision.info["notes"]
    assert note.startswith("plausible designs: log odds -")
    (finding,) = unlike(gates, 1)
    assert finding.check == "plausible" and "does not lean" in finding.message
