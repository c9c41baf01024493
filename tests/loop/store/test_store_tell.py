"""Measurements by hand: partial, repeated, corrected, withdrawn, unsolicited, impossible."""

from __future__ import annotations

import math

import pytest

from loop.errors import BadInput
from loop.store import ToldRow
from loop.types import Estimate


def row(task_id: str | None = None, y: float | None = 1.0, *, se: float = 0.1, unit: str = "K", **more) -> ToldRow:
    estimates = {} if y is None else {"y": Estimate(y, se, unit)}
    return ToldRow("measurement", task_id, estimates=estimates | more.pop("also", {}), **more)


def unsolicited(campaign, x: float, y: float = 1.0, **more) -> ToldRow:
    return row(None, y, design=campaign.design(x), oracle="lab", fidelity="std", **more)


def test_one_value_makes_the_record_and_later_rows_add_the_others(campaign) -> None:
    a, b = campaign.decide(0, [1.0], oracle="lab", replicates=2)
    assert campaign.store.tell("s1", [row(a.id, 2.0)]) == ["stored"]
    assert (campaign.state(a), campaign.state(b)) == ("done", "waiting")
    (record,) = campaign.store.records()
    assert (record.kind, record.replicates) == ("measurement", 1)
    assert record.estimates["y"].mean == 2.0
    assert record.estimates["y"].se == 0.1
    assert campaign.store.tell("s2", [row(a.id, None, also={"z": Estimate(7.0, 0.0, "nm")})]) == ["stored"]
    assert campaign.store.tell("s3", [row(b.id, 4.0)]) == ["stored"]
    (record,) = campaign.store.records()
    assert (record.replicates, record.estimates["y"].mean, record.estimates["z"].mean) == (2, 3.0, 7.0)


def test_a_row_told_again_changes_nothing_whatever_its_sheet(campaign) -> None:
    (task,) = campaign.decide(0, [1.0], oracle="lab")
    assert campaign.store.tell("s1", [row(task.id, 1.0), row(task.id, 1.0)]) == ["stored", "known"]
    assert campaign.store.tell("s1", [row(task.id, 2.0)]) == ["corrected"]
    assert campaign.store.tell("old copy", [row(task.id, 1.0)]) == ["known"]
    assert campaign.store.records()[0].estimates["y"].mean == 2.0


def test_a_correction_keeps_what_it_replaces(campaign) -> None:
    (task,) = campaign.decide(0, [1.0], oracle="lab")
    campaign.store.tell("s1", [row(task.id, 1.0, meta={"operator": "Ada"})])
    campaign.store.tell("s2", [row(task.id, 2.0, meta={"operator": "Lise"})])
    kept = campaign.store._rows("SELECT mean, until IS NULL AS current FROM observations ORDER BY id")
    assert [tuple(found) for found in kept] == [(1.0, 0), (2.0, 1)]
    answer = campaign.store.observed(task.id)
    assert (answer.attempt, answer.provenance["sheet"]) == (0, "s2")
    assert answer.provenance["meta"] == {"operator": "Lise"}


def test_a_value_can_be_withdrawn(campaign) -> None:
    (task,) = campaign.decide(0, [1.0], oracle="lab")
    campaign.store.tell("s1", [row(task.id, 1.0)])
    told = row(task.id, None, outcome="failed", cause="infeasible", reason="sample cracked")
    assert campaign.store.tell("s2", [told]) == ["corrected"]
    assert campaign.store.records() == []
    (failure,) = campaign.store.failures()
    assert (failure.cause, failure.reason) == ("infeasible", "sample cracked")
    assert campaign.store.tell("s3", [row(task.id, 3.0)]) == ["stored"]
    assert campaign.store.records()[0].estimates["y"].mean == 3.0


def test_skipping_cancels(campaign) -> None:
    (task,) = campaign.decide(0, [1.0], oracle="lab")
    campaign.store.tell("s1", [row(task.id, None, outcome="skip")])
    assert campaign.state(task) == "cancelled"
    assert campaign.store.failures()[0].cause == "cancelled"


def test_unsolicited_rows_join_the_current_round_in_sheet_order(campaign) -> None:
    assert campaign.store.tell("lit", [unsolicited(campaign, 9.0)]) == ["stored"]
    campaign.decide(0, [5.0], oracle="lab")
    (task,) = campaign.decide(1, [4.0], oracle="lab")
    campaign.store.tell("lit2", [unsolicited(campaign, 8.0), unsolicited(campaign, 2.0), unsolicited(campaign, 5.0)])
    campaign.store.tell("lit3", [unsolicited(campaign, 3.0), unsolicited(campaign, 2.0, 3.0, replicate=1)])
    campaign.store.tell("s", [row(task.id)])
    found = [(r.design.values["x"], r.round, r.replicates) for r in campaign.store.records()]
    assert found == [(5.0, 0, 1), (9.0, 0, 1), (4.0, 1, 1), (8.0, 1, 1), (2.0, 1, 2), (3.0, 1, 1)]


def test_a_missing_error_is_said(campaign) -> None:
    campaign.store.tell("lit", [unsolicited(campaign, 9.0, se=0.0)])
    estimate = campaign.store.records()[0].estimates["y"]
    assert (estimate.se, estimate.method) == (0.0, "no error given")


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (lambda c, t: row("nonsense"), "no task 'nonsense'"),
        (lambda c, t: row(c.task(1.0).id), "answered by the oracle 'md', not by a person"),
        (lambda c, t: row(t.id, None), "no value is given"),
        (lambda c, t: row(t.id, 1.0, outcome="skip"), "marked skip"),
        (lambda c, t: row(t.id, math.nan), "not a number"),
        (lambda c, t: row(t.id, 1.0, se=-1.0), "not zero or more"),
        (lambda c, t: row(t.id, 3.0, unit="mK"), "'mK' differs from 'K'"),
        (lambda c, t: row(None, 3.0), "neither a task id nor a design"),
        (lambda c, t: ToldRow("simulation", t.id, estimates={"y": Estimate(1.0, 0.0, "K")}), "is a measurement"),
    ],
)
def test_impossible_rows_are_refused_with_their_number_and_nothing_is_written(campaign, bad, complaint) -> None:
    campaign.decide(0, [1.0])
    (task,) = campaign.decide(1, [2.0], oracle="lab")
    campaign.store.tell("first", [unsolicited(campaign, 7.0)])
    before = campaign.store.last_event()
    with pytest.raises(BadInput) as refused:
        campaign.store.tell("s", [row(task.id, 5.0), bad(campaign, task)])
    assert refused.value.problems[0].startswith("row 2: ")
    assert complaint in refused.value.problems[0]
    assert campaign.store.last_event() == before
    assert campaign.state(task) == "waiting"
