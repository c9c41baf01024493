"""Which error bars decide who leads: small cases worked out by hand."""

from __future__ import annotations

import math

import pytest

from loop.engine.extend import CLOSE, Doubt, doubts, most_urgent
from loop.standing import Standing, standings
from loop.types import Design, Estimate, Objective, Record

DIPOLE = Objective("dipole", "maximize", "md")
ADHESION = Objective("adhesion", "maximize", "md")
BETA = Objective("beta", "maximize", "lab")


def found(objectives: list[Objective], *rows: list[tuple[float, float]]) -> list[Standing]:
    """One design per row of (mean, se), in the order of the objectives."""
    records = []
    for x, row in enumerate(rows):
        for objective, (mean, se) in zip(objectives, row, strict=True):
            estimates = {objective.property: Estimate(mean, se, "1")}
            records.append(Record(Design({"x": x}), objective.oracle, "f", "simulation", estimates, 2, 0))
            if objective.oracle == objectives[0].oracle:  # one record for all its properties
                records[-1].estimates.update(records[-2].estimates if objective != objectives[0] else {})
    return standings(records, objectives)


def told(standings: list[Standing], objectives: list[Objective]) -> list[tuple[int, str, float]]:
    """(number of the design, oracle, distance), in the order of urgency."""
    numbers = {standing.design.id: standing.design.values["x"] for standing in standings}
    return [(numbers[d.design_id], d.oracle, pytest.approx(d.distance)) for d in doubts(standings, objectives)]


def test_with_one_objective_the_best_and_those_within_two_combined_errors_of_it() -> None:
    # against 10.0: 0.5 / sqrt(0.34) = 0.857, 1.0 / 0.5 = 2.0 (still open), 1.01 / 0.5 = 2.02, 5 / 0.42
    rows = [[(5.0, 0.3)], [(9.0, 0.4)], [(10.0, 0.3)], [(9.5, 0.5)], [(8.99, 0.4)]]
    assert told(found([DIPOLE], *rows), [DIPOLE]) == [
        (2, "md", 0.5 / math.sqrt(0.34)),
        (3, "md", 0.5 / math.sqrt(0.34)),
        (1, "md", 2.0),
    ]


def test_a_clear_best_and_a_lone_design_leave_nothing_open() -> None:
    assert doubts([], [DIPOLE]) == []
    assert told(found([DIPOLE], [(5.0, 3.0)]), [DIPOLE]) == []
    assert told(found([DIPOLE], [(5.0, 0.3)], [(7.0, 0.3)]), [DIPOLE]) == []


@pytest.mark.parametrize(("goal", "target", "best"), [("minimize", None, 0), ("target", 2.0, 1)])
def test_the_goal_says_which_end_matters(goal: str, target: float | None, best: int) -> None:
    objective = Objective("dipole", goal, "md", target=target)
    rows = [[(1.0, 0.2)], [(2.1, 0.2)], [(9.0, 0.2)]]
    assert told(found([objective], *rows), [objective]) == []
    twin = [*rows, [(rows[best][0][0] + 0.1, 0.2)]]
    assert [number for number, *_ in told(found([objective], *twin), [objective])] == [best, 3]


def test_a_value_without_an_error_is_taken_as_exact() -> None:
    rows = [[(1.0, 0.0)], [(1.0, 0.0)], [(0.999, math.nan)]]
    assert told(found([DIPOLE], *rows), [DIPOLE]) == []
    assert [number for number, *_ in told(found([DIPOLE], *rows, [(1.1, 0.1)]), [DIPOLE])] == [3]


def test_with_several_objectives_only_the_front_and_what_may_belong_to_it() -> None:
    objectives = [DIPOLE, ADHESION]
    front = [[(1.0, 0.1), (9.0, 0.1)], [(5.0, 0.1), (5.0, 0.1)], [(9.0, 0.1), (1.0, 0.1)]]
    assert told(found(objectives, *front), objectives) == []
    inside = [(3.0, 0.1), (3.0, 0.1)]
    assert told(found(objectives, *front, inside), objectives) == []
    # beaten by the second in both, in the adhesion by 0.2 / sqrt(0.02): it may belong to the front
    near = [(4.0, 0.1), (4.8, 0.1)]
    open_ = 0.2 / math.sqrt(0.02)
    assert told(found(objectives, *front, inside, near), objectives) == [(1, "md", open_), (4, "md", open_)]
    # on the front by a hair: whether the second beats it is as open
    hair = [(4.0, 0.1), (5.1, 0.1)]
    open_ = 0.1 / math.sqrt(0.02)
    assert told(found(objectives, *front, hair), objectives) == [(1, "md", open_), (3, "md", open_)]


