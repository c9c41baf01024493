"""Signal over noise and rank agreement on numbers whose ratio is known."""

import numpy as np
import pytest

from benchmarks import polarisation


def runs(signal, noise, surfaces=400, seeds=4):
    rng = np.random.default_rng(5)
    return (rng.normal(0, signal, (surfaces, 1)) + rng.normal(0, noise, (surfaces, seeds))).tolist()


def test_signal_over_noise_is_that_of_the_true_means():
    assert polarisation.signal_over_noise(runs(2.0, 1.0)) == pytest.approx(2.0, rel=0.1)
    assert polarisation.signal_over_noise(runs(0.0, 1.0)) < 0.15


def test_ranks_agree_where_signal_wins():
    assert polarisation.agreement(runs(10.0, 0.1)) > 0.99
    assert abs(polarisation.agreement(runs(0.0, 1.0))) < 0.15


@pytest.mark.parametrize(("common", "own"), [(1.0, 1.0), (0.0, 1.0), (2.0, 1.0)])
def test_share_of_noise_that_all_surfaces_have_in_common(common, own):
    rng = np.random.default_rng(7)
    values = rng.normal(0, 3, (200, 1)) + rng.normal(0, common, (1, 200)) + rng.normal(0, own, (200, 200))
    assert polarisation.common_noise(values.tolist()) == pytest.approx(common**2 / (common**2 + own**2), abs=0.1)


def test_at_least_twelve_surfaces_can_be_built_at_screen():
    from loop import Design
    from oracles.openmm import OpenMMOracle

    oracle = OpenMMOracle()
    designs = [Design({"polymer": "PVDF", "temperature": 400.0, **surface}) for surface in polarisation.SURFACES]
    assert sum(all(check.passed for check in oracle.check(design, "screen")) for design in designs) >= 12
