"""Which designs of a pool may be the best there are."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from acquisition.bayes import Bayes, QLogNEHVI, QLogNEI
from acquisition.informative import IntegratedVariance
from loop.space import Space
from loop.types import Design, Estimate, Objective, Parameter, Proposal, Record

SPACE = Space(
    [
        Parameter("x", "real", bounds=(0.0, 1.0), step=0.001),
        Parameter("y", "real", bounds=(0.0, 1.0), step=0.001),
        Parameter("rock", "choices", ("gneiss", "schist")),
    ]
)
UP, ACROSS = Objective("up", "maximize", "md"), Objective("across", "maximize", "md")
POOL = [Proposal(design, "uniform") for design in SPACE.sample(300, seed=2)]


def up(design: Design) -> float:
    v = design.values
    return float(-((float(v["x"]) - 0.7) ** 2) - (float(v["y"]) - 0.2) ** 2 + 0.3 * (v["rock"] == "schist"))


def recorded(n: int) -> list[Record]:
    designs = SPACE.sample(n, seed=1)
    told = [{"up": up(d), "across": -up(d) + 0.5 * float(d.values["x"])} for d in designs]
    estimates = [{name: Estimate(value, 0.01, "1") for name, value in one.items()} for one in told]
    return [Record(d, "md", "screen", "simulation", e, 3, 0) for d, e in zip(designs, estimates, strict=True)]


def fitted(acquisition: Bayes, n: int, *objectives: Objective) -> Bayes:
    acquisition.fit(SPACE, objectives, recorded(n), [], seed=1)
    return acquisition


def test_what_is_understood_is_promising_near_the_top_only() -> None:
    found = fitted(QLogNEI(), 40, UP).promising(POOL, 12, seed=3)
    worth = sorted((up(proposal.design) for proposal in POOL), reverse=True)
    assert len({p.design for p in found}) == 12 and all(p in POOL for p in found)
    assert min(up(p.design) for p in found) >= worth[24], "none below twice as many"
    assert found == fitted(QLogNEI(), 40, UP).promising(POOL, 12, seed=3)


def test_what_is_not_understood_may_be_the_best_anywhere() -> None:
    def rocks(n: int) -> Counter[str]:
        return Counter(str(p.design.values["rock"]) for p in fitted(QLogNEI(), n, UP).promising(POOL, 30, seed=3))

    assert rocks(3)["gneiss"] > 5 > rocks(40)["gneiss"]


def test_of_two_goals_both_ends_are_promising() -> None:
    found = fitted(QLogNEHVI(), 40, UP, ACROSS).promising(POOL, 20, seed=3)
    worth = [up(p.design) for p in found]
    assert max(worth) > 0.25 and min(worth) < -0.3
    assert np.ptp([up(p.design) for p in POOL]) < 1.5


def test_the_whole_pool_is_the_most() -> None:
    acquisition = fitted(QLogNEI(), 40, UP)
    assert {p.design for p in acquisition.promising(POOL[:5], 9, seed=3)} == {p.design for p in POOL[:5]}
    assert acquisition.promising([], 9, seed=3) == []


@pytest.mark.parametrize(("acquisition", "n"), [(QLogNEI(), 1), (IntegratedVariance(), 40)])
def test_nothing_is_promising_without_a_surrogate_or_where_all_learns(acquisition: Bayes, n: int) -> None:
    assert fitted(acquisition, n, UP).promising(POOL, 5, seed=3) == []