def test_the_evaluation_whose_objective_is_closest_is_the_one_to_repeat() -> None:
    objectives = [DIPOLE, BETA]
    rows = [[(5.0, 0.1), (5.0, 1.0)], [(1.0, 0.1), (4.0, 1.0)]]  # far behind in the dipole, perhaps not in beta
    open_ = 1.0 / math.sqrt(2.0)
    assert told(found(objectives, *rows), objectives) == [(0, "lab", open_), (1, "lab", open_)]


def test_a_threshold_that_may_or_may_not_be_kept_is_open() -> None:
    kept = Objective("adhesion", "maximize", "md", threshold=10.0)
    objectives = [DIPOLE, kept]
    lone = [(5.0, 0.1), (11.0, 1.0)]
    assert told(found(objectives, lone), objectives) == [(0, "md", 1.0)]
    # another that keeps it clearly and beats the first: the first leads in no case, so that nothing is open
    assert told(found(objectives, lone, [(9.0, 0.1), (20.0, 1.0)]), objectives) == []
    # one that misses it for certain beats nobody
    assert told(found(objectives, lone, [(9.0, 0.1), (2.0, 1.0)]), objectives) == [(0, "md", 1.0)]


def test_a_rival_whose_threshold_is_open_is_the_one_to_repeat() -> None:
    kept = Objective("adhesion", "maximize", "md", threshold=10.0)
    dear = Objective("cost", "minimize", "md", threshold=3.0)
    first, rival = [(20.0, 0.1), (1.0, 0.1)], [(30.0, 0.1), (0.5, 0.1)]
    assert told(found([kept, dear], first, rival), [kept, dear]) == []
    rival[0] = (30.0, 15.0)  # ahead of the first by 0.67, keeps its threshold by 1.33
    assert [number for number, *_ in told(found([kept, dear], first, rival), [kept, dear])] == [0, 1]
    strict = Objective("adhesion", "maximize", "md", threshold=29.0)
    rival[0], first[0] = (30.0, 1.0), (35.0, 0.1)
    assert told(found([strict, dear], first, rival), [strict, dear]) == [(1, "md", 1.0)]


def test_nobody_near_its_threshold_leaves_nothing_open() -> None:
    kept = Objective("dipole", "maximize", "md", threshold=100.0)
    assert told(found([kept], [(5.0, 0.3)], [(5.1, 0.3)]), [kept]) == []
    assert CLOSE == 2.0


def test_few_replicates_first_then_the_closest_and_none_beyond_the_limit() -> None:
    found = [Doubt(0.1, "a", "md"), Doubt(0.2, "b", "md"), Doubt(0.3, "c", "lab"), Doubt(0.4, "d", "md")]
    found += [Doubt(0.5, "e", "md"), Doubt(0.6, "f", "md")]
    known = {("a", "md"): 3, ("b", "md"): 2, ("c", "lab"): 1, ("d", "md"): 4, ("e", "md"): 2}
    assert [d.design_id for d in most_urgent(found, known, {"md": 4}, 9)] == ["b", "e", "a"]
    assert [d.design_id for d in most_urgent(found, known, {"md": 4}, 1)] == ["b"]
    assert most_urgent(found, known, {}, 9) == []


def test_a_constraint_is_in_doubt_at_its_threshold_and_nowhere_else() -> None:
    keeps = Objective("adhesion", "at_least", "md", threshold=5.0)
    rows = [[(10.0, 0.1), (5.4, 0.4)], [(9.0, 0.1), (50.0, 0.4)], [(1.0, 0.1), (50.5, 0.4)]]
    # the best keeps its threshold by one error only; that the others' adhesion is alike decides nothing
    assert told(found([DIPOLE, keeps], *rows), [DIPOLE, keeps]) == [(0, "md", 1.0)]
