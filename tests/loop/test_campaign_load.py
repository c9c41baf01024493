"""What a good campaign file becomes, how it is found from its run folder, and what a resume may change."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loop.campaign import load
from loop.campaign.guard import amend, changed, differences, keep
from loop.campaign.model import Execution, Stop
from loop.campaign.schema import json_schema
from loop.campaign.template import template
from loop.errors import BadInput
from loop.space import Range
from loop.store import Store
from loop.types import Parameter

TEXT = """\
name: films
seed: 7
space:
  oxide: {choices: [magnetite, silica]}
  facet: {choices: ["001", "110"]}
  density: {real: [0, 0.08], unit: 1/angstrom^2, step: 0.005}
  length: {integer: [8, 24]}
  temperature: {fixed: 126.85, unit: degC}
  annealing: {real: [0, 120], unit: min, step: 1}
constraints:
  - {if: {oxide: silica}, then: {density: {max: 0.04}}}
  - {name: no silica 110, forbid: {oxide: silica, facet: ["110"]}}
objectives:
  - {property: modulus, goal: maximize, threshold: 2000, unit: MPa}
  - {property: beta, goal: target, target: 80, unit: percent, oracle: other}
oracles:
  lab: {kind: measurement, properties: {modulus: GPa, beta: "1"}, replicates: 2, time_limit: 1.5 h}
  other: {kind: measurement, properties: {beta: 1}}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {hours: 30 min, rounds: 3}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "films.yaml"
    path.write_text(TEXT)
    return path


def test_numbers_arrive_in_canonical_units(file):
    campaign = load(file)
    assert campaign.space.parameters == (
        Parameter("oxide", "choices", choices=("magnetite", "silica")),
        Parameter("facet", "choices", choices=("001", "110")),
        Parameter("density", "real", bounds=(0, 8), unit="1/nm^2", step=0.5),
        Parameter("length", "integer", bounds=(8, 24)),
        Parameter("temperature", "fixed", choices=(400.0,), unit="K"),
        Parameter("annealing", "real", bounds=(0, 120), unit="min", step=1),
    )
    silica, forbidden = campaign.space.constraints
    assert silica.when == {"oxide": ("silica",)}
    assert silica.then == {"density": Range(None, 4.0)}
    assert (silica.name, forbidden.name) == ("oxide=silica => density in ..4", "no silica 110")
    modulus, beta = campaign.objectives
    assert (modulus.oracle, modulus.unit, modulus.threshold) == ("lab", "GPa", 2.0)
    assert (beta.oracle, beta.unit, beta.target) == ("other", "1", 0.8)


def test_the_rest_of_the_file(file):
    campaign = load(file)
    lab = campaign.oracles["lab"]
    assert (lab.fidelity, lab.replicates, lab.time_limit, lab.attempts) == ("measured", 2, 5400.0, 3)
    assert (lab.record_kind, lab.isolation) == ("measurement", "person")
    assert campaign.oracles["other"].oracle.properties == {"beta": "1"}
    assert campaign.stop == Stop(rounds=3, hours=0.5)
    assert (campaign.initial, campaign.batch, campaign.execution.schedule) == (8, 4, "rounds")
    assert campaign.execution.slots >= 1
    assert campaign.execution == Execution(slots=campaign.execution.slots)
    assert campaign.text == TEXT
    assert campaign.path == file
    assert campaign.run_folder == file.parent / "runs" / "films"


def test_acquisition_follows_the_number_of_objectives(file):
    file.write_text(TEXT.replace("acquisition: {kind: random}\n", ""))
    assert load(file, thorough=False).acquisition.kind == "qlognehvi"
    single = TEXT.replace("acquisition: {kind: random}\n", "").replace(
        "  - {property: beta, goal: target, target: 80, unit: percent, oracle: other}\n", ""
    )
    file.write_text(single)
    assert load(file, thorough=False).acquisition.kind == "qlognei"


def test_an_acquisition_of_one_objective_refuses_two(file):
    file.write_text(TEXT.replace("kind: random", "kind: qlognei"))
    with pytest.raises(BadInput, match=r"acquisition\.kind: qlognei cannot handle 2 objectives: .*qlognehvi"):
        load(file)


def test_utf8_mark_and_windows_lines_are_read(file):
    plain = load(file)
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load(file).guarded == plain.guarded


def test_yaml_words_and_numbers_mean_what_scientists_write(file):
    text = TEXT.replace("[magnetite, silica]", "[no, on, magnetite, silica]").replace("step: 0.005", "step: 5e-3")
    file.write_text(text)
    campaign = load(file)
    assert campaign.space["oxide"].choices == ("no", "on", "magnetite", "silica")
    assert campaign.space["density"].step == 0.5


