"""Dominance and hypervolume against values worked out by hand and against counting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loop.pareto import dominators, hypervolume

fronts = st.tuples(st.integers(1, 8), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 4))
)


def unit_cells_covered(points: np.ndarray) -> int:
    """Whole-number boxes [0, p]: count the unit cells that lie in at least one."""
    top = points.max(0)
    cells = itertools.product(*(range(n) for n in top))
    return sum(any(all(c < p for c, p in zip(cell, point, strict=True)) for point in points) for cell in cells)


def test_a_single_point_spans_a_box() -> None:
    assert hypervolume([[3.0, 5.0]], [1.0, 2.0]) == pytest.approx(2 * 3)


def test_a_staircase_of_three_points() -> None:
    # widths 1 under 3, 1 under 2, 1 under 1
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [0, 0]) == pytest.approx(6)


def test_three_boxes_in_three_dimensions() -> None:
    # 3 x (1*1*3) minus 3 pairwise overlaps of 1, plus the common cube of 1
    assert hypervolume([[1, 1, 3], [1, 3, 1], [3, 1, 1]], [0, 0, 0]) == pytest.approx(9 - 3 + 1)


def test_four_objectives() -> None:
    assert hypervolume([[2, 1, 1, 1], [1, 1, 1, 3]], [0, 0, 0, 0]) == pytest.approx(2 + 3 - 1)


def test_a_point_on_or_below_the_reference_counts_nothing() -> None:
    assert hypervolume([[0.0, 9.0], [-1.0, 9.0]], [0.0, 0.0]) == 0
    assert hypervolume([], [0.0, 0.0]) == 0


def test_dominators_are_counted_and_equal_rows_do_not_dominate() -> None:
    points = [[1, 2], [2, 1], [1, 1], [2, 1], [0, 2]]
    assert dominators(points).tolist() == [0, 0, 3, 0, 1]
    assert dominators([]).tolist() == []


@given(fronts)
def test_hypervolume_counts_cells(points: np.ndarray) -> None:
    covered = unit_cells_covered(points)
    assert hypervolume(points, [0] * points.shape[1]) == pytest.approx(covered)


@given(fronts, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_hypervolume_does_not_depend_on_order_and_never_falls(points: np.ndarray, random) -> None:
    reference = [-1] * points.shape[1]
    order = list(range(len(points)))
    random.shuffle(order)
    volumes = [hypervolume(points[: n + 1], reference) for n in range(len(points))]
    assert volumes == sorted(volumes)
    assert hypervolume(points[order], reference) == pytest.approx(volumes[-1])


@given(fronts)
@settings(max_examples=50)
def test_the_front_alone_spans_the_whole_volume(points: np.ndarray) -> None:
    reference = [-1] * points.shape[1]
    assert hypervolume(points[dominators(points) == 0], reference) == pytest.approx(hypervolume(points, reference))
