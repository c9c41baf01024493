"""Which designs are best and how far a campaign has come, on records small enough to judge by eye."""

from __future__ import annotations

import pytest

from loop.standing import best, covered, progress, reference_point, standings
from loop.types import Design, Estimate, Objective, Record

DIPOLE = Objective("dipole", "maximize", "md", "D")
ADHESION = Objective("adhesion", "maximize", "md", "mJ/m^2", threshold=10.0)


def record(x: int, round: int = 0, kind="simulation", oracle="md", **means: float) -> Record:
    estimates = {name: Estimate(mean, 0.1, "1") for name, mean in means.items()}
    return Record(Design({"x": x}), oracle, "screen", kind, estimates, 3, round)


def xs(found) -> list:
    return [standing.design.values["x"] for standing in found]


def test_a_design_stands_once_it_has_every_objective() -> None:
    by_lab = Objective("beta", "maximize", "lab")
    records = [
        record(1, dipole=1),
        record(2, dipole=2),
        record(1, round=2, oracle="lab", kind="measurement", beta=0.5),
    ]
    (standing,) = standings(records, [DIPOLE, by_lab])
    assert standing.design.values["x"] == 1
    assert standing.utilities == (1, 0.5)
    assert standing.round == 2


def test_synthetic_records_and_other_oracles_never_count() -> None:
    records = [record(1, kind="synthetic", dipole=9), record(2, oracle="smoke", dipole=9), record(3, dipole=1)]
    assert xs(standings(records, [DIPOLE])) == [3]


def test_the_best_are_the_front_then_the_next_best() -> None:
    points = [(1, 21), (3, 21), (1, 23), (2, 22), (0, 20)]
    found = standings([record(i, dipole=d, adhesion=a) for i, (d, a) in enumerate(points)], [DIPOLE, ADHESION])
    assert set(xs(best(found, at_least=1))) == {1, 2, 3}
    assert xs(best(found, at_least=4))[3] == 0
    assert len(best(found, at_least=99)) == 5


def test_designs_that_miss_a_threshold_come_after_those_that_keep_all() -> None:
    points = [(9, 5), (1, 11), (2, 12), (8, 6)]
    found = standings([record(i, dipole=d, adhesion=a) for i, (d, a) in enumerate(points)], [DIPOLE, ADHESION])
    assert found[0].missed == ("adhesion",)
    assert found[2].missed == ()
    assert xs(best(found, at_least=1)) == [2, 0, 3]
    assert xs(best(found)) == [2, 1, 0, 3]


@pytest.mark.parametrize(
    ("goal", "target", "wanted"),
    [("maximize", None, [3, 2, 1]), ("minimize", None, [1, 2, 3]), ("target", 2.1, [2, 3, 1])],
)
def test_one_objective_is_ranked_by_its_goal(goal, target, wanted) -> None:
    objective = Objective("dipole", goal, "md", target=target)
    assert xs(best(standings([record(x, dipole=x) for x in (1, 2, 3)], [objective]))) == wanted


def test_the_reference_is_the_threshold_or_the_worst_of_the_first_round() -> None:
    records = [record(1, dipole=2, adhesion=20), record(2, dipole=1, adhesion=30), record(3, 1, dipole=-5, adhesion=5)]
    found = standings(records, [DIPOLE, ADHESION])
    assert reference_point(found, [DIPOLE, ADHESION]) == (1, 10)


def test_hypervolume_and_its_progress_by_round() -> None:
    objectives = [DIPOLE, ADHESION]
    records = [record(1, dipole=2, adhesion=20), record(2, dipole=1, adhesion=30), record(3, 1, dipole=3, adhesion=15)]
    found = standings(records, objectives)
    # reference (1, 10): round 0 spans 1 x 10; round 1 adds 1 x 5
    assert progress(found, objectives) == [(0, pytest.approx(10)), (1, pytest.approx(15))]
    assert covered(found, objectives) == pytest.approx(15)


def test_nothing_yet() -> None:
    assert standings([], [DIPOLE]) == best([]) == progress([], [DIPOLE]) == []
    assert covered([], [DIPOLE, ADHESION]) is None


def test_a_single_objective_has_no_hypervolume_but_a_best_so_far() -> None:
    records = [record(1, dipole=2), record(2, 1, dipole=1), record(3, 3, dipole=4)]
    found = standings(records, [DIPOLE])
    assert covered(found, [DIPOLE]) is None
    assert progress(found, [DIPOLE]) == [(0, 2), (1, 2), (2, 2), (3, 4)]


ADHERES = Objective("adhesion", "at_least", "md", "mJ/m^2", threshold=10.0)


def test_a_constraint_bounds_the_search_and_asks_for_no_more() -> None:
    records = [
        record(1, dipole=9, adhesion=5),
        record(2, dipole=1, adhesion=99),
        record(3, dipole=2, adhesion=11),
        record(4, dipole=1, adhesion=8),
    ]
    found = standings(records, [DIPOLE, ADHERES])
    assert [(s.utilities, s.allowed) for s in found] == [((9,), False), ((1,), True), ((2,), True), ((1,), False)]
    assert xs(best(found, at_least=1)) == [3]
    assert xs(best(found)) == [3, 2, 1, 4]
    at_most = Objective("adhesion", "at_most", "md", "mJ/m^2", threshold=10.0)
    assert xs(best(standings(records, [DIPOLE, at_most]), at_least=1)) == [1]


def test_progress_counts_designs_that_keep_the_constraints_only() -> None:
    records = [
        record(1, 0, dipole=9, adhesion=5),
        record(2, 1, dipole=2, adhesion=20),
        record(3, 2, dipole=8, adhesion=1),
    ]
    found = standings(records, [DIPOLE, ADHERES])
    assert progress(found, [DIPOLE, ADHERES]) == [(1, 2), (2, 2)]
    assert covered(found, [DIPOLE, ADHERES]) is None
    assert progress(found[:1], [DIPOLE, ADHERES]) == []


def test_hypervolume_leaves_out_what_a_constraint_forbids() -> None:
    objectives = [DIPOLE, Objective("cost", "minimize", "md", threshold=10.0), ADHERES]
    records = [record(1, dipole=1, cost=8, adhesion=20), record(2, dipole=3, cost=8, adhesion=11)]
    forbidden = record(3, dipole=9, cost=1, adhesion=9)
    # reference (1, -10): the second spans 2 x 2
    assert covered(standings([*records, forbidden], objectives), objectives) == pytest.approx(4)
