"""What a surrogate says is still to be gained, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.baselines import Sobol
from acquisition.bayes import QLogNEI
from loop.campaign.model import Stop
from loop.engine.fitting import Fit
from loop.engine.history import History
from loop.engine.outlook import LEAST_DESIGNS, Beliefs, Outlook, confidence, outlook, overconfidence, several, single
from loop.pareto import hypervolume
from loop.space import Space
from loop.types import Design, Estimate, Objective, Parameter, Record

ANY, ALL = -np.inf, np.inf
SPACE = Space([Parameter("x", "real", bounds=(0.0, 10.0), step=0.1)], [])
HEIGHT = Objective("height", "maximize", "walk", "m")


def beliefs(mean: list, sd: list, limits: list | None = None, most: list | None = None) -> Beliefs:
    m = len(mean[0])
    limits = [ANY] * m if limits is None else limits
    wished = np.array([limit == ANY for limit in limits])
    return Beliefs(np.array(mean), np.array(sd), np.array(limits), np.array(most or [ALL] * m), wished)


def test_one_goal_by_hand() -> None:
    known = beliefs([[1.0], [3.0]], [[0.1], [0.5]])
    pool = beliefs([[2.0], [3.5]], [[2.0], [0.1]])
    found = single(known, pool, width=2.0, spread=2.0)
    draws = np.random.default_rng(0).normal(2.0, 2.0, 400_000)
    expected = max(np.maximum(draws - 3.0, 0).mean(), 0.5)
    assert found.gain == pytest.approx(expected / 2.0, rel=5e-3)
    # the first candidate may be 6, and the second known design is 2 at least
    assert found.regret == pytest.approx((6.0 - 2.0) / 2.0)


def test_outcome_constraints_weigh_the_gain_and_leave_designs_out_of_the_bound() -> None:
    def of(margin: float) -> Outlook:
        """A candidate whose second property lies so far above its limit of 5."""
        known = beliefs([[0.0, 9.0]], [[0.1, 0.1]], [ANY, 5.0])
        return single(known, beliefs([[1.0, 5.0 + margin]], [[1.0, 0.1]], [ANY, 5.0]), 2.0, 1.0)

    assert of(0).gain == pytest.approx(of(4).gain / 2) and of(0).regret == of(4).regret
    assert of(-1).gain == pytest.approx(0, abs=1e-12)
    assert of(-1).regret == pytest.approx(0.4), "the bounds of the known design are left"


def test_a_target_cannot_be_surpassed() -> None:
    close = beliefs([[-0.1]], [[0.1]], most=[0.0])
    assert single(close, beliefs([[-0.2]], [[5.0]], most=[0.0]), 2.0, 1.0).regret == pytest.approx(0.3)


def test_two_goals_against_exact_hypervolumes() -> None:
    rng = np.random.default_rng(1)
    known = beliefs([[3.0, 1.0], [2.0, 2.0], [1.0, 4.0]], [[0.2, 0.1], [0.1, 0.2], [0.1, 0.1]])
    pool = beliefs([[2.5, 2.5], [1.0, 1.0]], [[0.5, 0.3], [0.1, 0.1]])
    corner, spread = np.zeros(2), np.array([1.0, 2.0])
    found = several(known, pool, 2.0, spread, corner, seed=3)

    def volume(points: np.ndarray) -> float:
        return hypervolume(points, corner)

    now = volume(known.mean)
    draws = rng.normal(pool.mean[0], pool.sd[0], (4000, 2))
    gain = np.mean([volume(np.vstack([known.mean, draw])) for draw in draws]) - now
    assert found.gain == pytest.approx(gain / now, rel=0.1)
    upper = np.vstack([known.mean + 2 * known.sd, pool.mean + 2 * pool.sd])
    bound = volume(upper) - volume(known.mean - 2 * known.sd)
    assert found.regret == pytest.approx(bound / now, rel=0.1)
    assert several(known, pool, 2.0, spread, corner, seed=3) == found


def test_nothing_is_said_where_the_goals_cover_nothing() -> None:
    known = beliefs([[-1.0, 1.0]], [[0.1, 0.1]])
    assert several(known, known, 2.0, np.ones(2), np.zeros(2), seed=0) is None


def test_the_bound_is_that_of_the_paper() -> None:
    # beta = 2 log(1000 * 20^2 * pi^2 / 0.6) = 31.4
    assert confidence(1000, 20) == pytest.approx((31.40 / 5) ** 0.5, rel=1e-3)


def walked(n: int, error: float = 0.1) -> list[Record]:
    noise = np.random.default_rng(5).normal(0, error, n)
    xs = np.linspace(0.0, 10.0, n).round(1)
    heights = [Estimate(5 - (x - 4) ** 2 / 5 + e, error, "m") for x, e in zip(xs, noise, strict=True)]
    return [record(float(x), height) for x, height in zip(xs, heights, strict=True)]


def record(x: float, height: Estimate) -> Record:
    return Record(Design({"x": x}), "walk", "w", "simulation", {"height": height}, 1, 0)


def fit_of(records: list[Record], kind: type = QLogNEI) -> Fit:
    acquisition = kind()
    acquisition.fit(SPACE, [HEIGHT], records, [], seed=1)
    return Fit([HEIGHT], History(tuple(records), (), ()), acquisition, None, True)


def test_a_known_hill_promises_little_and_an_unknown_side_of_it_much() -> None:
    pool = [Design({"x": x / 10}) for x in range(101)]
    whole = outlook(fit_of(walked(24)), pool, seed=0)
    left = [record for record in walked(48) if record.design.values["x"] > 5]
    half = outlook(fit_of(left), pool, seed=0)
    assert 0 <= whole.gain < 0.05 and 0 < whole.regret < 0.5
    assert half.gain > 4 * whole.gain and half.regret > 2 * whole.regret
    assert outlook(fit_of(walked(24)), pool, seed=0) == whole


def test_a_model_of_few_designs_or_none_is_not_asked() -> None:
    pool = [Design({"x": x / 10}) for x in range(101)]
    assert outlook(fit_of(walked(LEAST_DESIGNS - 1)), pool, seed=0) is None
    assert outlook(fit_of(walked(LEAST_DESIGNS)), pool, seed=0) is not None
    blind = fit_of(walked(24), Sobol)
    assert overconfidence(blind) is None and outlook(blind, pool, seed=0) is None


def test_overconfident_predictions_are_widened() -> None:
    sound, off = walked(24), walked(24)
    off[12] = record(off[12].design.values["x"], Estimate(15.0, 0.01, "m"))
    assert overconfidence(fit_of(sound))[0] < 1.3
    residuals = np.array([r.z for r in fit_of(off).witness.residuals()])
    assert overconfidence(fit_of(off))[0] == pytest.approx(max(1.0, np.sqrt((residuals**2).mean())))


def test_reasons_name_what_is_reached() -> None:
    found = Outlook(gain=0.02, regret=0.3)
    assert found.reason(Stop(evaluations=40)) == ""
    assert found.reason(Stop(expected_gain=0.02, regret=0.3)) == ""
    assert "expected to gain 0.02, less than 0.05" in found.reason(Stop(expected_gain=0.05))
    assert "more than 0.3, less than 0.5" in found.reason(Stop(expected_gain=0.01, regret=0.5))
