"""Replicates added to an evaluation that exists: what becomes of its record, in which order, and what is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from loop.errors import StorageError
from loop.store import Conflict, Reader, Store, task_id
from loop.store import database as databases
from loop.types import Design, Task


def xs(found) -> list[float]:
    return [one.design.values["x"] for one in found]


def test_added_replicates_hold_nothing_back_until_they_have_ended(campaign) -> None:
    campaign.run(campaign.decide(0, [1.0])[0], y=1.0)
    first, second = campaign.extend(1.0, 1, 2)
    assert campaign.state(first) == campaign.state(second) == "queued"
    assert campaign.store.records()[0].replicates == 1
    campaign.run(second, y=4.0)
    (record,) = campaign.store.records()
    assert (record.replicates, record.estimates["y"].mean, record.round) == (2, 2.5, 0)
    campaign.run(first, y=4.0)
    (record,) = campaign.store.records()
    assert (record.replicates, record.estimates["y"].mean, record.round) == (3, 3.0, 0)
    assert campaign.store.failures() == []


def test_an_added_replicate_that_says_nothing_of_the_design_takes_no_record_away(campaign) -> None:
    for x, failure in ((1.0, "crashed"), (2.0, None)):
        campaign.run(campaign.decide(int(x), [x])[0], y=x)
        (added,) = campaign.extend(x, 1)
        if failure:
            campaign.run(added, failure, reason="killed by signal 9", attempts=1)
        else:
            campaign.store.cancel(added.id, "not wanted")
    assert xs(campaign.store.records()) == [1.0, 2.0]
    assert campaign.store.failures() == []


def test_an_added_replicate_that_blames_the_design_counts_as_any_other(campaign) -> None:
    for task in campaign.decide(0, [1.0], replicates=2):
        campaign.run(task)
    one, two = campaign.extend(1.0, 2, 3)
    campaign.run(one, "failed", cause="unphysical", reason="it blew up")
    assert campaign.store.records()[0].replicates == 2  # two of three
    campaign.run(two, "failed", cause="unphysical", reason="it blew up")
    assert campaign.store.records() == []  # two of four are no majority
    assert campaign.store.failures()[0].cause == "unphysical"


def test_records_stay_in_place_and_added_tasks_follow_their_round(campaign) -> None:
    for task in campaign.decide(0, [5.0, 1.0]):
        campaign.run(task)
    added = campaign.extend(1.0, 1)
    later = campaign.decide(1, [3.0])
    added += campaign.extend(5.0, 1, 2)
    for task in [*later, *added[::-1]]:
        campaign.run(task)
    assert [(r.design.values["x"], r.round, r.replicates) for r in campaign.store.records()] == [
        (5.0, 0, 3),
        (1.0, 0, 2),
        (3.0, 1, 1),
    ]
    five, one, three = (campaign.design(x).id for x in (5.0, 1.0, 3.0))
    found = [(row.round, row.extension, row.task.design_id, row.task.replicate) for row in campaign.store.tasks()]
    assert found == [
        (0, None, five, 0),
        (0, None, one, 0),
        (0, 1, one, 1),
        (1, None, three, 0),
        (1, 2, five, 1),
        (1, 2, five, 2),
    ]


def test_an_extension_is_a_decision_on_record(campaign) -> None:
    campaign.run(campaign.decide(0, [1.0])[0])
    (task,) = campaign.extend(1.0, 1)
    campaign.reopen()
    (extension,) = campaign.store.extensions()
    assert (extension.id, extension.round, extension.origin) == (1, 0, "undecided")
    assert (extension.reason, extension.info, extension.tasks) == ("the error bar is wide", {"seen": 1}, (task.id,))
    event = campaign.store.events()[-1]
    assert (event.kind, event.payload["tasks"], event.payload["origin"]) == ("extended", [task.id], "undecided")
    assert campaign.store.current_round() == 0  # no round of its own
    campaign.store.close()
    db = sqlite3.connect(campaign.folder / "campaign.db")
    for statement in ("DELETE FROM extensions", "UPDATE extensions SET reason = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()


def test_more_of_a_measurement_waits_for_the_person(campaign) -> None:
    campaign.decide(0, [1.0], oracle="lab")
    (task,) = campaign.extend(1.0, 1, origin="amended", oracle="lab")
    (row,) = [row for row in campaign.store.tasks() if row.task == task]
    assert (row.state, row.person, row.kind) == ("waiting", True, "measurement")


def test_what_cannot_be_extended_is_refused_and_nothing_written(campaign) -> None:
    with pytest.raises(Conflict, match="nothing is decided yet"):
        campaign.extend(1.0, 1)
    campaign.run(campaign.decide(0, [1.0, 2.0], replicates=2)[0])
    events = campaign.store.last_event()
    with pytest.raises(Conflict, match="at least one replicate"):
        campaign.extend(1.0)
    with pytest.raises(Conflict, match="no evaluation to extend"):
        campaign.extend(3.0, 1)
    with pytest.raises(Conflict, match="UNIQUE"):
        campaign.extend(1.0, 2, 1)  # the second exists
    assert campaign.store.extensions() == [] and campaign.store.last_event() == events
    campaign.extend(1.0, 2)
    with pytest.raises(Conflict, match=r"round 0 is extended already \(undecided\)"):
        campaign.extend(2.0, 2)
    campaign.extend(2.0, 2, origin="amended")
    campaign.extend(2.0, 3, origin="amended")
    assert [e.origin for e in campaign.store.extensions()] == ["undecided", "amended", "amended"]


def old_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A campaign in the first format, whose settings still guard `replicates`."""
    monkeypatch.setattr(databases, "STEPS", databases.STEPS[:1])
    monkeypatch.setattr(databases, "VERSION", 1)
    db = databases.connect_writer(folder, network=False)
    monkeypatch.undo()
    design = Design({"x": 1.0}).id
    task = Task(task_id(design, "md", "std", 0), design, "md", "std", 0, 11)
    guarded = '{"oracles":{"md":{"fidelity":"std","options":{"a":[1]},"replicates":2}},"seed":7}'
    for statement in (
        "INSERT INTO decisions VALUES (0, '{}', '')",
        f"INSERT INTO designs VALUES ('{task.design_id}', '{{\"x\":1.0}}')",
        f"INSERT INTO tasks VALUES ('{task.id}', '{task.design_id}', 'md', 'std', 0, 11, 'simulation', 0, 0, 0, 0,"
        " 'queued', NULL, NULL)",
        f"INSERT INTO config_versions VALUES (1, 'sha', 'text', '{guarded}', '', '')",
    ):
        db.execute(statement)
    db.close()
    return task


def test_the_database_of_an_older_program_is_brought_up_to_date(tmp_path: Path, monkeypatch) -> None:
    task = old_database(tmp_path, monkeypatch)
    with pytest.raises(StorageError, match=r"older program .* `loop run` brings it up to date"):
        Reader.open(tmp_path)
    with Store.open(tmp_path) as store:
        (row,) = store.tasks()
        assert (row.task, row.extension) == (task, None)
        assert store.config_versions()[0].guarded == {
            "oracles": {"md": {"fidelity": "std", "options": {"a": [1]}}},
            "seed": 7,
        }
    with Reader.open(tmp_path) as reader:
        assert len(reader.tasks()) == 1
