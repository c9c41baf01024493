"""What is replayed of a campaign, what is left out, and how runs are counted: by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loop.campaign import load
from loop.campaign.guard import keep
from loop.campaign.model import PluginSpec
from loop.replay import CONTROL, Choice, Run, Step, recorded, summary
from loop.replay.recorded import space_of
from loop.types import canonical_json

CAMPAIGNS = sorted((Path(__file__).parents[2] / "campaigns").glob("*.yaml"))
TARGET = """
objectives:
  - {property: dipole, goal: target, target: 3}
  - {property: adhesion, goal: at_least, threshold: 10}
"""
SEARCH = Choice(PluginSpec("qlognei", {}), PluginSpec("uniform", {}))


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_the_space_is_read_back_from_what_the_store_keeps(path: Path) -> None:
    campaign = load(path, thorough=False)
    space = space_of(json.loads(canonical_json(campaign.guarded)), campaign.space.names)
    found = [replace(p, molecules=p.molecules and replace(p.molecules, known=())) for p in campaign.space.parameters]
    assert list(space.parameters) == found
    assert {c.name: c for c in space.constraints} == {c.name: c for c in campaign.space.constraints}
    for design in campaign.space.sample(20, seed=1):
        assert space.canonicalise(design.values) == design and not space.violations(design)


@pytest.fixture(scope="module")
def told(story):
    """Three rounds: dipoles 1, 2.5 and 3.2 with enough adhesion, 3.0 with too little; two designs fail, one of them for
    the machine's sake alone; one waits."""
    told = story(objectives=TARGET)
    keep(told.store, told.campaign)
    told.simulate(0, [(1.0, 20.0), (3.0, 5.0)])
    told.simulate(1, [(2.5, 20.0)])
    failing, cut, _ = told.decide(2, [told.design(5), told.design(6), told.design(7)])
    told.fail(failing)
    told.fail(cut, cause="infrastructure", reason="the node died")
    told.simulate(3, [(3.2, 20.0)])
    told.measure(told.design(0.1), 0.4)
    return told


def test_failures_of_the_machine_and_open_tasks_are_no_answers(told) -> None:
    answers = recorded(told.campaign.path)
    assert list(answers.of) == [told.design(0), told.design(0.1), told.design(1), told.design(3), told.design(5)]
    assert answers.left_out == {"designs that some objective's oracle did not answer": 1}
    assert [type(one).__name__ for one in answers.of[told.design(5)]] == ["Failure"]
    assert all(one.oracle == "md" for answer in answers.of.values() for one in answer)


def test_a_target_is_measured_by_its_distance_and_constraints_hold(told) -> None:
    answers = recorded(told.campaign.path)
    assert answers.whole == pytest.approx(-0.2), "3.0 hits the target but does not adhere"
    assert answers.evaluations_of_campaign == 5
    records = [one for one in answers.of[told.design(0.1)] if not hasattr(one, "cause")]
    assert answers.found(records) is None
    steps = (Step(0, 2, 0, 0, -2.0), Step(1, 3, 0, 0, -0.5), Step(2, 5, 1, 0, answers.whole))
    found = summary(answers, [Run(CONTROL, 0, steps)], CONTROL, 5)
    assert (found["measure"], found["property"], found["unit"]) == ("distance to target", "dipole", "D")
    assert found["whole"] == pytest.approx(0.2) and found["failed"] == 1
    assert [row["median"] for row in found["choices"][0]["rounds"]] == pytest.approx([2.0, 0.5, 0.2])


def test_runs_are_compared_pair_by_pair(told) -> None:
    """Random needs 4, 5, 5 evaluations; the search 2, 5 and, in one run, more than it is given."""
    answers = recorded(told.campaign.path)
    best = answers.whole

    def run(choice: Choice, number: int, *found: float | None) -> Run:
        return Run(choice, number, tuple(Step(i, i + 2, 0, 0, value) for i, value in enumerate(found)))

    control = [
        run(CONTROL, 0, None, -2.0, best),
        run(CONTROL, 1, -2.0, -2.0, -0.5, best),
        run(CONTROL, 2, None, None, None, best),
    ]
    search = [run(SEARCH, 0, best), run(SEARCH, 1, -2.0, -2.0, -2.0, best), run(SEARCH, 2, -2.0, -0.5, -0.5, -0.5)]
    first, second = summary(answers, [*search, *control], CONTROL, 5)["choices"]
    assert first["until_wanted"] == {"median": 5, "quarter": 2, "three_quarters": None}
    assert second["until_wanted"] == {"median": 5, "quarter": 4, "three_quarters": 5}
    assert (first["reached"], second["reached"]) == (2, 3)
    assert first["against_random"] == {"sooner": 1, "later": 1, "same": 1, "saved": None, "saved_se": None}
    assert [row["runs"] for row in second["rounds"]] == [1, 2, 2, 3]
    assert [row["median"] for row in first["rounds"]] == pytest.approx([2.0, 0.5, 0.5, 0.2])
    both = summary(answers, [*search[:2], *control[:2]], CONTROL, 5)["choices"][0]["against_random"]
    assert (both["saved"], both["saved_se"]) == pytest.approx((1, 1)), "2 and 0: mean 1, sqrt(2) / sqrt(2)"
