"""Coverage of held-out replicas on numbers whose coverage is known."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks import calibration
from loop import Estimate


def evaluations(designs, replicas, sd, se, seed=1):
    """Replicas that scatter by `sd` about their design's mean and state `se`."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 10, designs)
    return [[{"x": Estimate(m + sd * rng.normal(), se, "nm")} for _ in range(replicas)] for m in means]


@pytest.mark.parametrize("replicas", [3, 5])
def test_replica_scatter_of_one_size_is_covered_as_stated(replicas):
    rows = calibration.deviations(evaluations(150, replicas, sd=2.0, se=0.2))["x"]
    assert calibration.coverage(rows, 1.0).share == pytest.approx(0.683, abs=0.05)
    assert calibration.coverage(rows, 1.96).share == pytest.approx(0.95, abs=0.03)
    assert calibration.coverage(rows, 1.0).replicas == 150 * replicas


def test_errors_within_runs_alone_are_seen_to_fail():
    """Stated a tenth of the scatter: P(|N(0,1)| < 0.1) is 8 %."""
    rows = calibration.deviations(evaluations(150, 3, sd=2.0, se=0.2), calibration.within_runs)["x"]
    assert calibration.coverage(rows, 1.0).share == pytest.approx(0.08, abs=0.04)
    assert calibration.coverage(rows, 1.96).share < 0.25


def test_errors_stated_too_large_are_seen_as_well():
    rows = calibration.deviations(evaluations(60, 3, sd=1.0, se=5.0))["x"]
    assert calibration.coverage(rows, 1.0).share > 0.99


def test_a_held_out_replica_does_not_help_its_own_interval():
    calm = evaluations(20, 3, sd=0.01, se=0.01)
    calm[0] = [{"x": Estimate(v, 0.01, "nm")} for v in (0.0, 0.0, 1.0)]
    assert calibration.deviations(calm)["x"][0][2] > 20


def test_exact_properties_and_pairs_of_replicas_are_left_out():
    exact = [[{"dq": Estimate(0.1, 0.0, "e")}] * 3 for _ in range(5)]
    assert calibration.deviations(exact) == {}
    assert calibration.deviations(evaluations(5, 2, 1.0, 1.0)) == {}


def test_replicas_are_found_in_their_folders_and_grouped_by_what_was_asked(tmp_path):
    for seed, temperature in ((1, 300), (2, 300), (1, 400)):
        folder = tmp_path / f"{temperature}-{seed}"
        folder.mkdir()
        answer = {"estimates": {"x": asdict(Estimate(float(seed), 0.1, "nm"))}}
        manifest = {"question": {"design": {"temperature": temperature}, "seed": seed}, "answer": answer}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    found = calibration.read(tmp_path)
    assert sorted([estimate["x"].mean for estimate in group] for group in found) == [[1.0], [1.0, 2.0]]
