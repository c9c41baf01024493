"""Campaigns whose parameter is a generated molecule: run to their end, told by hand, exported, kept from change."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loop.campaign import load
from loop.errors import BadInput
from loop.molecules import describe, fault
from loop.sheets import ask, tell
from loop.space import Space
from loop.store import Store
from loop.types import Parameter, Pick, Proposal, Task

GREASE = '''
"""How greasy an acid is, by its own logP; refuses ethers."""
from loop import Check, Estimate, OracleFailure
from loop.molecules import describe

class Grease:
    properties, fidelities, isolation = {"grease": "1"}, ("rule",), "inline"
    def heads(self, parameter):
        return {"acid": "O=C([OH:1])R"} if parameter == "ligand" else {}
    def named(self, parameter):
        return {"butyric acid": "CCCC(=O)O"} if parameter == "ligand" else {}
    def describe(self, parameter, value):
        return {"letters": float(len(value))} if parameter == "ligand" else {}
    def check(self, design, fidelity):
        return [Check("no nitrile", "#N" not in design.values["ligand"])]
    def cost(self, design, fidelity):
        return 0.0
    def evaluate(self, design, task, workdir):
        ligand = design.values["ligand"]
        if "COC" in ligand:
            raise OracleFailure("infeasible", f"{ligand} is an ether")
        return {"grease": Estimate(describe(ligand)["logp"] + 0.1 * design.values["density"], 0.05, "1")}
'''
CAMPAIGN = """
name: grease
seed: 3
space:
  ligand:  {smiles: {head: acid, length: [2, 6], elements: [C, F, O]}}
  density: {real: [0, 3], step: 0.5}
constraints:
  - {forbid: {ligand: "O=C([OH:1])CC", density: {min: 2}}}
objectives:
  - {property: grease, goal: maximize}
oracles:
  rule: {kind: "grease:Grease"}
generator: {kind: uniform}
initial: 8
batch: 4
stop: {evaluations: 16}
"""
BENCH = """
name: bench
seed: 3
space:
  ligand:  {smiles: {head: "O=C([OH:1])R", length: [2, 6], elements: [C, F, O]}}
  density: {real: [0, 3], step: 0.5}
objectives:
  - {property: grease, goal: maximize}
oracles:
  lab: {kind: measurement, properties: {grease: "1"}}
