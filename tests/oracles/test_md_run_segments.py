"""The manifest of a run: what survives a kill, damage and a change of machine."""

import json

import numpy as np
import pytest

from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.replica import segments
from oracles.openmm.simulate.segments import MANIFEST, Journal

QUESTION = {"design": {"oxide": "magnetite"}, "seed": 7}
MACHINE = {"platform": "CPU", "openmm": "8"}


def begun(folder, count=3):
    journal = Journal(folder, QUESTION)
    journal.resume(MACHINE)
    for k in range(count):
        journal.commit("production", 100, f"state {k}".encode(), {"x": np.array([float(k), k + 0.5])}, height=2.0)
    return journal


def reopened(folder, machine=MACHINE, question=QUESTION):
    journal = Journal(folder, question)
    journal.resume(machine)
    return journal


def test_goes_on_from_the_last_segment(tmp_path):
    begun(tmp_path)
    journal = reopened(tmp_path)
    assert [entry["step"] for entry in journal.entries] == [100, 200, 300]
    assert journal.checkpoint() == b"state 2"
    assert journal.series("production")["x"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert journal.notes == []


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path):
    journal = begun(tmp_path)
    (tmp_path / journal.entries[2]["checkpoint"]["file"]).write_bytes(b"state X")
    again = reopened(tmp_path)
    assert len(again.entries) == 2
    assert again.checkpoint() == b"state 1"
    assert "damaged" in again.notes[0]


def test_damaged_series_are_never_joined(tmp_path):
    journal = begun(tmp_path)
    (tmp_path / journal.entries[1]["series"]["file"]).unlink()
    again = reopened(tmp_path)
    assert len(again.entries) == 0  # the first segment's checkpoint is no longer kept: start afresh
    assert "damaged" in again.notes[0]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema": 1}', "\x00\x01"])
def test_a_damaged_manifest_starts_afresh_and_says_so(tmp_path, text):
    begun(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    again = reopened(tmp_path)
    assert again.entries == []
    assert "fresh start" in again.notes[0]


def test_another_machine_starts_afresh_and_says_what_changed(tmp_path):
    begun(tmp_path)
    again = reopened(tmp_path, {"platform": "CUDA", "openmm": "8"})
    assert again.entries == []
    assert "platform changed" in again.notes[0]


def test_another_question_starts_afresh(tmp_path):
    begun(tmp_path).finish({"estimates": {}})
    again = reopened(tmp_path, question={**QUESTION, "seed": 8})
    assert again.answer is None
    assert "another run" in again.notes[0]


def test_a_kill_between_segment_files_and_manifest_loses_only_that_segment(tmp_path):
    begun(tmp_path)
    before = (tmp_path / MANIFEST).read_bytes()
    journal = reopened(tmp_path)
    journal.commit("production", 100, b"state 3", {"x": np.zeros(2)}, height=2.0)
    (tmp_path / MANIFEST).write_bytes(before)
    again = reopened(tmp_path)
    assert len(again.entries) == 3
    assert again.checkpoint() == b"state 2"


def test_a_try_given_up_is_remembered_and_the_next_starts_from_nothing(tmp_path):
    begun(tmp_path).fail_try("temperature 9000 K", "try0.pdb")
    again = reopened(tmp_path)
    assert again.entries == []
    assert again.tries[0]["reason"] == "temperature 9000 K"


def test_an_answer_is_kept_and_its_scaffolding_removed(tmp_path):
    begun(tmp_path).finish({"estimates": {"x": 0.1 + 0.2}})
    assert Journal(tmp_path, QUESTION).answer == {"estimates": {"x": 0.30000000000000004}}
    assert list((tmp_path / "segments").iterdir()) == []
    assert json.loads((tmp_path / MANIFEST).read_text())["seconds"] == {}


@pytest.mark.parametrize("name", FIDELITIES)
def test_segments_add_up_and_a_retry_lasts_as_long(name):
    fidelity = FIDELITIES[name]
    for run in (fidelity, fidelity.halved()):
        plan = list(segments(run))
        assert sum(steps for _, steps, _ in plan) == sum(stage.steps for stage in run.stages)
        assert all(steps % stage.sample == 0 for stage, steps, _ in plan)
        time = sum(steps * stage.step_fs for stage, steps, _ in plan)
        assert time == pytest.approx(sum(stage.steps * stage.step_fs for stage in fidelity.stages))