def test_a_run_folder_stands_for_its_campaign(file):
    (file.parent / "other.yaml").write_text(TEXT.replace("name: films", "name: other"))
    (file.parent / "broken.yaml").write_text("name: [\n")
    folder = file.parent / "runs" / "films"
    folder.mkdir(parents=True)
    assert load(folder).path == file
    (file.parent / "twin.yaml").write_text(TEXT)
    with pytest.raises(BadInput, match=r"films\.yaml and twin\.yaml both use this run folder; name one"):
        load(folder)


def test_the_judged_space_knows_the_oracles_rules(tmp_path):
    path = tmp_path / "md.yaml"
    path.write_text("""\
name: film
seed: 1
space: {oxide: {choices: [magnetite, unobtainium]}, polymer: {fixed: PVDF}}
objectives: [{property: adhesion_energy, goal: maximize}]
oracles: {md: {kind: openmm, fidelity: smoke}}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {rounds: 1}
""")
    campaign = load(path)
    bad = campaign.space.canonicalise({"oxide": "unobtainium"})
    assert not campaign.space.violations(bad)
    assert campaign.judged_space().violations(bad)


def test_the_template_is_a_good_campaign(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(template("first"))
    campaign = load(path)
    assert campaign.name == "first"
    assert not campaign.judged_space().violations(campaign.judged_space().sample(1, seed=1)[0])


def test_shipped_campaigns_are_good():
    files = sorted((Path(__file__).parents[2] / "campaigns").glob("*.yaml"))
    assert files
    for file in files:
        load(file)


def test_guarded_is_the_same_in_another_process_and_moves_with_physics_only(file):
    campaign = load(file)
    code = "import sys; from loop.campaign import load; print(load(sys.argv[1]).guarded_sha)"
    other = subprocess.run([sys.executable, "-P", "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == campaign.guarded_sha
    for old, new, moves in (
        ("rounds: 3", "rounds: 30", False),
        ("kind: random", "kind: sobol", False),
        ("time_limit: 1.5 h", "time_limit: 2 h", False),
        ("threshold: 2000, unit: MPa", "threshold: 2, unit: GPa", False),
        ("seed: 7", "seed: 8", True),
        ("replicates: 2", "replicates: 3", False),
        ("modulus: GPa", "modulus: MPa", True),
        ("[8, 24]", "[8, 25]", True),
        ("goal: maximize", "goal: minimize", True),
        ("max: 0.04", "max: 0.05", True),
    ):
        file.write_text(TEXT.replace(old, new))
        assert (load(file, thorough=False).guarded_sha != campaign.guarded_sha) is moves, new


def test_replicates_are_a_budget_and_may_change_either_way(file):
    with Store.open(load(file).run_folder) as store:
        keep(store, load(file))
        for count in ("4", "1"):
            file.write_text(TEXT.replace("replicates: 2", f"replicates: {count}"))
            assert changed(store, load(file)) == []
            keep(store, load(file))
        assert len(store.config_versions()) == 3


def test_resume_guard_names_each_difference_until_amended(file):
    campaign = load(file)
    with Store.open(campaign.run_folder) as store:
        keep(store, campaign)
        keep(store, campaign)
        assert len(store.config_versions()) == 1
    file.write_text(TEXT.replace("seed: 7", "seed: 8").replace("[8, 24]", "[8, 30]").replace("rounds: 3", "rounds: 4"))
    edited = load(file)
    with Store.open(campaign.run_folder) as store:
        with pytest.raises(BadInput) as caught:
            keep(store, edited)
        assert len(store.config_versions()) == 1
    assert caught.value.problems == (
        "films.yaml: what was decided so far rests on other settings:",
        "  seed: was 7, is 8",
        "  space.length.bounds: was [8,24], is [8,30]",
        'films.yaml: put them back, choose a new name, or accept them: loop amend films.yaml --reason "..."',
    )
    with pytest.raises(BadInput, match="needs a reason"):
        amend(edited, " ")
    assert amend(edited, "longer chains") == ["seed: was 7, is 8", "space.length.bounds: was [8,24], is [8,30]"]
    with Store.open(campaign.run_folder) as store:
        keep(store, edited)
        assert store.config_versions()[-1].reason == "longer chains"
        assert not changed(store, edited)
        assert changed(store, campaign)
        assert any(event.kind == "amended" for event in store.events())
    assert amend(edited, "again") == []


def test_amending_what_has_not_begun_is_refused(file):
    with pytest.raises(BadInput, match="has not begun; just change the file"):
        amend(load(file), "early")
    assert not (file.parent / "runs").exists()


def test_differences_tell_added_and_removed():
    assert differences({"a": {"x": 1}, "b": 2}, {"a": {"y": 1}, "b": 2}) == [
        "a.x: was 1, is absent",
        "a.y: was absent, is 1",
    ]


def test_schema_is_json_and_refuses_unknown_keys():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["additionalProperties"] is False
    assert {"name", "seed", "space", "objectives", "oracles", "stop"} <= set(schema["required"])
    assert "if" in schema["$defs"]["ConstraintEntry"]["properties"]
