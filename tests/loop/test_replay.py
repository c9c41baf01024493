"""`loop replay`: other choices, answered from a campaign's own records, which stay as they are."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from loop.campaign import load
from loop.cli import make_app
from loop.errors import BadInput
from loop.replay import CONTROL, Player, choices, most_evaluations, recorded, with_settings
from loop.replay.pool import Left, TableSpace
from loop.seeds import derive
from loop.space import Space
from loop.store import Reader
from loop.types import Condition, Failure, Parameter, Record

CAMPAIGN = """\
name: films
seed: 7
space:
  polymer: {choices: [PVDF, PEO, PE]}
  density: {real: [0, 8], unit: 1/nm^2, step: 0.25}
  chains: {integer: [1, 9]}
constraints:
  - {if: {polymer: PE}, then: {density: {max: 6}}}
objectives:
  - {property: adhesion, goal: maximize}
oracles:
  rule:
    kind: formula
    tables: {wetting: {PVDF: 30, PEO: 60, PE: 0}}
    properties:
      adhesion: {expression: "40 + 12*density - density**2 + wetting[polymer]*sqrt(chains - 4)", unit: mJ/m^2, se: 2}
      dipole: {expression: "8 - density", unit: D, se: 0.1}
generator: {kind: uniform}
acquisition: {kind: random}
initial: 30
batch: 10
stop: {evaluations: 60}
execution: {slots: 1, failed_limit: 1}
"""
"""Three of nine designs fail: below four chains there is no square root."""


def loop(*args: object, folder: Path) -> SimpleNamespace:
    with chdir(folder):
        result = CliRunner().invoke(make_app(), [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr)


def campaign(folder: Path, text: str = CAMPAIGN, code: int = 0) -> Path:
    (folder / "films.yaml").write_text(text)
    assert loop("run", "films.yaml", folder=folder).code == code
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished campaign of one goal."""
    return campaign(tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished campaign of two goals, some of whose 24 designs fail."""
    goals = "adhesion, goal: maximize, threshold: 60}\n  - {property: dipole, goal: maximize, threshold: 1}"
    text = CAMPAIGN.replace("adhesion, goal: maximize}", goals).replace("initial: 30", "initial: 6")
    return campaign(tmp_path_factory.mktemp("replay"), text.replace("evaluations: 60", "evaluations: 24"))


def files_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_search_beats_random_picks_on_the_same_records(folder: Path) -> None:
    """The surface is smooth: a model of some designs points at the best, where random picks find it half way."""
    asked = ("--acquisition", "qlognei", "--initial", 6, "--batch", 6, "--seeds", 4, "--json")
    shown = loop("replay", "films.yaml", *asked, folder=folder)
    found = json.loads(shown.out)
    search, random = found["choices"]
    assert (search["choice"], random["choice"]) == ("qlognei", "random")
    assert (found["designs"], found["initial"], found["batch"], found["seeds"]) == (60, 6, 6, 4)
    assert search["reached"] == random["reached"] == 4
    assert search["until_wanted"]["median"] < random["until_wanted"]["median"]
    beside = search["against_random"]
    assert beside["sooner"] + beside["later"] + beside["same"] == 4 and beside["saved"] > 0
    assert random["against_random"] is None
    assert search["rounds"][0] == random["rounds"][0], "all choices begin with the same designs"
    assert search["rounds"][-1]["median"] == found["whole"]


def test_what_is_to_be_found_is_the_best_record(folder: Path) -> None:
    with Reader.open(folder / "runs" / "films") as reader:
        best = max(reader.records(), key=lambda record: record.estimates["adhesion"].mean)
        failed = {failure.design for failure in reader.failures()}
        in_time = [p for p in reader.proposals() if p.round <= best.round]
    found = json.loads(loop("replay", "films.yaml", "--seeds", 1, "--json", folder=folder).out)
    assert found["whole"] == found["wanted"] == best.estimates["adhesion"].mean
    assert found["failed"] == len(failed) > 10
    assert found["campaign_until_wanted"] == len(in_time)
    assert (found["measure"], found["property"], found["unit"]) == ("best", "adhesion", "mJ/m^2")


def test_random_picks_find_the_best_of_n_half_way(folder: Path) -> None:
    """One at a time, the rank of the best among n in random order is uniform over 1 .. n: mean (n + 1) / 2."""
    answers = with_settings(recorded(folder / "films.yaml"), seed=None, initial=1, batch=1)
    answers = replace(answers, of=dict(list(answers.of.items())[:10]))
    player = Player(CONTROL, answers, 10)
    ranks = [player.play(number).steps[-1].evaluations for number in range(60)]
    standard_error = np.sqrt((10**2 - 1) / 12 / 60)
    assert abs(np.mean(ranks) - 11 / 2) < 4 * standard_error


def test_answers_are_the_records_and_failures_stay_failures(folder: Path) -> None:
    answers = recorded(folder / "films.yaml")
    with Reader.open(folder / "runs" / "films") as reader:
        known = {one.design: one for one in (*reader.records(), *reader.failures())}
    assert {design: one for design, (one,) in answers.of.items()} == known
    answers = with_settings(answers, seed=None, initial=10, batch=10)
    step = Player(CONTROL, answers, 60).play(0).steps[0]
    drawn = TableSpace(answers.campaign.space, answers.of).sample(10, seed=derive(derive(7, "replay", 0), "initial", 0))
    assert step.evaluations == 10
    assert step.failures == sum(isinstance(known[design], Failure) for design in drawn) > 0
    best = max(known[d].estimates["adhesion"].mean for d in drawn if isinstance(known[d], Record))
    assert step.found == best


def test_several_goals_are_measured_by_the_campaigns_own_hypervolume(several: Path) -> None:
    whole = json.loads(loop("status", "films.yaml", "--json", folder=several).out)["hypervolume"]
    shown = loop("replay", "films.yaml", "--acquisition", "qlognehvi", "--seeds", 2, "--json", folder=several)
    found = json.loads(shown.out)
    assert (found["measure"], found["property"], found["unit"]) == ("hypervolume", None, None)
    assert found["whole"] == pytest.approx(whole) and found["wanted"] == pytest.approx(0.95 * whole)
    for choice in found["choices"]:
        values = [row["median"] for row in choice["rounds"]]
        assert values == sorted(values) and values[-1] == pytest.approx(whole)
        assert choice["reached"] == 2


def test_the_same_seed_gives_the_same_output_and_another_does_not(several: Path, tmp_path: Path) -> None:
    def play(*more: object) -> tuple[str, str]:
        out = tmp_path / "runs.csv"
        shown = loop("replay", "films.yaml", "--seeds", 2, "--rounds", 2, "-o", out, *more, folder=several)
        assert shown.code == 0, shown.err
        return shown.out, out.read_text()

    first = play("--acquisition", "qlognehvi")
    assert play("--acquisition", "qlognehvi") == first
    assert play("--seed", 8)[1] != play()[1] == play("--seed", 7)[1]
    rows = list(csv.DictReader(first[1].splitlines()))
    assert {(row["acquisition"], row["run"]) for row in rows} == {
        (kind, run) for kind in ("qlognehvi", "random") for run in "01"
    }
    assert {row["evaluations"] for row in rows} == {"6", "16", "24"}, "the campaign's own batch, cut at its 24 designs"


def test_nothing_is_written_into_the_campaign(several: Path) -> None:
    before = files_in(several)
    assert loop("replay", "films.yaml", "--seeds", 1, folder=several).code == 0
    assert loop("replay", "runs/films", "--seeds", 1, "--json", folder=several).code == 0
    after = files_in(several)
    assert {name: digest for name, digest in after.items() if "campaign.db-" not in name} == {
        name: digest for name, digest in before.items() if "campaign.db-" not in name
    }, "but for what SQLite keeps beside a database while it is read"


def test_no_oracle_is_needed(several: Path, tmp_path: Path) -> None:
    """A stranger's campaign whose plug-in is not installed here is replayed from its records."""
    shutil.copytree(several, tmp_path, dirs_exist_ok=True)
    text = (several / "films.yaml").read_text()
    (tmp_path / "films.yaml").write_text(text.replace("kind: formula", 'kind: "no_such_module:Oracle"'))
    assert loop("status", "films.yaml", folder=tmp_path).code == 2
    with pytest.raises(BadInput):
        load(tmp_path / "films.yaml", thorough=False)
    here = json.loads(loop("replay", "films.yaml", "--seeds", 2, "--json", folder=several).out)
    there = json.loads(loop("replay", "films.yaml", "--seeds", 2, "--json", folder=tmp_path).out)
    (note,) = there.pop("notes")
    assert "cannot import 'no_such_module:Oracle'" in note and here.pop("notes") == []
    assert there == here


def test_openmm_is_not_needed(several: Path, tmp_path: Path) -> None:
    """Its oracle can be built without it, but not say what a polymer is like."""
    shutil.copytree(several, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "films.yaml").read_text()
    start, end = text.index("oracles:"), text.index("generator:")
    (tmp_path / "films.yaml").write_text(
        f"{text[:start]}oracles:\n  rule: {{kind: openmm, fidelity: smoke}}\n{text[end:]}"
    )
    code = (
        "import sys\nsys.modules['openmm'] = None\nfrom loop.cli import main\n"
        "sys.argv = ['loop', 'replay', 'films.yaml', '--seeds', '1', '--json']\nmain()\n"
    )
    shown = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    (note,) = json.loads(shown.stdout)["notes"]
    assert "oracles.rule cannot be asked: ModuleNotFoundError: import of openmm halted" in note


def test_a_table_is_not_left_where_the_space_is_searched_directly(tmp_path: Path) -> None:
    """From 50 records on an acquisition may add designs of its own to the pool: here, only those of the table."""
    many = CAMPAIGN.replace("initial: 30", "initial: 90").replace("evaluations: 60", "evaluations: 90")
    answers = recorded(campaign(tmp_path, many) / "films.yaml")
    answers = with_settings(answers, seed=None, initial=80, batch=5)
    (choice, _) = choices(answers, ["qlognei"], [])
    runs = (Player(choice, answers, 90).play(number) for number in range(60))
    first, second, *_ = next(run.steps for run in runs if len(run.steps) > 1)
    assert first.evaluations - first.failures > 50
    assert (second.evaluations, second.fallbacks) == (85, 0)


def test_what_is_told_says_what_a_replay_cannot(folder: Path) -> None:
    shown = loop("replay", "films.yaml", "--seeds", 2, folder=folder).out
    assert "Only designs that the campaign evaluated can be picked" in shown
    assert shown.startswith("films: 60 evaluated designs, ")
    assert " of them failures; 2 runs of each choice, 30 designs drawn first, then 10 a round, 60 at most\n" in shown


def test_a_generator_tells_its_density_and_proposes_nothing_else(folder: Path) -> None:
    answers = with_settings(recorded(folder / "films.yaml"), seed=None, initial=10, batch=10)
    (choice, control) = choices(answers, ["random"], ["cvae"])
    assert (choice.name, control) == ("random + cvae", CONTROL)
    player = Player(choice, answers, 30)
    assert [step.evaluations for step in player.play(0).steps][:2] == [10, 20]

    class Lengths:
        """A density that falls with the number of chains."""

        name = "lengths"

        def log_density(self, designs):
            return np.array([-float(design.values["chains"]) for design in designs])

    table = list(answers.of)
    left = Left(Lengths(), answers.campaign.space, table, seed=1)
    known = frozenset(table[:5])
    proposals = left.propose(1000, Condition(known=known), (), seed=1)
    assert {p.design for p in proposals} == set(table) - known
    assert [p.log_density for p in proposals] == sorted((p.log_density for p in proposals), reverse=True)
    assert all(p.log_density == -p.design.values["chains"] for p in proposals)


def test_a_table_is_a_space_of_its_own_designs() -> None:
    whole = Space([Parameter("x", "integer", bounds=(0, 9)), Parameter("y", "real", bounds=(0.0, 1.0), step=0.1)])
    designs = whole.sample(5, seed=1)
    table = TableSpace(whole, designs).with_checks([lambda design: 1 / 0])
    assert set(table.sample(99, seed=3)) == set(designs) and len(table.sample(2, seed=3)) == 2
    assert table.sample(5, seed=3) == table.sample(5, seed=3) != table.sample(5, seed=4)
    other = next(design for design in whole.sample(40, seed=2) if design not in designs)
    assert table.violations(designs[0]) == () and table.violations(other) == ("in the table",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--acquisition", "qlogney"],
            "--acquisition qlogney: no acquisition is called 'qlogney'; did you mean qlognei",
        ),
        (["--acquisition", "qlognehvi"], "--acquisition qlognehvi: cannot handle 1 objective: it takes two to four"),
        (["--generator", "gan"], "--generator gan: no generator is called 'gan'"),
        (
            ["--initial", "60"],
            "films: the first 60 of 60 designs are drawn at random, so that nothing",
        ),
        (["--evaluations", "30"], "--evaluations 30: the first 30 designs are drawn at random; allow more"),
        (["-o", "no/such/folder.csv"], "no/such/folder.csv: there is no folder no/such"),
    ],
)
def test_what_cannot_be_replayed_is_one_line_with_its_cure(folder: Path, arguments: list[str], said: str) -> None:
    shown = loop("replay", "films.yaml", "--seeds", 1, *arguments, folder=folder)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(said) and len(shown.err.splitlines()) == 1
    if "called" in said:
        assert "there are" in shown.err


