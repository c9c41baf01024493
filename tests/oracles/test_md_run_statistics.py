"""Errors of correlated series against series whose correlation is known."""

import numpy as np
import pytest

from oracles.openmm.observe.statistics import Equilibration, estimate, find_equilibration, inefficiency, ratio

SETTLED = Equilibration(0.0, 0.0, 100.0)


def autoregressive(n, rho, seed, mean=0.0):
    """x_t = rho x_{t-1} + noise: unit variance, inefficiency (1 + rho) / (1 - rho)."""
    noise = np.random.default_rng(seed).normal(0, np.sqrt(1 - rho**2), n)
    x = np.empty(n)
    x[0] = np.random.default_rng(seed + 1).normal()
    for t in range(1, n):
        x[t] = rho * x[t - 1] + noise[t]
    return x + mean


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_inefficiency_of_an_autoregressive_series(rho):
    found = np.mean([inefficiency(autoregressive(4000, rho, seed)) for seed in range(0, 20, 2)])
    assert found == pytest.approx((1 + rho) / (1 - rho), rel=0.15)


def test_error_covers_the_scatter_of_means():
    answers = [estimate(autoregressive(600, 0.7, seed, mean=3.0), "nm", SETTLED) for seed in range(0, 160, 2)]
    scatter = np.std([a.mean for a in answers])
    assert np.mean([a.se for a in answers]) == pytest.approx(scatter, rel=0.2)
    assert np.mean([a.mean for a in answers]) == pytest.approx(3.0, abs=4 * scatter / np.sqrt(80))


def test_ratio_weights_frames_by_what_they_count():
    value = ratio(np.array([2.0, 0.0, 4.0, 3.0]), np.array([1.0, 0.0, 2.0, 3.0]), "D", SETTLED)
    assert value.mean == pytest.approx(9 / 6)
    assert value.se > 0


def test_nothing_counted_is_an_error_not_a_number():
    with pytest.raises(ValueError, match="nothing"):
        ratio(np.zeros(8), np.zeros(8), "D", SETTLED)


def test_constant_series_has_no_error_and_not_a_number_is_refused():
    assert estimate(np.full(20, 1.5), "nm", SETTLED).se == 0.0
    assert find_equilibration(np.full(20, 1.5)).settled
    with pytest.raises(ValueError, match="finite"):
        estimate(np.array([1.0, np.nan, 2.0, 1.0, 1.0]), "nm", SETTLED)


def test_a_relaxing_start_is_left_out():
    x = autoregressive(400, 0.3, 4)
    x[:80] += np.linspace(12, 0, 80)
    run = find_equilibration(x)
    assert 0.1 <= run.fraction <= 0.3
    assert run.settled
    assert estimate(x, "nm", run).mean == pytest.approx(0.0, abs=0.3)


def test_a_drifting_run_is_not_settled_and_its_error_holds_the_drift():
    x = np.linspace(0, 10, 100) + autoregressive(100, 0.2, 7)
    run = find_equilibration(x)
    assert not run.settled
    assert run.start <= 0.5
    assert estimate(x, "nm", run).se > 1.0
