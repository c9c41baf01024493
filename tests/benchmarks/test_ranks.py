"""Rank agreement and its ceiling, on numbers whose reliability is known."""

import json

import numpy as np
import pytest

from benchmarks.validation import ranks, surfaces
from loop import Estimate, Outcome
from oracles.openmm.outcome import as_json
from oracles.openmm.simulate.segments import Journal


def replicas(means, sd, n=3, seed=1):
    """Surface -> replicas that scatter by `sd` about the surface's mean."""
    rng = np.random.default_rng(seed)
    return {f"s{k:02d}": list(mean + sd * rng.normal(size=n)) for k, mean in enumerate(means)}


def test_the_ceiling_is_what_a_second_set_of_replicas_agrees_to():
    """Signal and noise of one size, three replicas: reliability 3/4."""
    means = np.random.default_rng(0).normal(size=400)
    one, again = (replicas(means, 1.0, seed=seed) for seed in (1, 2))
    found = ranks.compare(one, again)
    assert found["ceiling"] == pytest.approx(found["agreement"], abs=0.05)
    assert found["ceiling"] == pytest.approx(0.75, abs=0.05)


def test_replicas_without_signal_have_no_ceiling_to_speak_of():
    found = ranks.compare(replicas(np.zeros(400), 1.0, seed=1), replicas(np.zeros(400), 1.0, seed=2))
    assert found["ceiling"] < 0.3
    assert found["low"] < 0 < found["high"]


def test_ways_that_share_no_noise_and_no_signal_stay_below_their_ceiling():
    rng = np.random.default_rng(3)
    found = ranks.compare(replicas(rng.normal(size=200), 0.1), replicas(rng.normal(size=200), 0.1, seed=2))
    assert found["ceiling"] > 0.95 and abs(found["agreement"]) < 0.2


def test_orders_turned_round_are_named_and_those_within_noise_are_not():
    one = replicas([0, 1, 2, 3, 4, 5, 6, 7], 0.01)
    other = replicas([0, 1, 2, 3, 4, 5, 7, 6], 0.01, seed=2)
    assert [row[:2] for row in ranks.turned(one, other)] == [("s07", "s06")]
    assert ranks.turned(one, replicas([0, 1, 2, 3, 4, 5, 7, 6], 1.0, seed=2)) == []
    row = ranks.compare(one, other)
    assert row["agreement"] == pytest.approx(1 - 6 * 2 / (8 * 63))
    assert "1 of 28 pairs turn round" in ranks.flips("x", row, "this", "that")
    assert "this has, and that has not: s07 over s06." in ranks.flips("x", row, "this", "that")


def stored(n=10, seed=1, count=3):
    """As `surfaces.load` gives them."""
    rng = np.random.default_rng(seed)
    return {
        name: {str(k): {p: mean + rng.normal() for p in surfaces.PROPERTIES} for k in range(count)}
        for mean, name in enumerate(list(surfaces.designs())[:n])
    }


def test_a_comparison_needs_surfaces_with_replicas_in_both_ways():
    assert ranks.compared(stored(10), stored(7)) is None
    assert ranks.compared(stored(10), {}) is None
    found = ranks.compared(stored(10), stored(9))
    assert {row["surfaces"] for row in found.values()} == {9}
    failed = stored(9)
    failed[next(iter(failed))] = {"0": {}, "1": {}, "2": {}}
    assert ranks.compared(stored(10), failed)["adhesion_energy"]["surfaces"] == 8


def test_the_page_says_what_was_not_run_and_how_to_run_it():
    pages = ranks.text(
        {"clayff smoke against minff smoke": ranks.compared(stored(), stored(seed=2)), "a against b": None}
    )
    assert "10 surfaces, 3 and 3 replicas of each" in pages
    assert 'a against b: not run. `python -m benchmarks.validation.surfaces "a" "b"`' in pages


def test_every_surface_has_a_name_of_its_own():
    assert len(surfaces.designs()) == len(surfaces.SURFACES)
    assert "hematite (0001) octahedral, 4 OH/nm^2" in surfaces.designs()


def test_finished_replicas_are_taken_in_from_their_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(surfaces, "FOLDER", tmp_path / "results")
    name, design = next(iter(surfaces.designs().items()))
    estimates = {p: Estimate(k + 1.0, 0.1, "1") for k, p in enumerate(surfaces.PROPERTIES)}
    for folder, seed, changes in (
        ("a", 9000, {}),
        ("b", 9001, {}),
        ("other force field", 9002, {"pvdf_model": "byutner-smith"}),
        ("other surface", 9003, {"design": {**design.values, "hydroxyl_density": 1.5}}),
    ):
        question = {"design": dict(design.values), "fidelity": "screen", "seed": seed, "oxide_model": "clayff"}
        journal = Journal(tmp_path / "runs" / folder, {**question, "pvdf_model": "sage", **changes})
        journal.finish(as_json(Outcome(estimates)))
    Journal(tmp_path / "runs" / "unfinished", {**question, "pvdf_model": "sage"}).write()
    assert surfaces.read(tmp_path / "runs") == {"clayff screen": 2}
    values = dict(zip(surfaces.PROPERTIES, (1.0, 2.0, 3.0), strict=True))
    assert surfaces.load("clayff screen") == {name: {"9000": values, "9001": values}}


def test_what_is_there_is_not_simulated_again(tmp_path, monkeypatch):
    monkeypatch.setattr(surfaces, "FOLDER", tmp_path)
    seed = str(surfaces.WAYS["minff smoke"].seed)
    done = {name: {seed: {"adhesion_energy": 1.0}} for name in surfaces.designs()}
    (tmp_path / "minff-smoke.json").write_text(json.dumps(done))
    surfaces.measure("minff smoke", 1)
    assert surfaces.load("minff smoke") == done
