"""Every class of broken campaign file: the exact line that names it, its place and its cure."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from loop.campaign import load
from loop.errors import BadInput

GOOD = """\
name: films
seed: 7
space:
  oxide: {choices: [magnetite, silica]}
  facet: {choices: ["001", "110"]}
  density: {real: [0, 8], unit: 1/nm^2, step: 0.5}
  length: {integer: [8, 24]}
  temperature: {fixed: 400, unit: K}
constraints:
  - {if: {oxide: silica}, then: {density: 0}}
  - {forbid: {oxide: silica, facet: "110"}}
objectives:
  - {property: modulus, goal: maximize, threshold: 2, unit: GPa}
oracles:
  lab: {kind: measurement, properties: {modulus: GPa, beta: "1"}, replicates: 2}
generator: {kind: uniform}
acquisition: {kind: random}
initial: 8
batch: 4
stop: {evaluations: 40}
execution: {engine: local, slots: 2}
"""

FAULTS = YAML(typ="safe").load(Path(__file__).with_name("campaign_faults.yaml"))


def faults_of(tmp_path: Path, text: str | bytes) -> list[str]:
    """The lines `load` refuses the file with, without the file's name, after a look that nothing was written."""
    path = tmp_path / "campaign.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput) as caught:
        load(path)
    assert sorted(tmp_path.iterdir()) == [path]
    assert all(line.startswith(f"{path}:") for line in caught.value.problems)
    return [line.removeprefix(f"{path}:") for line in caught.value.problems]


@pytest.mark.parametrize("case", FAULTS, ids=[case["case"] for case in FAULTS])
def test_fault_is_named_with_its_place(tmp_path, case):
    assert case["old"] in GOOD
    assert faults_of(tmp_path, GOOD.replace(case["old"], case["new"], 1)) == [case["fault"]]


