"""Selection: what is picked, why, and that it is picked again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from acquisition.batch import Learning, learning_share
from acquisition.bayes import QLogNEHVI, QLogNEI
from acquisition.encoding import Encoding
from acquisition.process import Process
from loop.space import Space
from loop.types import Acquisition, Design, Estimate, Failure, Objective, Parameter, Pick, Proposal, Record

LINE = Space([Parameter("x", "real", bounds=(0.0, 1.0), step=0.01)])
UP = Objective("f", "maximize", "md")
TWO = (Objective("f", "maximize", "md"), Objective("g", "maximize", "md"))


def at(x: float, space: Space = LINE, **others: float | str) -> Design:
    return space.canonicalise({"x": x, **others})


def recorded(design: Design, oracle: str = "md", se: float = 0.01, **values: float) -> Record:
    estimates = {name: Estimate(value, se, "1") for name, value in values.items()}
    return Record(design, oracle, "screen", "simulation", estimates, 3, 0)


def failed(design: Design, cause: str = "unphysical", oracle: str = "md") -> Failure:
    return Failure(design, oracle, "screen", cause, "for the test", 0)  # type: ignore[arg-type]


def pooled(designs: Sequence[Design]) -> list[Proposal]:
    return [Proposal(design, "uniform") for design in designs]


GRID = pooled([at(i / 100) for i in range(101)])


def hump(x: float) -> float:
    return math.exp(-(((x - 0.62) / 0.15) ** 2))


def chosen(picks: Sequence[Pick]) -> list[float]:
    return [float(pick.proposal.design.values["x"]) for pick in picks]


def fitted(
    acquisition: QLogNEI | QLogNEHVI,
    records: Sequence[Record],
    objectives: Sequence[Objective] = (UP,),
    failures: Sequence[Failure] = (),
    space: Space = LINE,
) -> QLogNEI | QLogNEHVI:
    acquisition.fit(space, objectives, records, failures, seed=1)
    return acquisition


HUMP = [recorded(at(x), f=hump(x)) for x in (0.0, 0.2, 0.4, 0.5, 0.7, 0.8, 1.0)]


def test_the_obvious_maximum_is_picked() -> None:
    (pick,) = fitted(QLogNEI(split=0), HUMP).select(GRID, 1, [], seed=2)
    assert pick.role == "improve"
    assert chosen([pick])[0] == pytest.approx(0.62, abs=0.08)
    mean, sd = pick.predicted["f"]
    assert abs(mean - hump(chosen([pick])[0])) < 3 * sd


def test_minimising_the_negative_is_the_same_decision_in_the_propertys_own_sign() -> None:
    down = fitted(
        QLogNEI(split=0),
        [recorded(r.design, f=-r.estimates["f"].mean) for r in HUMP],
        [Objective("f", "minimize", "md")],
    )
    up = fitted(QLogNEI(split=0), HUMP)
    a, b = up.select(GRID, 2, [], seed=2), down.select(GRID, 2, [], seed=2)
    assert chosen(a) == pytest.approx(chosen(b), abs=0.011)
    assert b[0].predicted["f"][0] == pytest.approx(-a[0].predicted["f"][0], abs=1e-6)
    assert np.allclose(up.predict([at(0.3)])[0], down.predict([at(0.3)])[0], atol=1e-6)


def test_a_target_is_approached_from_both_sides() -> None:
    line = [recorded(at(x), f=10 * x) for x in (0.0, 0.2, 0.5, 0.9, 1.0)]
    wanted = Objective("f", "target", "md", target=7.0)
    acquisition = fitted(QLogNEI(split=0), line, [wanted])
    (pick,) = acquisition.select(GRID, 1, [], seed=3)
    assert chosen([pick])[0] == pytest.approx(0.7, abs=0.08)
    assert pick.predicted["f"][0] == pytest.approx(7.0, abs=0.5)
    mean, variance = acquisition.predict([at(0.2), at(0.7)])
    assert mean[0, 0] == pytest.approx(-5.0, abs=0.3) and mean[1, 0] > -1.0
    assert (variance >= 0).all()


def front(x: float) -> dict[str, float]:
    return {"f": x, "g": math.sqrt(max(0.0, 1 - x**2))}


def test_two_objectives_fill_the_gap_of_the_front() -> None:
    records = [recorded(at(x), **front(x)) for x in (0.0, 0.1, 0.2, 0.3, 0.9, 0.95, 1.0)]
    (pick,) = fitted(QLogNEHVI(split=0), records, TWO).select(GRID, 1, [], seed=4)
    assert 0.45 < chosen([pick])[0] < 0.85
    assert set(pick.predicted) == {"f", "g"}


def test_thresholds_say_which_end_of_the_front_counts() -> None:
    records = [recorded(at(x), **front(x)) for x in (0.0, 0.3, 0.5, 1.0)]
    low_f = [Objective("f", "maximize", "md", threshold=0.0), Objective("g", "maximize", "md", threshold=0.9)]
    high_f = [Objective("f", "maximize", "md", threshold=0.9), Objective("g", "maximize", "md", threshold=0.0)]
    (a,) = fitted(QLogNEHVI(split=0), records, low_f).select(GRID, 1, [], seed=4)
    (b,) = fitted(QLogNEHVI(split=0), records, high_f).select(GRID, 1, [], seed=4)
    assert chosen([a])[0] < 0.45 < 0.7 < chosen([b])[0]


def test_a_threshold_nothing_reaches_still_gives_picks() -> None:
    records = [recorded(at(x), **front(x)) for x in (0.0, 0.3, 0.5, 1.0)]
    high = [Objective("f", "maximize", "md", threshold=50.0), Objective("g", "maximize", "md", threshold=50.0)]
    picks = fitted(QLogNEHVI(), records, high).select(GRID, 4, [at(0.8)], seed=4)
    assert [pick.role for pick in picks] == ["improve", "improve", "learn", "learn"]


def test_pending_designs_are_neither_picked_nor_crowded() -> None:
    acquisition = fitted(QLogNEI(split=0), HUMP)
    (alone,) = acquisition.select(GRID, 1, [], seed=5)
    (beside,) = acquisition.select(GRID, 1, [alone.proposal.design], seed=5)
    assert beside.proposal.design != alone.proposal.design
    assert beside.value is not None and alone.value is not None and beside.value < alone.value - 0.3
    both = acquisition.select(GRID, 2, [], seed=5)
    assert chosen(both) == [*chosen([alone]), *chosen([beside])]


def test_two_objectives_move_away_from_pending_designs() -> None:
    records = [recorded(at(x), **front(x)) for x in (0.0, 0.3, 1.0)]
    acquisition = fitted(QLogNEHVI(split=0), records, TWO)
    (alone,) = acquisition.select(GRID, 1, [], seed=5)
    (beside,) = acquisition.select(GRID, 1, [alone.proposal.design], seed=5)
    assert abs(chosen([beside])[0] - chosen([alone])[0]) > 0.05


def test_known_and_repeated_designs_are_never_picked() -> None:
    pool = [*GRID, *GRID, *pooled([r.design for r in HUMP])]
    acquisition = fitted(QLogNEI(), HUMP, failures=[failed(at(0.62))])
    picks = acquisition.select(pool, 20, [at(0.61)], seed=6)
    designs = [pick.proposal.design for pick in picks]
    assert len(set(designs)) == len(designs) == 20
    assert not set(designs) & {at(0.61), at(0.62), *(r.design for r in HUMP)}


def test_a_small_pool_gives_what_it_has_and_says_so() -> None:
    acquisition = fitted(QLogNEI(), HUMP)
    assert len(acquisition.select(GRID[:4], 8, [], seed=6)) == 3
    assert "3 new designs" in acquisition.notes[-1]
    assert acquisition.select(pooled([HUMP[0].design]), 2, [], seed=6) == []


def test_a_failure_overcome_by_a_record_no_longer_counts() -> None:
    acquisition = fitted(QLogNEI(), HUMP, failures=[failed(HUMP[2].design)])
    assert (acquisition.log_feasibility([p.design for p in GRID]) == 0).all()


def test_half_of_the_batch_learns() -> None:
    roles = [pick.role for pick in fitted(QLogNEI(split=0.5), HUMP).select(GRID, 4, [], seed=10)]
    assert roles == ["improve", "improve", "learn", "learn"]
    for split, role in ((0.0, "improve"), (1.0, "learn")):
        picks = fitted(QLogNEI(split=split), HUMP).select(GRID, 3, [], seed=10)
        assert {pick.role for pick in picks} == {role}


@pytest.mark.parametrize("split", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("q", [1, 3, 4])
def test_the_learning_share_holds_over_a_campaign_for_any_batch(split: float, q: int) -> None:
    shares = [learning_share(q, decided, split) for decided in range(0, 12 * q, q)]
    assert sum(shares) == 12 * q * split
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize("q", [1, 3, 4])
def test_nothing_is_learned_after_the_planned_designs(q: int) -> None:
    shares = [learning_share(q, decided, 0.5, 17) for decided in range(0, 12 * q, q)]
    assert sum(shares) == min(12 * q, 17) // 2
    assert not any(share for share, decided in zip(shares, range(0, 12 * q, q), strict=True) if decided >= 17)


def test_the_last_designs_of_a_planned_campaign_improve() -> None:
    roles = {}
    for designs in (len(HUMP), 100):
        for split in (0.5, 1.0):
            acquisition = QLogNEI(split=split)
            acquisition.plan(designs)
            picks = fitted(acquisition, HUMP).select(GRID, 4, [], seed=10)
            roles[designs, split] = [pick.role for pick in picks].count("learn")
    assert roles == {(len(HUMP), 0.5): 0, (len(HUMP), 1.0): 4, (100, 0.5): 2, (100, 1.0): 4}


def test_learning_picks_go_where_nothing_is_known() -> None:
    left = [recorded(at(x), f=math.sin(20 * x)) for x in np.linspace(0, 0.5, 12)]
    picks = fitted(QLogNEI(split=1.0), left).select(GRID, 2, [], seed=11)
    assert min(chosen(picks)) > 0.55
    assert abs(chosen(picks)[0] - chosen(picks)[1]) > 0.05


def test_learning_gain_is_botorchs_integrated_variance() -> None:
    from botorch.acquisition.active_learning import qNegIntegratedPosteriorVariance
    from botorch.models import SingleTaskGP

    encoding = Encoding(LINE)
    values = np.array([r.estimates["f"].mean for r in HUMP])
    process = Process(encoding, encoding.rows([r.design for r in HUMP]), values, np.full(len(HUMP), 0.01**2))
    rows = encoding.rows([p.design for p in GRID])
    points = list(range(0, 101, 5))
    waiting = [33, 90]
    _, covariance = process.joint(rows)
    learning = Learning([covariance.numpy()], [float(process.noise.mean())], points)
    for i in waiting:
        learning.observe(i)
    gains = learning.gains(101)
    model = SingleTaskGP(  # with an additional noise to infer, BoTorch counts that noise twice in a fantasy
        process.model.train_inputs[0],
        process.model.train_targets.unsqueeze(-1),
        process.noise.unsqueeze(-1),
        covar_module=process.model.covar_module,
        outcome_transform=None,
    )
    reference = qNegIntegratedPosteriorVariance(
        model.eval(), torch.as_tensor(rows[points]), X_pending=torch.as_tensor(rows[waiting])
    )
    with torch.no_grad():
        values = reference(torch.as_tensor(rows).unsqueeze(-2)).numpy()
    assert np.allclose(gains - gains.mean(), values - values.mean(), atol=1e-4 * np.ptp(values))
    assert np.ptp(values) > 1e-3


def test_a_property_measured_on_some_designs_only_is_modelled_from_those() -> None:
    both = [recorded(at(x), **front(x)) for x in (0.0, 0.5, 1.0)]
    only_f = [recorded(at(x), f=x) for x in (0.25, 0.75)]
    elsewhere = [recorded(at(x), oracle="lab", f=99.0, g=99.0) for x in (0.1, 0.9)]
    acquisition = fitted(QLogNEHVI(), [*both, *only_f, *elsewhere], TWO)
    mean, variance = acquisition.predict([at(0.25), at(0.9)])
    assert mean.shape == variance.shape == (2, 2)
    assert mean[0, 0] == pytest.approx(0.25, abs=0.05)
    assert variance[0, 0] < variance[0, 1]
    assert len(acquisition.residuals()) == 8
    picks = acquisition.select(GRID, 4, [], seed=15)
    assert not {0.25, 0.75} & set(chosen(picks))


@pytest.mark.parametrize("records", [[], HUMP[:1], [recorded(at(0.5), f=math.nan), HUMP[0]]])
def test_too_few_records_spread_the_picks_and_say_so(records: list[Record]) -> None:
    acquisition = fitted(QLogNEI(), records, failures=[failed(at(1.0))])
    picks = acquisition.select(GRID, 3, [], seed=16)
    assert {pick.role for pick in picks} == {"explore"}
    assert "usable records of f from md" in acquisition.notes[0] and not acquisition.fitted
    taken = sorted([*chosen(picks), 1.0, *(float(r.design.values["x"]) for r in records if r is HUMP[0])])
    assert np.diff(taken).min() > 0.15
    mean, variance = acquisition.predict([at(0.1), at(0.2)])
    assert np.isfinite(mean).all() and (variance == 1).all()
    assert acquisition.residuals() == []


def test_values_that_cannot_be_fitted_are_a_visible_fallback() -> None:
    records = [recorded(at(0.1), f=1e308), recorded(at(0.5), f=-1e308), recorded(at(0.9), f=1e308)]
    acquisition = fitted(QLogNEI(), records)
    picks = acquisition.select(GRID, 2, [], seed=17)
    assert [pick.role for pick in picks] == ["fallback", "fallback"]
    assert "surrogate of f: the values are too large" in acquisition.notes[0]


def test_a_constant_objective_still_gives_picks() -> None:
    records = [recorded(r.design, f=3.0, g=r.estimates["f"].mean, se=0.0) for r in HUMP]
    acquisition = fitted(QLogNEHVI(), records, TWO)
    picks = acquisition.select(GRID, 4, [], seed=18)
    assert [pick.role for pick in picks] == ["improve", "improve", "learn", "learn"]
    assert all(pick.value is not None and math.isfinite(pick.value) for pick in picks)
    assert np.isfinite(acquisition.predict([p.design for p in GRID])[0]).all()


def test_measuring_a_design_again_is_two_records_of_one_design() -> None:
    twice = [*HUMP, recorded(HUMP[3].design, f=hump(0.5) + 0.02), recorded(HUMP[3].design, f=hump(0.5) - 0.02)]
    acquisition = fitted(QLogNEI(), twice)
    assert len(acquisition.residuals()) == 9
    assert len(acquisition.select(GRID, 4, [HUMP[3].design], seed=19)) == 4


def test_a_space_of_one_design_is_modelled() -> None:
    space = Space([Parameter("oxide", "fixed", ("silica",))])
    design = space.canonicalise({})
    acquisition = fitted(QLogNEI(), [recorded(design, f=1.0), recorded(design, f=1.1)], space=space)
    mean, _ = acquisition.predict([design])
    assert mean[0, 0] == pytest.approx(1.05, abs=0.1)
    assert acquisition.select(pooled([design]), 1, [], seed=20) == []


@pytest.mark.parametrize(
    ("acquisition", "objectives", "cure"), [(QLogNEI(), TWO, "qlognehvi"), (QLogNEHVI(), (UP,), "qlognei")]
)
def test_the_wrong_number_of_objectives_names_the_right_acquisition(
    acquisition: QLogNEI | QLogNEHVI, objectives: Sequence[Objective], cure: str
) -> None:
    with pytest.raises(ValueError, match=cure):
        acquisition.fit(LINE, objectives, HUMP, [], seed=1)


@pytest.mark.parametrize(("key", "value"), [("split", 1.5), ("split", -0.1), ("samples", 100), ("samples", 0)])
def test_impossible_keys_are_refused(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=key):
        QLogNEI(**{key: value})  # type: ignore[arg-type]


def test_three_objectives_spread_over_the_front_above_the_thresholds() -> None:
    corners = {"f": (0.0, 0.0), "g": (1.0, 0.0), "h": (0.5, 1.0)}

    def near(design: Design) -> dict[str, float]:
        x, y = float(design.values["x"]), float(design.values["y"])
        return {name: -((x - a) ** 2) - (y - b) ** 2 for name, (a, b) in corners.items()}

    square = Space([Parameter(name, "real", bounds=(-1.0, 2.0), step=0.01) for name in "xy"])
    records = [recorded(d, **near(d)) for d in square.sample(20, seed=1)]
    objectives = [Objective(name, "maximize", "md", threshold=-2.0) for name in "fgh"]
    acquisition = fitted(QLogNEHVI(split=0), records, objectives, space=square)
    picks = acquisition.select(pooled(square.sample(200, seed=2)), 6, [], seed=21)
    found = [near(pick.proposal.design) for pick in picks]
    assert {pick.role for pick in picks} == {"improve"}
    assert sum(min(values.values()) > -2.0 for values in found) >= 5
    assert len({max(values, key=lambda name: values[name]) for values in found}) >= 2


def test_it_is_an_acquisition() -> None:
    acquisition: Acquisition = QLogNEI()
    assert acquisition
