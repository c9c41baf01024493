"""`loop status --json`: the states of a campaign, its counts, and its best designs."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from loop.status import snapshot
from loop.types import Check

KEYS = ["schema", "name", "state", "ending", "round", "tasks", "records", "added_replicates", "best", "hypervolume"]
KEYS += ["ledger", "health"]


def test_a_campaign_that_was_never_run_is_new_and_nothing_is_made(story) -> None:
    told = story()
    told.store.close()
    folder = told.campaign.run_folder
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    status = snapshot(told.campaign)
    assert list(status) == KEYS
    assert status["state"] == "new"
    assert status["best"] == [] and status["hypervolume"] is None
    assert not folder.exists()


def test_counts_and_best(story) -> None:
    told = story(replicates=2)
    good, better = told.simulate(0, [(1.0, 20.0), (2.0, 30.0)])
    told.measure(good, 0.4)
    first, second, *_ = told.decide(1, [told.design(5), told.design(6)])
    told.fail(first)
    told.store.intend(second.id, {})
    status = snapshot(told.campaign)
    assert json.loads(json.dumps(status, allow_nan=False)) == status
    assert status["schema"] == 1 and status["name"] == "films" and status["round"] == 1
    assert status["tasks"] == {"done": 5, "failed": 1, "running": 1, "queued": 2, "waiting": 0}
    assert status["records"] == {"measurement": 1, "simulation": 2, "synthetic": 0}
    assert [entry["design_id"] for entry in status["best"]] == [better.id, good.id]
    top = status["best"][0]
    assert top["design"]["density"] == 0.1 and top["round"] == 0
    assert top["properties"]["adhesion"]["mean"] == 30 and top["properties"]["adhesion"]["unit"] == "mJ/m^2"
    # reference: the worst dipole of the first round, 1 D, and the threshold, 10 mJ/m^2
    assert status["hypervolume"] == pytest.approx((2 - 1) * (30 - 10))


def test_a_single_objective_has_no_hypervolume_and_an_error_not_given_is_null(story) -> None:
    told = story(objectives="objectives: [{property: beta_fraction, goal: maximize, oracle: lab}]")
    told.measure(told.design(1), 0.4, se=0.0)
    status = snapshot(told.campaign)
    assert status["hypervolume"] is None
    assert status["best"][0]["properties"]["beta_fraction"] == {"mean": 0.4, "se": None, "unit": "1"}


def test_a_living_writer_means_running(story) -> None:
    told = story()
    told.simulate(0, [(1.0, 20.0)])
    assert snapshot(told.campaign)["state"] == "running"


def test_a_killed_writer_means_interrupted(story) -> None:
    told = story()
    told.store.event("run_started", {})
    told.decide(0, [told.design(1)])
    lock = told.campaign.run_folder / "lock"
    holder = json.loads(lock.read_text())
    told.store.close()
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    lock.write_text(json.dumps(holder | {"pid": dead.pid}))
    assert snapshot(told.campaign)["state"] == "interrupted"


def test_a_writer_on_another_host_runs_while_it_gives_signs_of_life(story) -> None:
    told = story()
    told.store.event("run_started", {})
    told.store.close()
    lock = told.campaign.run_folder / "lock"
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1, "boot": "b", "started": 0.0}))
    assert snapshot(told.campaign)["state"] == "running"
    os.utime(lock, (1e9, 1e9))
    assert snapshot(told.campaign)["state"] == "interrupted"


@pytest.mark.parametrize(("code", "state"), [(0, "done"), (3, "failed"), (75, "interrupted")])
def test_the_end_of_the_last_run_decides(story, code, state) -> None:
    told = story()
    told.simulate(0, [(1.0, 20.0)])
    told.store.event("run_started", {})
    told.store.event("run_ended", {"exit_code": code, "reason": "because"})
    told.store.close()
    assert snapshot(told.campaign)["state"] == state


def test_waiting_until_the_measurements_are_told(story) -> None:
    told = story()
    (task,) = told.decide(0, [told.design(1)], oracles=["lab"])
    told.store.event("run_started", {})
    told.store.event("run_ended", {"exit_code": 4, "reason": "waiting"})
    told.store.close()
    assert snapshot(told.campaign)["state"] == "waiting"
    assert snapshot(told.campaign)["tasks"]["waiting"] == 1
    with type(told.store).open(told.campaign.run_folder) as store:
        store.cancel(task.id, "the sample broke")
    assert snapshot(told.campaign)["state"] == "interrupted"


def test_measurements_told_before_the_first_run_leave_it_new(story) -> None:
    told = story()
    told.measure(told.design(1), 0.5)
    told.store.close()
    status = snapshot(told.campaign)
    assert status["state"] == "new" and status["records"]["measurement"] == 1


def test_only_failures(story) -> None:
    told = story()
    (task,) = told.decide(0, [told.design(1)])
    told.fail(task, checks=[Check("temperature", False, 900.0, 440.0, "K")])
    status = snapshot(told.campaign)
    assert status["tasks"]["failed"] == 1 and status["best"] == [] and status["hypervolume"] is None