stop: {rounds: 2}
"""


@pytest.fixture
def grease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "grease.py").write_text(GREASE)
    monkeypatch.syspath_prepend(str(tmp_path / "plugins"))
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    return tmp_path / "campaign.yaml"


def command(path: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(path.parent / "plugins")}
    run = [sys.executable, "-P", "-m", "loop", words[0], path.name, *words[1:]]
    done = subprocess.run(run, cwd=path.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_campaign_of_molecules_runs_to_its_end(grease: Path) -> None:
    command(grease, "run")
    command(grease, "export", "-o", "out.csv", "--tasks")
    with (grease.parent / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    allowed = load(grease).space["ligand"].molecules
    assert allowed is not None and len(rows) == 16
    assert not any(fault(allowed, row["ligand"]) for row in rows)
    assert all("is an ether" in row["reason"] for row in rows if row["state"] == "failed")
    answered = [row for row in rows if row["state"] == "done"]
    for row in answered:
        wanted = describe(row["ligand"])["logp"] + 0.1 * float(row["density"])
        assert float(row["grease"]) == pytest.approx(wanted)
    later = [float(row["grease"]) for row in answered if int(row["round"]) > 0]
    first = [float(row["grease"]) for row in answered if int(row["round"]) == 0]
    assert max(later) > max(first)  # it learned from descriptors which molecules are greasy
    units = json.loads((grease.parent / "out.csv.units.json").read_text())
    assert "ligand" not in units and units["grease"] == "1"
    assert json.loads(command(grease, "status", "--json"))["best"]
    command(grease, "report", "-o", "report.html")
    assert rows[0]["ligand"].split("(")[0] in (grease.parent / "report.html").read_text()


def test_check_prices_the_space(grease: Path) -> None:
    assert "2 free parameters" in command(grease, "check")


def test_the_judged_space_describes_its_molecules(grease: Path) -> None:
    space = load(grease).judged_space()
    told = space.describe("ligand", "CCCC(=O)[OH:1]")
    assert told["letters"] == 14 and told["heavy_atoms"] == 6
    assert space.descriptors("ligand") is None and space.descriptors("density") is None
    assert space["ligand"].molecules is not None and space["ligand"].molecules.known == ("CCCC(=O)O",)


def test_changed_bounds_are_refused_once_begun(grease: Path) -> None:
    before = load(grease).guarded
    grease.write_text(CAMPAIGN.replace("[2, 6]", "[2, 7]"))
    after = load(grease).guarded
    assert before["space"]["ligand"] == {
        "kind": "smiles", "head": "O=C([OH:1])R", "length": [2, 6], "elements": ["C", "F", "O"],
    }  # fmt: skip
    assert after["space"]["ligand"]["length"] == [2, 7]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "head: acid",
            "head: acide",
            "unknown head 'acide'; did you mean acid?; known are acid, or write a SMILES with R",
        ),
        ('"O=C([OH:1])CC"', "OCC", "CCO is not O=C([OH:1])R with something in place of R"),
        ("elements: [C, F, O]", "elements: [C, F, X]", "X is not generated; give some of C, N, O"),
    ],
)
def test_bad_input_is_named(grease: Path, old: str, new: str, why: str) -> None:
    grease.write_text(CAMPAIGN.replace(old, new))
    with pytest.raises(BadInput) as caught:
        load(grease)
    assert any(why in problem for problem in caught.value.problems), caught.value.problems


def test_molecules_go_through_sheets(tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(BENCH)
    campaign = load(path, thorough=False)
    (design,) = campaign.space.sample(1, seed=1)
    task = Task("t0", design.id, "lab", "measured", 0, seed=1)
    with Store.open(campaign.run_folder) as store:
        picks = [Pick(Proposal(design, "sobol"), "initial")]
        store.decide(0, picks, [task], kinds={"lab": "measurement"}, waiting=["lab"], info={"seed": 1, "seen": 0})
    sheet = tmp_path / "sheet.csv"
    assert ask(campaign, sheet) == 1
    heading, row = sheet.read_text(encoding="utf-8-sig").splitlines()[:2]
    assert "ligand," in heading and str(design.values["ligand"]) in row
    own = ["ligand,density [1],grease [1]", "[OH:1]C(=O)C(F)(F)CC,1,2.5", "CCC(=O)[OH:1]Cl,1,2", "CC(=O)[OH:1],1,2"]
    sheet.write_text("\n".join(own[:2]) + "\n")
    assert tell(campaign, sheet).stored == 1
    sheet.write_text("\n".join([own[0], *own[2:]]) + "\n")
    faults = tell(campaign, sheet).faults
    assert len(faults) == 2 and "cannot exist" in faults[0] and "R has 1 atoms" in faults[1]
    with Store.open(campaign.run_folder) as store:
        assert [r.design.values["ligand"] for r in store.records()] == ["CCC(F)(F)C(=O)[OH:1]"]


def test_a_space_keeps_what_others_say_of_a_choice() -> None:
    def one(name: str, value: object) -> dict[str, float]:
        return {"a": 1.0, "b": 2.0}

    def other(name: str, value: object) -> dict[str, float]:
        return {"a": 9.0, "c": 3.0} if value == "x" else {"a": 9.0}

    space = Space([Parameter("p", "choices", ("x", "y"))], describers=[one]).with_checks((), [other])
    assert space.descriptors("p") == {"x": {"a": 1.0, "b": 2.0}, "y": {"a": 1.0, "b": 2.0}}
    assert space.describe("p", "x") == {"a": 1.0, "b": 2.0, "c": 3.0}
