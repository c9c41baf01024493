"""Direct search: what a fitted model expects of designs, and the way uphill from those there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from acquisition.batch import reference
from acquisition.bayes import Bayes, QLogNEHVI, QLogNEI
from acquisition.encoding import Encoding
from acquisition.informative import IntegratedVariance
from acquisition.promise import Promise, directions, standard_moments
from acquisition.scout import LEAST_SEARCHED
from acquisition.search import CHANGED, MOVES, freed, neighbours, variations
from acquisition.surrogate import Surrogate
from loop.space import Constraint, Space
from loop.types import Check, Design, Estimate, Objective, Parameter, Proposal, Record

MIXED = Space(
    [
        Parameter("ligand", "choices", ("none", "a", "b", "c")),
        Parameter("n", "integer", bounds=(1, 30)),
        Parameter("x", "real", bounds=(0.0, 1.0), step=0.01),
        Parameter("density", "real", bounds=(0.0, 2.0), step=0.1),
    ],
    [Constraint("bare", {"ligand": ("none",)}, {"density": (0.0,)}), Constraint("no c", {"ligand": ("c",), "n": (7,)})],
)
UP = Objective("f", "maximize", "md")
TWO = (Objective("f", "maximize", "md"), Objective("g", "minimize", "md"))


def f(design: Design) -> float:
    v = design.values
    worth = {"none": 0.0, "a": 0.3, "b": 1.0, "c": 0.6}[str(v["ligand"])]
    return worth - 4 * (float(v["x"]) - 0.8) ** 2 - (float(v["n"]) / 30 - 0.5) ** 2 - (float(v["density"]) - 1.5) ** 2


def recorded(designs: Sequence[Design]) -> list[Record]:
    values = [{"f": f(d), "g": -float(d.values["x"])} for d in designs]
    estimates = [{name: Estimate(value, 0.01, "1") for name, value in told.items()} for told in values]
    return [Record(d, "md", "screen", "simulation", e, 3, 0) for d, e in zip(designs, estimates, strict=True)]


DESIGNS = MIXED.sample(LEAST_SEARCHED + 10, seed=1)
POOR = [Proposal(d, "cvae:prior") for d in MIXED.sample(200, seed=2) if f(d) < 0.3][:40]


@pytest.fixture(scope="module")
def fitted() -> QLogNEI:
    acquisition = QLogNEI(split=0.0)
    acquisition.fit(MIXED, [UP], recorded(DESIGNS), [], seed=1)
    return acquisition


def test_a_neighbour_differs_in_one_free_field_and_is_valid() -> None:
    rng, seen = np.random.default_rng(0), set()
    for design in MIXED.sample(30, seed=3):
        near = neighbours(MIXED, design, rng)
        assert 0 < len(near) <= MOVES and len(set(near)) == len(near) and design not in near
        for other in near:
            assert MIXED.violations(other) == () and MIXED.canonicalise(other.values) == other
            moved = [name for name in MIXED.names if other.values[name] != design.values[name]]
            seen |= set(moved)
            assert len(moved) == 1 or set(moved) == {"ligand", "density"}
    assert seen == set(MIXED.names)


def test_what_was_pinned_is_drawn_anew_once_it_is_free() -> None:
    bare = MIXED.canonicalise({"ligand": "none", "n": 3, "x": 0.5, "density": 0.0})
    rng = np.random.default_rng(0)
    coated = [float(freed(MIXED, {**bare.values, "ligand": "b"}, {"density"}, rng)["density"]) for _ in range(200)]
    assert min(coated) < 0.2 and max(coated) > 1.8
    assert freed(MIXED, {**bare.values, "x": 0.1}, {"density"}, rng)["density"] == 0.0


def test_a_variation_differs_from_its_leader_in_few_fields_and_is_new() -> None:
    leaders, taken = DESIGNS[:3], MIXED.sample(300, seed=8)
    named = {leader.id: leader for leader in leaders}
    found = variations(MIXED, leaders, taken, 150, seed=4)
    designs = [p.design for p in found]
    assert len(set(designs)) == len(found) == 150 and not {*leaders, *taken} & set(designs)
    changed = []
    for p in found:
        assert p.generator == "variation" and MIXED.violations(p.design) == ()
        leader = named[p.parents[0]]
        moved = {name for name in MIXED.names if p.design.values[name] != leader.values[name]}
        changed.append(len(moved - {"density"} if leader.values["ligand"] == "none" else moved))
    assert set(changed) >= {1, 2, 3} and max(changed) <= CHANGED + 1, "a ligand that goes takes its density along"
    assert variations(MIXED, leaders, taken, 150, seed=4) == found != variations(MIXED, leaders, taken, 150, seed=5)


def test_variations_end_where_there_are_no_more() -> None:
    space = Space([Parameter("n", "integer", bounds=(1, 6))])
    designs = [space.canonicalise({"n": n}) for n in range(1, 7)]
    assert {p.design for p in variations(space, designs[:2], designs[:4], 20, seed=1)} == set(designs[4:])
    assert variations(space, designs[:2], designs, 20, seed=1) == []


@pytest.mark.parametrize(("acquisition", "count"), [(IntegratedVariance(), 20), (QLogNEI(), 1)])
def test_nothing_is_varied_where_nothing_improves(acquisition: Bayes, count: int) -> None:
    acquisition.fit(MIXED, [UP], recorded(DESIGNS[:count]), [], seed=1)
    assert acquisition.vary(DESIGNS[:3], DESIGNS, 10, seed=1) == []


def test_the_search_finds_what_a_poor_pool_lacks_and_it_is_picked(fitted: QLogNEI) -> None:
    found = fitted.search(POOR, DESIGNS, seed=4)
    assert {p.generator for p in found} == {"search"}
    assert max(f(p.proposal.design) for p in fitted.select(POOR, 2, [], seed=5)) < 0.3
    picks = fitted.select([*POOR, *found], 2, [], seed=5)
    assert [p.proposal.generator for p in picks] == ["search", "search"]
    assert max(f(p.proposal.design) for p in picks) > 0.9, "the maximum is 1"


def test_only_valid_designs_are_found_that_are_new(fitted: QLogNEI) -> None:
    found = fitted.search(POOR, DESIGNS, seed=4)
    designs = [p.design for p in found]
    assert len(set(designs)) == len(designs) > 20
    assert not any(MIXED.violations(d) for d in designs)
    assert not set(designs) & {*DESIGNS, *(p.design for p in POOR)}
    starts = {d.id for d in (*DESIGNS, *(p.design for p in POOR))}
    assert all(p.parents[0] in starts for p in found)
    again = fitted.search(POOR, [*DESIGNS, *designs], seed=4)
    assert not {p.design for p in again} & set(designs)
    assert fitted.search(POOR, DESIGNS, seed=4) == found


def test_the_oracles_checks_hold_for_what_is_found() -> None:
    def small(design: Design) -> list[Check]:
        return [Check("small", float(design.values["x"]) <= 0.6)]

    space = MIXED.with_checks([small])
    acquisition = QLogNEI()
    acquisition.fit(space, [UP], recorded(space.sample(LEAST_SEARCHED, seed=1)), [], seed=1)
    found = [p.design for p in acquisition.search([], [], seed=2)]
    assert found and max(float(d.values["x"]) for d in found) <= 0.6


def scattered(designs: Sequence[Design]) -> list[Record]:
    """Records that follow no rule."""
    values = np.random.default_rng(0).normal(size=len(designs)).tolist()
    return [replace(r, estimates={"f": Estimate(v, 0.01, "1")}) for r, v in zip(recorded(designs), values, strict=True)]


@pytest.mark.parametrize(
    ("acquisition", "records"),
    [
        (QLogNEI(), scattered(DESIGNS[: LEAST_SEARCHED - 1])),
        (IntegratedVariance(), recorded(DESIGNS[:LEAST_SEARCHED])),
        (QLogNEI(), recorded(DESIGNS[:1])),
    ],
)
def test_nothing_is_searched_before_enough_is_known_or_where_all_learns(
    acquisition: Bayes, records: list[Record]
) -> None:
    acquisition.fit(MIXED, [UP], records, [], seed=1)
    assert acquisition.search(POOR, [], seed=1) == []


def test_many_answers_or_good_predictions_are_enough() -> None:
    for records in (scattered(DESIGNS[:LEAST_SEARCHED]), recorded(DESIGNS[:25])):
        acquisition = QLogNEI()
        acquisition.fit(MIXED, [UP], records, [], seed=1)
        assert acquisition.search(POOR, [], seed=1)


def test_one_goal_that_is_not_understood_keeps_the_search_off() -> None:
    told = zip(recorded(DESIGNS[:25]), scattered(DESIGNS[:25]), strict=True)
    records = [replace(a, estimates={"f": a.estimates["f"], "g": b.estimates["f"]}) for a, b in told]
    acquisition = QLogNEHVI()
    acquisition.fit(MIXED, TWO, records, [], seed=1)
    assert acquisition.search(POOR, [], seed=1) == []


def test_what_is_explained_is_what_the_others_predict() -> None:
    surrogate = Surrogate(Encoding(MIXED), UP, recorded(DESIGNS[:30]))
    rows = surrogate.residuals()
    observed, off = np.array([r.observed for r in rows]), np.array([r.observed - r.predicted for r in rows])
    assert surrogate.explained() == pytest.approx(1 - (off**2).mean() / observed.var())
    flat = [replace(r, estimates={"f": Estimate(1.0, 0.01, "1")}) for r in recorded(DESIGNS[:5])]
    assert Surrogate(Encoding(MIXED), UP, flat).explained() == 0.0


def test_a_space_that_is_used_up_gives_nothing() -> None:
    space = Space([Parameter("n", "integer", bounds=(1, 60))])
    designs = [space.canonicalise({"n": n}) for n in range(1, 61)]
    estimates = [{"f": Estimate(math.sin(k / 10), 0.01, "1")} for k in range(60)]
    records = [Record(d, "md", "screen", "simulation", e, 3, 0) for d, e in zip(designs, estimates, strict=True)]
    acquisition = QLogNEI()
    acquisition.fit(space, [UP], records, [], seed=1)
    assert acquisition.search([], designs, seed=1) == []


def test_of_one_goal_the_expected_improvement_over_the_best_mean() -> None:
    encoding = Encoding(MIXED)
    surrogate = Surrogate(encoding, UP, recorded(DESIGNS[:20]))
    rows = encoding.rows(DESIGNS[20:60])
    mean, sd = standard_moments(surrogate, rows)
    best = standard_moments(surrogate, encoding.rows(DESIGNS[:20]))[0].max()
    drawn = mean + sd * np.random.default_rng(0).standard_normal((200_000, 1))
    sampled = np.maximum(drawn - best, 0).mean(0)
    promised = Promise([surrogate], encoding.rows(DESIGNS[:20]), seed=0)(rows)
    assert promised.shape == (1, 40)
    often = sampled > 1e-4
    assert often.sum() >= 3
    assert np.allclose(np.exp(promised[0][often]), sampled[often], rtol=0.1)
    assert np.isfinite(promised).all(), "even where an improvement is next to impossible"


def test_of_two_goals_the_hypervolume_beyond_a_corner_of_the_front() -> None:
    encoding = Encoding(MIXED)
    surrogates = [Surrogate(encoding, o, recorded(DESIGNS[:20])) for o in TWO]
    observed, rows = encoding.rows(DESIGNS[:20]), encoding.rows(DESIGNS[20:60])
    promise = Promise(surrogates, observed, seed=3)
    utilities = np.stack([standard_moments(s, observed)[0] for s in surrogates], 1)
    for corner in promise._corners:
        short = (utilities - corner).min(1).max()
        assert short == pytest.approx(0, abs=1e-9), "a corner lies on the front: reached, not surpassed"
    moments = [standard_moments(s, rows) for s in surrogates]
    rng = np.random.default_rng(0)
    drawn = [mean + sd * rng.standard_normal((200_000, 1)) for mean, sd in moments]
    for corner, told in zip(promise._corners, promise(rows), strict=True):
        volume = np.prod([np.maximum(u - c, 0) for u, c in zip(drawn, corner, strict=True)], axis=0).mean(0)
        often = volume > 1e-3
        assert np.allclose(np.exp(told[often]), volume[often], rtol=0.1)


def test_an_outcome_constraint_weighs_by_the_chance_that_it_is_kept() -> None:
    encoding = Encoding(MIXED)
    bound = Objective("g", "at_most", "md", threshold=-0.5)
    goal, kept = (Surrogate(encoding, o, recorded(DESIGNS[:30])) for o in (UP, bound))
    observed, rows = encoding.rows(DESIGNS[:30]), encoding.rows(DESIGNS[30:])
    x = np.array([float(d.values["x"]) for d in DESIGNS[30:]])
    ratio = Promise([goal, kept], observed, seed=0)(rows)[0] - Promise([goal], observed, seed=0)(rows)[0]
    assert ratio[x < 0.4].max() < ratio[x > 0.6].min() - 1


def test_directions_are_positive_units_and_one_goal_has_one() -> None:
    assert np.array_equal(directions(1, 5), [[1.0]])
    found = directions(3, 5)
    assert (found > 0).all() and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-2)


def test_two_goals_are_searched_in_several_directions() -> None:
    acquisition = QLogNEHVI()
    acquisition.fit(MIXED, TWO, recorded(DESIGNS), [], seed=1)
    found = acquisition.search(POOR, DESIGNS, seed=4)
    assert max(f(p.design) for p in found) > 0.8
    assert any(f(p.design) > 0.7 and float(p.design.values["x"]) > 0.84 for p in found), "f alone is best at x = 0.8"


def test_what_is_searched_for_is_no_reference_for_learning() -> None:
    designs = MIXED.sample(6, seed=9)
    pool = [Proposal(d, "search" if i < 2 else "variation" if i < 3 else "uniform") for i, d in enumerate(designs)]
    assert reference(pool, 0) == [3, 4, 5]
