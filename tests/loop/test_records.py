"""Combining replicates: numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop.records import Pool, agreement, blame, combine, complete, pools
from loop.types import Estimate


def replicates(*means: float, se: float = 0.0, n_eff: float | None = 10.0) -> list[dict[str, Estimate]]:
    return [{"e": Estimate(mean, se, "mJ/m^2", n_eff, "block average")} for mean in means]


def test_without_a_pool_the_error_is_that_of_the_replicas() -> None:
    found = combine(replicates(1.0, 2.0, 3.0, se=0.1), {})["e"]
    assert (found.mean, found.unit, found.n_eff) == (2.0, "mJ/m^2", 30.0)
    assert found.se == pytest.approx(1.0 / math.sqrt(3))  # sd 1, n 3
    assert "3 replicates" in found.method


def test_errors_within_runs_win_where_they_are_larger() -> None:
    # mean(se^2) = (9 + 16) / 2 = 12.5 > sd^2 = 0.02; se = sqrt(12.5 / 2) = 2.5
    pair = [{"e": Estimate(1.0, 3.0, "K")}, {"e": Estimate(1.2, 4.0, "K")}]
    found = combine(pair, {})["e"]
    assert found.se == pytest.approx(2.5)
    assert found.n_eff is None
    assert "within" in found.method


def test_the_scatter_is_shrunk_to_the_pool_with_four_degrees_of_freedom() -> None:
    # own variance 1 with 2 degrees, pooled 4 with 4: (4 * 4 + 2 * 1) / 6 = 3; se = sqrt(3 / 3) = 1
    assert combine(replicates(1.0, 2.0, 3.0), {"e": 2.0})["e"].se == pytest.approx(1.0)


def test_a_lone_simulation_takes_the_pooled_scatter_and_a_lone_measurement_keeps_its_own() -> None:
    lone = replicates(5.0, se=0.1)
    assert combine(lone, {"e": 2.0})["e"].se == pytest.approx(2.0)
    assert combine(lone, {"e": 2.0}, measured=True)["e"] == lone[0]["e"]
    assert combine(lone, {"e": None})["e"] == lone[0]["e"]
    assert combine(replicates(5.0, se=0.0), {"e": 2.0}, measured=True)["e"].se == pytest.approx(2.0)


def test_properties_are_combined_over_the_replicates_that_report_them() -> None:
    partial = [{"a": Estimate(1.0, 0.1, "K"), "b": Estimate(5.0, 0.2, "nm")}, {"a": Estimate(3.0, 0.1, "K")}]
    found = combine(partial, {})
    assert found["a"].mean == 2.0
    assert found["b"] == Estimate(5.0, 0.2, "nm")


def test_different_units_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a: replicates in different units, K, mK"):
        combine([{"a": Estimate(1.0, 0.1, "K")}, {"a": Estimate(1.0, 0.1, "mK")}], {})


def test_a_pool_needs_three_evaluations_of_two_replicates() -> None:
    two = [replicates(0.0, 2.0), replicates(0.0, 2.0), replicates(7.0)]
    assert pools(two)["e"].sd is None
    # squares 2 + 2 + 8, degrees 1 + 1 + 2: sd = sqrt(12 / 4)
    assert pools([*two, replicates(-2.0, 0.0, 2.0)])["e"].sd == pytest.approx(math.sqrt(3.0))


@given(st.lists(st.lists(st.floats(-100, 100), min_size=1, max_size=4), min_size=1, max_size=6))
def test_taking_an_evaluation_out_of_a_pool_undoes_putting_it_in(groups: list[list[float]]) -> None:
    rest = Pool()
    for group in groups[1:]:
        rest = rest.add(group)
    again = rest.add(groups[0]).add(groups[0], -1)
    assert (again.degrees, again.evaluations) == (rest.degrees, rest.evaluations)
    assert again.squares == pytest.approx(rest.squares, abs=1e-6)


def test_disagreeing_replicas_are_flagged_even_among_few() -> None:
    calm = [replicates(-1.0, 0.0, 1.0)] * 3  # pooled sd of the others: 1
    wild = replicates(-4.0, 0.0, 4.0)  # squares 32
    pool = pools([*calm, wild])
    (check,) = agreement(wild, pool)
    assert not check.passed
    assert check.value == pytest.approx(32.0)
    assert check.limit == pytest.approx(9.21, abs=0.005)  # chi-square, 2 degrees of freedom, 1 %
    assert all(check.passed for check in agreement(calm[0], pool))
    assert agreement(replicates(1.0), pool) == []


def test_a_record_needs_a_strict_majority_and_no_open_replicate() -> None:
    assert complete(2, 3, 0, measured=False)
    assert not complete(2, 3, 1, measured=False)
    assert not complete(1, 2, 0, measured=False)
    assert complete(1, 3, 2, measured=True)
    assert not complete(0, 3, 0, measured=True)


def test_the_first_cause_that_teaches_is_blamed() -> None:
    assert blame([("infrastructure", "disk"), ("unphysical", "NaN"), ("infeasible", "x")]) == ("unphysical", "NaN")
    assert blame([("cancelled", "by hand"), ("infrastructure", "disk")]) == ("cancelled", "by hand")