def test_campaigns_without_enough_records_say_so(tmp_path: Path) -> None:
    assert loop("replay", "films.yaml", folder=tmp_path).err.startswith("films.yaml: no such file")
    (tmp_path / "films.yaml").write_text(CAMPAIGN)
    shown = loop("replay", "films.yaml", folder=tmp_path)
    assert (shown.code, shown.err) == (2, "films has not been run yet: loop run films.yaml\n")
    one = CAMPAIGN.replace("initial: 30", "initial: 1").replace("evaluations: 60", "evaluations: 1")
    shown = loop("replay", "films.yaml", folder=campaign(tmp_path, one))
    assert (shown.code, shown.err) == (
        2,
        "films: 1 evaluated design to replay, at least 3 are needed; go on first: loop run films.yaml\n",
    )


def test_a_campaign_in_which_everything_failed_says_so(tmp_path: Path) -> None:
    failing = CAMPAIGN.replace("chains - 4", "chains - 10")
    shown = loop("replay", "films.yaml", folder=campaign(tmp_path, failing))
    assert (shown.code, shown.err) == (
        2,
        "films: no design of 60 has every objective, so that there is nothing to be found\n",
    )


def test_other_limits_reach_the_settings(folder: Path) -> None:
    answers = with_settings(recorded(folder / "films.yaml"), seed=3, initial=6, batch=2)
    assert (answers.campaign.seed, answers.campaign.initial, answers.campaign.batch) == (3, 6, 2)
    assert most_evaluations(answers, None, None) == 60
    assert most_evaluations(answers, 50, 4) == 6 + 4 * 2
    assert most_evaluations(answers, 9, 4) == 9
