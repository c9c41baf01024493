"""Numbers in words, and signal over noise, against values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop.noise import noise
from loop.types import Design, Estimate, Objective, Record
from loop.wording import goal, label, moment, plus_minus

DIPOLE = Objective("dipole", "maximize", "md", "D")
numbers = st.floats(-100, 100)


def records(*values: tuple[float, float], kind="simulation", oracle="md") -> list[Record]:
    return [
        Record(Design({"x": i}), oracle, "screen", kind, {"dipole": Estimate(mean, se, "D")}, 3, 0)
        for i, (mean, se) in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (12.3456, 0.4321, "12.35 ± 0.43"),
        (-0.0432, 0.0119, "-0.043 ± 0.012"),
        (123.4, 45.6, "123 ± 46"),
        (5.0, 1234.0, "5 ± 1234"),
        (2.5e-7, 1e-8, "2.5e-07 ± 1e-08"),
        (1.23456, None, "1.235"),
        (1.23456, 0.0, "1.235"),
    ],
)
def test_errors_decide_the_digits(mean, error, text) -> None:
    assert plus_minus(mean, error) == text


def test_names_goals_and_times() -> None:
    assert label("adhesion_energy", "mJ/m^2") == "adhesion energy [mJ/m²]"
    assert label("trans_fraction") == "trans fraction"
    least = Objective("dq", "minimize", "md", "e", threshold=0.25)
    assert goal(least) == "minimize dq [e], at most 0.25"
    assert moment("2026-05-01T11:30:12.5+02:00") == "2026-05-01 09:30 UTC"


def test_signal_over_noise_by_hand() -> None:
    # var(1, 3, 5) = 4, mean square error = (1 + 1 + 4) / 3 = 2: sqrt(4 - 2) / sqrt(2) = 1
    found = noise(records((1, 1), (3, 1), (5, 2)), DIPOLE)
    assert (found.designs, found.ratio) == (3, pytest.approx(1))
    assert found.error == pytest.approx(2**0.5) and found.spread == pytest.approx(2**0.5)


def test_scatter_below_the_errors_is_no_signal() -> None:
    found = noise(records((1, 1), (1.5, 1)), DIPOLE)
    assert found.ratio == 0 and found.wins


def test_what_cannot_be_known_is_not_claimed() -> None:
    for few in ([], records((1, 1)), records((1, 0), (2, 0)), records((1, 0.0), (2, 0.1))):
        found = noise(few, DIPOLE)
        assert found.ratio is None and not found.wins


def test_only_real_records_of_the_objectives_oracle_are_judged() -> None:
    others = records((9, 1), (50, 1), kind="synthetic") + records((70, 1), (0, 1), oracle="smoke")
    assert noise([*others, *records((1, 1), (3, 1))], DIPOLE) == noise(records((1, 1), (3, 1)), DIPOLE)


@given(st.lists(st.tuples(numbers, st.floats(0.1, 10)), min_size=2, max_size=12), numbers, st.floats(0.1, 10))
def test_the_ratio_does_not_depend_on_unit_or_zero(values, shift, scale) -> None:
    moved = [(scale * mean + shift, scale * se) for mean, se in values]
    before, after = noise(records(*values), DIPOLE), noise(records(*moved), DIPOLE)
    assert after.ratio == pytest.approx(before.ratio, rel=1e-6, abs=1e-3)