def test_the_file_the_faults_are_made_from_is_good(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(GOOD)
    assert load(path).name == "films"


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = GOOD.replace("seed: 7", "seed: x").replace("[magnetite, silica]", "[]").replace("goal: maximize", "goal: up")
    text = text.replace("kind: uniform", "kind: unifrom").replace("batch: 4", "batch: 0").replace("slots", "slot")
    lines = faults_of(tmp_path, text)
    assert [line.split(": ")[1] for line in lines] == [
        "seed", "space.oxide.choices", "objectives.0.goal", "generator.kind", "batch", "execution.slot",
    ]  # fmt: skip
    assert [int(line.split(":")[0]) for line in lines] == [2, 4, 13, 16, 19, 21]


UNREADABLE = {
    "empty": ("", "1:1: the file is empty; `loop init` writes a template"),
    "only a comment": ("# nothing\n", "1:1: the file is empty; `loop init` writes a template"),
    "a list": ("- a\n- b\n", "1:1: should be a mapping, not a list"),
    "a word": ("hello\n", "1:1: should be a mapping, not 'hello'"),
    "a tab": ("name: films\nspace:\n\toxide: {fixed: a}\n", "3:1: a tab; YAML is indented with spaces"),
    "not closed": ("space: {oxide: [a, b\n", "2:1: this is not YAML: while parsing a flow sequence: "
                   "expected ',' or ']', but got '<stream end>'"),
    "two documents": ("name: a\n---\nname: b\n", "2:1: a second document begins here; a campaign is one document"),
    "latin-1": ("name: films\n# 5 \u00b5m\n".encode("latin-1"), "2:5: byte 0xb5 is not UTF-8; save the file as UTF-8"),
    "utf-16": ("name: films\n".encode("utf-16"), "1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
    "control character": ("name: fi\x07lms\n", "1:1: special characters are not allowed (character 7)"),
    "unknown alias": ("name: *films\n", "1:7: this is not YAML: found undefined alias 'films'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_file(tmp_path, text, expected):
    assert faults_of(tmp_path, text) == [expected]


def test_aliases_cannot_fill_the_memory(tmp_path):
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    text = "\n".join(["a0: &a0 [x, x]", *levels])
    assert faults_of(tmp_path, text) == ["1:1: aliases expand to more than 100000 values"]


def test_a_file_that_contains_itself_is_refused(tmp_path):
    assert faults_of(tmp_path, "a: &a {b: *a}") == ["1:4: nested deeper than 50 levels"]


def test_a_very_deep_file_is_refused(tmp_path):
    assert faults_of(tmp_path, "[" * 5000) == ["1:1: nested deeper than 50 levels"]


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.yaml: no such file; `loop init .*nowhere\.yaml` writes a template"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(BadInput, match="is a folder, but no campaign's run folder; give the campaign file"):
        load(tmp_path)


def test_unreachable_constraints_name_the_rules(tmp_path):
    text = GOOD.replace('{forbid: {oxide: silica, facet: "110"}}', "{forbid: {length: {min: 8}}}")
    (line,) = faults_of(tmp_path, text)
    assert line == (
        "9:1: constraints: no valid design in 2048 draws; refused by not (length in 8..) (2048); "
        "widen the space or loosen these rules"
    )


def test_a_space_the_oracles_refuse_altogether_is_told(tmp_path):
    text = """\
name: film
seed: 1
space: {oxide: {fixed: magnetite}, facet: {fixed: "001"}, polymer: {fixed: unobtainium}}
objectives: [{property: adhesion_energy, goal: maximize}]
oracles: {md: {kind: openmm, fidelity: smoke}}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {rounds: 1}
"""
    (line,) = faults_of(tmp_path, text)
    assert line.startswith("3:1: space: no valid design in 1 draws; refused by ")


def test_fidelities_of_simulations_rise_in_cost(tmp_path):
    text = """\
name: film
seed: 1
space: {oxide: {fixed: magnetite}, facet: {fixed: "001"}, polymer: {choices: [PE, PEO]}}
objectives: [{property: adhesion_energy, goal: maximize}]
oracles: {md: {kind: openmm, fidelities: [screen, smoke]}}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {rounds: 1}
"""
    (line,) = faults_of(tmp_path, text)
    assert line.startswith(
        "5:42: oracles.md.fidelities: should rise in cost, the last being the one that counts; a design"
    )
    assert line.endswith("s at smoke: write [smoke, screen]")
    path = tmp_path / "campaign.yaml"
    path.write_text(text.replace("[screen, smoke]", "[smoke, screen], replicates: 3"))
    film, smoke = load(path).oracles.values()
    assert (film.name, film.fidelity, film.replicates, film.labels) == ("md", "screen", 3, 0)
    assert (smoke.name, smoke.fidelity, smoke.replicates, smoke.labels) == ("md.smoke", "smoke", 1, "auto")
    assert (film.record_kind, smoke.record_kind) == ("simulation", "synthetic")


def test_an_oracle_with_several_fidelities_needs_a_choice(tmp_path):
    text = GOOD.replace('{kind: measurement, properties: {modulus: GPa, beta: "1"}, replicates: 2}', "{kind: openmm}")
    text = text.replace("modulus", "adhesion_energy").replace(", threshold: 2, unit: GPa", "")
    assert any("oracles.lab: say which fidelity: smoke, screen" in line for line in faults_of(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "schedule", "why"),
    [
        (
            "tried",
            "async",
            "needs the schedule `rounds`: with `async` no round is ever complete; raise replicates instead",
        ),
        ("idle", "rounds", "idle answers no objective, so that its error bars decide nothing"),
    ],
)
def test_replicates_that_could_never_be_added_are_refused(tmp_path, name, schedule, why):
    (tmp_path / "tables").mkdir()
    table = tmp_path / "tables" / "t.csv"
    table.write_text("oxide,strain\nsilica,1\n")
    oracle = f"{{kind: table, path: {table}, properties: {{strain: 1}}, record: simulation, replicates_max: 2}}"
    text = GOOD.replace("oracles:\n", f"oracles:\n  {name}: {oracle}\n").replace("slots: 2", f"schedule: {schedule}")
    if name == "tried":
        text = text.replace("oracles:\n", "  - {property: strain, goal: minimize}\noracles:\n")
    path = tmp_path / "campaign.yaml"
    path.write_text(text.replace("kind: random", "kind: sobol"))
    with pytest.raises(BadInput) as caught:
        load(path)
    (line,) = caught.value.problems
    assert line.endswith(f": oracles.{name}.replicates_max: {why}")


def test_an_oracle_that_is_broken_hides_no_other_fault_and_invents_none(tmp_path):
    lines = faults_of(tmp_path, GOOD.replace("kind: measurement", "kind: nobody").replace("batch: 4", "batch: no"))
    assert [line.split(": ")[1] for line in lines] == ["oracles.lab.kind", "batch"]
