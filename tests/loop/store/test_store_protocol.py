"""Decide, intend, ingest, lose, cancel: what each does, and what it refuses."""

from __future__ import annotations

import json
import sqlite3

import pytest

from loop.store import Conflict, Reader, ToldRow, task_id
from loop.store.ending import LOST_LIMIT, Ending, verdict
from loop.types import Check, Estimate, Failed, Observed, Pick, Proposal


def test_a_decision_keeps_the_whole_lineage(campaign) -> None:
    design = campaign.design(1.5)
    proposal = Proposal(design, "cvae:cross", "abc", (0.25, -1.0), ("p1", "p2"), -3.5, (Check("rule", True, 1.0, 2.0),))
    pick = Pick(proposal, "improve", 0.75, {"y": (1.0, 0.5)})
    task = campaign.task(1.5)
    campaign.store.decide(0, [pick], [task], kinds={"md": "simulation"}, info={"seed": 3, "notes": ["n"]})
    campaign.reopen()
    (row,) = campaign.store.proposals()
    assert (row.round, row.position, row.pick) == (0, 0, pick)
    (decision,) = campaign.store.decisions()
    assert (decision.round, decision.info) == (0, {"seed": 3, "notes": ["n"]})
    (found,) = campaign.store.tasks()
    assert (found.task, found.kind, found.state, found.person) == (task, "simulation", "queued", False)


def test_a_round_is_decided_once_and_wholly_or_not_at_all(campaign) -> None:
    campaign.decide(0, [1.0])
    with pytest.raises(Conflict, match="round 0 is decided already"):
        campaign.decide(0, [2.0])
    with pytest.raises(Conflict):
        campaign.decide(1, [2.0, 1.0])  # the second task exists
    assert [d.round for d in campaign.store.decisions()] == [0]
    assert list(campaign.store.designs()) == [campaign.design(1.0).id]


def test_ids_of_tasks_are_file_names_and_stay_distinct() -> None:
    assert task_id("3f2a", "screen", "smoke", 2) == "3f2a-screen-smoke-2"
    odd = {task_id("3f2a", name, "f", 0) for name in ("a b", "a/b", "a_b")}
    assert len(odd) == 3
    assert not any(set("/ ") & set(name) for name in odd)


def test_an_intended_attempt_has_its_spec_on_disk_and_its_task_runs(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    attempt = campaign.store.intend(task.id, {"kind": "table", "options": {"a": 1}, "folder": "/f", "time_limit": 5})
    spec = json.loads((attempt.folder / "spec.json").read_text())
    assert (spec["kind"], spec["options"], spec["time_limit"]) == ("table", {"a": 1}, 5)
    assert spec["task"] == {
        "id": task.id, "design_id": task.design_id, "oracle": "md", "fidelity": "std", "replicate": 0, "seed": 11,
    }  # fmt: skip
    assert (spec["design"], spec["attempt"], spec["n"], spec["token"]) == ({"x": 1.0}, attempt.id, 1, attempt.token)
    assert spec["resume_from"] == []
    assert campaign.state(task) == "running"
    assert [row.attempt for row in campaign.store.live_attempts()] == [attempt]
    with pytest.raises(Conflict, match="running, not queued"):
        campaign.intend(task)


def test_a_second_attempt_continues_the_first(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    first = campaign.intend(task)
    campaign.store.lose(first.id, "driver killed")
    second = campaign.intend(task)
    campaign.store.lose(second.id, "driver killed")
    third = campaign.intend(task)
    assert json.loads((third.folder / "spec.json").read_text())["resume_from"] == [second.id, first.id]


def test_an_answer_counts_once(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    attempt = campaign.intend(task)
    file = {"path": "work/film.pdb", "sha256": "00", "bytes": 3}
    content = {"checks": [{"name": "T", "passed": True}], "artifacts": [file], "provenance": {"platform": "CPU"}}
    result = campaign.result(attempt, y=2.5, **content)
    assert campaign.store.ingest(attempt.id, result) is True
    assert campaign.store.ingest(attempt.id, result) is False
    assert [event.kind for event in campaign.store.events()][-1] == "late"
    (record,) = campaign.store.records()
    assert record.estimates["y"] == Estimate(2.5, 0.1, "K", None, "m")
    answer = campaign.store.observed(task.id)
    assert isinstance(answer, Observed)
    assert answer.checks == (Check("T", True),)
    assert answer.artifacts == (f"attempts/{attempt.id}/work/film.pdb",)
    assert answer.provenance["platform"] == "CPU"
    (artifact,) = campaign.store.artifacts(task.id)
    assert (artifact.path, artifact.bytes) == (f"attempts/{attempt.id}/work/film.pdb", 3)


def test_an_answer_after_its_attempt_was_lost_is_ignored(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    old = campaign.intend(task)
    campaign.store.lose(old.id, "silent")
    new = campaign.intend(task)
    assert campaign.store.ingest(old.id, campaign.result(old, y=1.0)) is False
    assert campaign.store.ingest(new.id, campaign.result(old, y=1.0)) is False  # not its own token
    assert campaign.store.ingest(new.id, campaign.result(new, y=2.0)) is True
    assert campaign.store.records()[0].estimates["y"].mean == 2.0


def test_a_fenced_attempt_is_queued_again(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    attempt = campaign.intend(task)
    assert campaign.store.ingest(attempt.id, campaign.result(attempt, "fenced")) is False
    assert campaign.state(task) == "queued"


def test_a_failure_that_teaches_is_final(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    campaign.run(task, "failed", cause="unphysical", reason="T ran away", evidence=["work/last.pdb"], checks=[])
    failed = campaign.store.observed(task.id)
    assert isinstance(failed, Failed)
    assert (failed.cause, failed.reason) == ("unphysical", "T ran away")
    assert failed.evidence == (f"attempts/{task.id}.a1/work/last.pdb",)
    (failure,) = campaign.store.failures()
    assert (failure.cause, failure.design, failure.round) == ("unphysical", campaign.design(1.0), 0)
    assert campaign.store.records() == []


def test_infrastructure_failures_are_retried_up_to_the_limit(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    for n, state in [(1, "queued"), (2, "queued"), (3, "failed")]:
        campaign.run(task, "failed", cause="infrastructure", reason=f"OSError: {n}", attempts=3)
        assert campaign.state(task) == state


def test_the_same_exception_twice_is_final(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    campaign.run(task, "failed", cause="infrastructure", reason="KeyError: 'Fe'", attempts=9)
    assert campaign.state(task) == "queued"
    campaign.run(task, "failed", cause="infrastructure", reason="KeyError: 'Fe'", attempts=9)
    assert campaign.state(task) == "failed"


def test_a_killed_worker_only_counts(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    for state in ("queued", "queued", "failed"):
        campaign.run(task, "crashed", reason="killed by signal 9", attempts=3)
        assert campaign.state(task) == state


def test_a_timeout_is_continued_once_if_it_got_anywhere(campaign) -> None:
    hung, slow = campaign.decide(0, [1.0, 2.0])
    campaign.run(hung, "timeout", reason="hung", progress=False)
    assert campaign.store.observed(hung.id).cause == "unconverged"
    campaign.run(slow, "timeout", reason="slow", progress=True)
    assert campaign.state(slow) == "queued"
    campaign.run(slow, "timeout", reason="slow", progress=True)
    assert campaign.store.observed(slow.id).cause == "unconverged"


def test_losses_are_no_fault_of_the_task_but_end_one_day() -> None:
    lost = Ending("lost", "infrastructure", "killed")
    assert verdict([lost] * (LOST_LIMIT - 1), attempts=1).state == "queued"
    assert verdict([lost] * LOST_LIMIT, attempts=1).state == "failed"
    fault = Ending("failed", "infrastructure", "OSError")
    assert verdict([lost, lost, fault], attempts=2).state == "queued"


def test_an_unusable_result_is_a_crash_not_a_number(campaign) -> None:
    (task,) = campaign.decide(0, [1.0])
    attempt = campaign.intend(task)
    assert campaign.store.ingest(attempt.id, {"status": "observed", "token": attempt.token}, attempts=1)
    assert campaign.store.observed(task.id).cause == "infrastructure"


def test_cancelling_ends_a_task_and_names_the_attempt_to_fence(campaign) -> None:
    running, queued, done = campaign.decide(0, [1.0, 2.0, 3.0])
    attempt = campaign.intend(running)
    campaign.run(done)
    assert campaign.store.cancel(running.id, "not wanted") == attempt
    assert campaign.store.cancel(queued.id, "not wanted") is None
    assert campaign.store.cancel(done.id, "too late") is None
    assert [campaign.state(t) for t in (running, queued, done)] == ["cancelled", "cancelled", "done"]
    assert campaign.store.ingest(attempt.id, campaign.result(attempt)) is False
    assert {f.cause for f in campaign.store.failures()} == {"cancelled"}


def test_records_wait_for_the_open_replicates_of_their_round(campaign) -> None:
    a, b, c = campaign.decide(0, [1.0], replicates=3)
    campaign.run(c, y=3.0)
    campaign.run(a, y=1.0)
    assert campaign.store.records() == []
    campaign.run(b, "failed", cause="unphysical", reason="NaN")
    (record,) = campaign.store.records()
    assert (record.replicates, record.estimates["y"].mean) == (2, 2.0)
    assert campaign.store.failures() == []


def test_records_come_in_the_order_of_decision_not_of_arrival(campaign) -> None:
    tasks = campaign.decide(0, [5.0, 1.0, 3.0])
    later = campaign.decide(1, [4.0, 2.0])
    for task in [*later[::-1], *tasks[::-1]]:
        campaign.run(task)
    assert [record.design.values["x"] for record in campaign.store.records()] == [5.0, 1.0, 3.0, 4.0, 2.0]


def test_pooled_scatter_belongs_to_its_oracle(campaign) -> None:
    for task in campaign.decide(0, [1.0, 2.0, 3.0, 4.0], replicates=3):
        offset = {0: -1.0, 1: 0.0, 2: 1.0}[task.replicate] * (8.0 if task.design_id == campaign.design(4.0).id else 1)
        campaign.run(task, y=offset)
    found = campaign.store.agreement()
    assert [all(check.passed for check in checks) for _, checks in found] == [True, True, True, False]
    # squares 2 + 2 + 2 + 128 over 8 degrees: pooled variance 16.75; (4 * 16.75 + 2 * 1) / 6 / 3
    assert found[0][0].estimates["y"].se == pytest.approx((69 / 18) ** 0.5)


def test_the_log_and_the_numbers_cannot_be_rewritten(campaign) -> None:
    campaign.run(campaign.decide(0, [1.0])[0])
    campaign.store.close()
    db = sqlite3.connect(campaign.folder / "campaign.db")
    for statement in (
        "DELETE FROM events",
        "UPDATE events SET kind = 'x'",
        "DELETE FROM decisions",
        "DELETE FROM observations",
        "UPDATE observations SET mean = 0",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
    db.close()


def test_every_text_of_the_campaign_file_is_kept(campaign) -> None:
    campaign.store.configure("a: 1", {"space": 1})
    campaign.store.configure("a: 1", {"space": 1})
    campaign.store.configure("a: 2", {"space": 1}, reason="amended")
    campaign.store.configure("a: 1", {"space": 1})
    assert [v.text for v in campaign.store.config_versions()] == ["a: 1", "a: 2", "a: 1"]
    assert campaign.store.config_versions()[1].reason == "amended"


def test_a_design_measured_unasked_is_not_asked_again(campaign) -> None:
    value = {"y": Estimate(1.0, 0.1, "K")}
    row = ToldRow("measurement", design=campaign.design(1.0), oracle="lab", fidelity="std", estimates=value)
    campaign.store.tell("sheet", [row])
    campaign.decide(0, [1.0, 2.0], oracle="lab")
    assert [(t.task.design_id, t.state) for t in campaign.store.tasks()] == [
        (campaign.design(2.0).id, "waiting"),
        (campaign.design(1.0).id, "done"),
    ]


def test_readers_see_the_last_commit_while_the_writer_lives(campaign) -> None:
    with Reader.open(campaign.folder) as reader:
        assert reader.counts()["queued"] == 0
        campaign.decide(0, [1.0])
        assert reader.counts()["queued"] == 1
        assert reader.current_round() == 0
