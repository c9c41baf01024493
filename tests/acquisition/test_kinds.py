"""The acquisitions a user may choose: what each picks, whatever it is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from acquisition.bald import BALD, Disagreement
from acquisition.baselines import Random, Sobol
from acquisition.bayes import Bayes, QLogNEHVI, QLogNEI
from acquisition.cost import log_discount
from acquisition.informative import IntegratedVariance
from acquisition.parego import ParEGO
from acquisition.process import SETTLED
from acquisition.thompson import Thompson
from loop.space import Space
from loop.types import Acquisition, Design, Estimate, Failure, Objective, Parameter, Pick, Proposal, Record

SPACE = Space(
    [
        Parameter("kind", "choices", ("a", "b", "c")),
        Parameter("x", "real", bounds=(0.0, 1.0), step=0.01),
        Parameter("y", "real", bounds=(0.0, 1.0), step=0.01),
    ]
)
NAMES = ("f", "g", "h", "i", "j")
KINDS: Mapping[str, tuple[Callable[[], Acquisition], int]] = {
    "qlognei": (QLogNEI, 1),
    "qlognehvi": (QLogNEHVI, 2),
    "parego": (ParEGO, 3),
    "thompson": (Thompson, 1),
    "thompson of two": (Thompson, 2),
    "integrated_variance": (IntegratedVariance, 2),
    "bald": (BALD, 2),
    "random": (Random, 2),
    "sobol": (Sobol, 2),
}
POOL = [Proposal(design, "uniform") for design in SPACE.sample(100, seed=1)]
TRAINING = SPACE.sample(10, seed=2)


def answer(design: Design, name: str) -> float:
    """Each property has its optimum elsewhere, and its own liking for a kind."""
    i = NAMES.index(name)
    x, y, kind = (design.values[key] for key in ("x", "y", "kind"))
    away = (float(x) - 0.2 * i) ** 2 + (float(y) - 0.9 + 0.2 * i) ** 2
    return 1.0 - away + 0.3 * ("abc"[i % 3] == kind)


def recorded(design: Design, values: Mapping[str, float], se: float = 0.01) -> Record:
    estimates = {name: Estimate(value, se, "1") for name, value in values.items()}
    return Record(design, "md", "screen", "simulation", estimates, 3, 0)


def records_of(designs: Sequence[Design], names: Sequence[str], se: float = 0.01) -> list[Record]:
    return [recorded(design, {name: answer(design, name) for name in names}, se) for design in designs]


def maximised(count: int) -> list[Objective]:
    return [Objective(name, "maximize", "md") for name in NAMES[:count]]


def decided(
    make: Callable[[], Acquisition],
    objectives: Sequence[Objective],
    records: Sequence[Record],
    failures: Sequence[Failure] = (),
    pending: Sequence[Design] = (),
    seed: int = 3,
) -> tuple[Acquisition, list[Pick]]:
    """The picks, after what holds for every kind: four distinct ones, neither known nor pending, told as they are."""
    acquisition = make()
    acquisition.fit(SPACE, objectives, records, failures, seed=1)
    picks = acquisition.select(POOL, 4, pending, seed=seed)
    designs = [pick.proposal.design for pick in picks]
    answered = {r.design for r in records if any(math.isfinite(e.mean) for e in r.estimates.values())}
    assert len(set(designs)) == 4
    assert not set(designs) & {*pending, *answered}
    assert all(pick.value is None or math.isfinite(pick.value) for pick in picks)
    if isinstance(acquisition, Bayes):
        assert {pick.role for pick in picks} <= {"improve", "learn", "explore", "fallback"}
        blind = {"explore", "fallback"} & {pick.role for pick in picks}
        assert bool(blind) == any("spread over the space" in note for note in acquisition.notes)
        promising = acquisition.promising(POOL[:40], 5, seed=seed)
        assert len({p.design for p in promising}) == len(promising) == (5 if acquisition._scout else 0)
    mean, variance = acquisition.predict(designs)
    assert mean.shape == variance.shape == (4, len(objectives)) and np.isfinite(mean).all() and (variance >= 0).all()
    return acquisition, picks


@cache
def plain(kind: str) -> list[Pick]:
    """What the kind picks when nothing is the matter."""
    make, count = KINDS[kind]
    return decided(make, maximised(count), records_of(TRAINING, NAMES[:count]))[1]


def designs_of(picks: Sequence[Pick]) -> list[Design]:
    return [pick.proposal.design for pick in picks]


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_all_values_equal(kind: str) -> None:
    make, count = KINDS[kind]
    same = [recorded(d, dict.fromkeys(NAMES[:count], 3.0)) for d in TRAINING]
    _, picks = decided(make, maximised(count), same)
    assert not {"explore", "fallback"} & {pick.role for pick in picks}


@every_kind
@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_record(kind: str, n: int) -> None:
    make, count = KINDS[kind]
    _, picks = decided(make, maximised(count), records_of(TRAINING[:n], NAMES[:count]))
    assert {pick.role for pick in picks} <= {"explore", "random", "sobol"}


@every_kind
def test_all_failed(kind: str) -> None:
    make, count = KINDS[kind]
    failures = [Failure(d, "md", "screen", "unphysical", "overlap", 0) for d in TRAINING]
    _, picks = decided(make, maximised(count), [], failures)
    assert not {pick.proposal.design for pick in picks} & set(TRAINING)


@every_kind
def test_duplicated_designs(kind: str) -> None:
    make, count = KINDS[kind]
    decided(make, maximised(count), records_of([*TRAINING, *TRAINING, *TRAINING], NAMES[:count], se=0.0))


@every_kind
@pytest.mark.parametrize("se", [0.0, math.nan])
def test_error_bars_of_zero_or_missing(kind: str, se: float) -> None:
    make, count = KINDS[kind]
    _, picks = decided(make, maximised(count), records_of(TRAINING, NAMES[:count], se))
    assert not {"explore", "fallback"} & {pick.role for pick in picks}


@every_kind
def test_the_units_of_a_property_change_nothing(kind: str) -> None:
    make, count = KINDS[kind]
    records = records_of(TRAINING, NAMES[:count])
    scales = {name: 2.0 ** (20 * i - 10) for i, name in enumerate(NAMES[:count])}  # a million, in digits that are exact
    scaled = [
        Record(
            r.design, r.oracle, r.fidelity, r.kind,
            {name: Estimate(e.mean * scales[name], e.se * scales[name], "1") for name, e in r.estimates.items()}, 3, 0,
        )
        for r in records
    ]  # fmt: skip
    _, turned = decided(make, maximised(count), scaled)
    assert designs_of(turned) == designs_of(plain(kind))


@every_kind
def test_values_that_are_no_numbers_are_left_out(kind: str) -> None:
    make, count = KINDS[kind]
    spoilt = SPACE.sample(4, seed=9)
    broken = [
        recorded(d, dict.fromkeys(NAMES[:count], value))
        for d, value in zip(spoilt, (math.nan, math.inf, -math.inf, math.nan), strict=True)
    ]
    records = records_of(TRAINING, NAMES[:count])
    _, picks = decided(make, maximised(count), [*broken, *records])
    assert designs_of(picks) == designs_of(plain(kind))


@every_kind
def test_an_objective_never_observed_is_named(kind: str) -> None:
    make, count = KINDS[kind]
    objectives = maximised(count)
    records = records_of(TRAINING, [name for name in NAMES[: max(count, 2)] if name != objectives[-1].property])
    acquisition, picks = decided(make, objectives, records)
    if isinstance(acquisition, Bayes):
        assert {pick.role for pick in picks} == {"explore"}
        assert any(f"0 usable records of {objectives[-1].property}" in note for note in acquisition.notes)


@every_kind
def test_fifty_pending_tasks(kind: str) -> None:
    make, count = KINDS[kind]
    pending = [proposal.design for proposal in POOL[:50]]
    decided(make, maximised(count), records_of(TRAINING, NAMES[:count]), pending=pending)


@every_kind
def test_the_same_history_gives_the_same_picks(kind: str) -> None:
    make, count = KINDS[kind]
    assert decided(make, maximised(count), records_of(TRAINING, NAMES[:count]))[1] == plain(kind)


@pytest.mark.parametrize("make", [QLogNEI, Thompson])
def test_a_constraint_keeps_a_single_goal_where_it_is_kept(make: Callable[..., Bayes]) -> None:
    goal = Objective("f", "maximize", "md")
    records = [recorded(d, {"f": float(d.values["x"]), "g": float(d.values["x"])}) for d in SPACE.sample(20, seed=4)]
    for bound in (Objective("g", "at_most", "md", threshold=0.5), Objective("g", "at_least", "md", threshold=0.97)):
        acquisition = make(split=0)
        acquisition.fit(SPACE, [goal, bound], records, [], seed=1)
        xs = [float(p.proposal.design.values["x"]) for p in acquisition.select(POOL, 4, [], seed=5)]
        assert all(0.35 < x < 0.55 for x in xs) if bound.falls else max(xs) > 0.95
        assert set(acquisition.select(POOL, 1, [], seed=5)[0].predicted) == {"f", "g"}


def test_a_constraint_bounds_two_goals() -> None:
    records = [
        recorded(d, {"f": float(d.values["x"]), "g": float(d.values["y"]), "h": float(d.values["x"])})
        for d in SPACE.sample(25, seed=4)
    ]
    objectives = [*maximised(2), Objective("h", "at_most", "md", threshold=0.4)]
    acquisition = QLogNEHVI(split=0)
    acquisition.fit(SPACE, objectives, records, [], seed=1)
    picks = acquisition.select(POOL, 4, [], seed=5)
    assert all(float(p.proposal.design.values["x"]) < 0.43 for p in picks)
    assert max(float(p.proposal.design.values["y"]) for p in picks) > 0.9


@pytest.mark.parametrize("make", [QLogNEI, QLogNEHVI, ParEGO, Thompson])
def test_a_constraint_nothing_keeps_is_approached(make: Callable[..., Bayes]) -> None:
    records = [
        recorded(d, {"f": 0.0 * float(d.values["x"]), "g": float(d.values["y"]), "h": float(d.values["x"])})
        for d in SPACE.sample(25, seed=4)
    ]
    objectives = [*maximised(1 if make is QLogNEI else 2), Objective("h", "at_least", "md", threshold=1.05)]
    acquisition = make(split=0)
    acquisition.fit(SPACE, objectives, records, [], seed=1)
    picks = acquisition.select(POOL, 3, [], seed=5)
    assert {pick.role for pick in picks} == {"improve"}
    assert np.mean([float(p.proposal.design.values["x"]) for p in picks]) > 0.9


@pytest.mark.parametrize("make", [QLogNEI, Thompson, QLogNEHVI, ParEGO])
def test_a_target_is_approached_by_all_kinds(make: Callable[..., Bayes]) -> None:
    records = [
        recorded(d, {"f": 10 * float(d.values["x"]), "g": float(d.values["y"])}) for d in SPACE.sample(20, seed=4)
    ]
    objectives = [Objective("f", "target", "md", target=4.0)]
    if make in (QLogNEHVI, ParEGO):
        objectives.append(Objective("g", "maximize", "md"))
    acquisition = make(split=0)
    acquisition.fit(SPACE, objectives, records, [], seed=1)
    picks = acquisition.select(POOL, 2, [], seed=5)  # with two goals one of them may be a compromise
    assert min(abs(float(pick.proposal.design.values["x"]) - 0.4) for pick in picks) <= 0.12


def test_parego_follows_different_compromises_and_keeps_thresholds() -> None:
    records = records_of(SPACE.sample(20, seed=4), NAMES)
    acquisition = ParEGO(split=0)
    acquisition.fit(SPACE, maximised(5), records, [], seed=1)
    picks = acquisition.select(POOL, 6, [], seed=5)
    xs = [float(p.proposal.design.values["x"]) for p in picks]
    assert max(xs) - min(xs) > 0.3
    demanding = [*maximised(4), Objective("j", "maximize", "md", threshold=1.0)]
    acquisition.fit(SPACE, demanding, records, [], seed=1)
    kept = [answer(p.proposal.design, "j") > 0.97 for p in acquisition.select(POOL, 6, [], seed=5)]
    by_chance = [answer(p.design, "j") > 0.97 for p in POOL]
    assert np.mean(kept) > 0.6 > 2 * np.mean(by_chance)


def test_thompson_draws_differ_where_little_is_known_and_agree_where_much_is() -> None:
    acquisition = Thompson()

    def firsts(n: int) -> list[Design]:
        acquisition.fit(SPACE, maximised(1), records_of(SPACE.sample(n, seed=4), ["f"]), [], seed=1)
        return [acquisition.select(POOL, 1, [], seed=seed)[0].proposal.design for seed in range(8)]

    ranked = sorted((answer(p.design, "f") for p in POOL), reverse=True)
    assert len(set(firsts(5))) > 1
    assert np.mean([answer(design, "f") >= ranked[10] for design in firsts(30)]) > 0.7


def test_thompson_avoids_what_fails() -> None:
    records, failures = [], []
    for design in SPACE.sample(40, seed=4):
        if design.values["kind"] == "a":
            failures.append(Failure(design, "md", "screen", "unphysical", "overlap", 0))
        else:
            records += records_of([design], ["f"])
    acquisition = Thompson()
    acquisition.fit(SPACE, maximised(1), records, failures, seed=1)
    picks = [acquisition.select(POOL, 1, [], seed=seed)[0].proposal.design for seed in range(10)]
    assert sum(design.values["kind"] == "a" for design in picks) <= 2
    blind = Thompson()
    blind.fit(SPACE, maximised(1), records_of([r.design for r in records], ["f"]), [], seed=1)
    free = [blind.select(POOL, 1, [], seed=seed)[0].proposal.design for seed in range(10)]
    assert sum(design.values["kind"] == "a" for design in free) > sum(design.values["kind"] == "a" for design in picks)


def test_integrated_variance_only_learns_and_beats_chance_at_it() -> None:
    from acquisition.encoding import Encoding
    from acquisition.surrogate import Surrogate

    encoding, pool, (objective,) = Encoding(SPACE), [p.design for p in POOL], maximised(1)

    def error(designs: Sequence[Design]) -> float:
        surrogate = Surrogate(encoding, objective, records_of(designs, ["f"]))
        mean, _ = surrogate.predict(encoding.rows(pool))
        return float(np.sqrt(np.mean((mean - [answer(d, "f") for d in pool]) ** 2)))

    learnt, by_chance = [], []
    for seed in range(4, 8):
        start = SPACE.sample(8, seed=seed)
        acquisition = IntegratedVariance()
        acquisition.fit(SPACE, [objective], records_of(start, ["f"]), [], seed=1)
        picks = acquisition.select(POOL, 12, [], seed=5)
        assert {pick.role for pick in picks} == {"learn"}
        learnt.append(error([*start, *(pick.proposal.design for pick in picks)]))
        for order in (0, 1):
            chance = np.random.default_rng(order).permutation(len(pool))[:12]
            by_chance.append(error([*start, *(pool[i] for i in chance)]))
    assert np.mean(learnt) < 0.7 * np.mean(by_chance)


def test_bald_asks_where_its_models_disagree() -> None:
    from acquisition.encoding import Encoding
    from acquisition.process import reproducible
    from acquisition.surrogate import Surrogate

    encoding, (objective,) = Encoding(SPACE), maximised(1)
    rows = encoding.rows([p.design for p in POOL])
    with reproducible(1):
        surrogate = Surrogate(encoding, objective, records_of(TRAINING, ["f"]))
    told = Disagreement(surrogate, rows)
    moments = [member.posterior(torch.as_tensor(rows)) for member in surrogate._members]
    means, variances = (torch.stack(column).numpy() for column in zip(*moments, strict=True))
    noise = float(surrogate.noise.mean())
    by_hand = 0.5 * np.log(variances.mean(0) + means.var(0) + noise) - 0.5 * np.log(variances + noise).mean(0)
    assert np.allclose(told.gains(100), by_hand, atol=1e-9) and (by_hand > -1e-12).all()
    _, (first, *_) = decided(BALD, [objective], records_of(TRAINING, ["f"]))
    assert POOL[int(by_hand.argmax())].design == first.proposal.design and first.role == "learn"
    before = told.gains(100)
    told.observe(int(by_hand.argmax()))
    assert told.gains(100)[by_hand.argmax()] < 0.5 * before.max(), "what was asked is known"


def test_bald_has_an_ensemble_however_many_records_there_are() -> None:
    records = records_of(SPACE.sample(SETTLED + 1, seed=6), ["f"])
    acquisition, picks = decided(BALD, maximised(1), records)
    assert len(acquisition._surrogates[0]._members) > 1 and {pick.role for pick in picks} == {"learn"}


@pytest.mark.parametrize(("make", "count", "cure"), [(ParEGO, 1, "qlognei"), (QLogNEHVI, 5, "parego")])
def test_the_wrong_number_of_goals_names_the_right_acquisition(
    make: Callable[[], Bayes], count: int, cure: str
) -> None:
    bound = Objective("j", "at_least", "md", threshold=0.0)
    with pytest.raises(ValueError, match=cure):
        make().fit(SPACE, [*maximised(count), bound] if count == 1 else maximised(count), [], [], seed=1)


def test_evidence_is_gpytorchs_marginal_likelihood_with_priors() -> None:
    import torch
    from botorch.optim.closures import get_loss_closure_with_grads
    from botorch.optim.utils import get_parameters
    from gpytorch.mlls import ExactMarginalLogLikelihood

    from acquisition.encoding import Encoding
    from acquisition.evidence import LogPosterior
    from acquisition.surrogate import Surrogate

    model = Surrogate(Encoding(SPACE), maximised(1)[0], records_of(TRAINING, ["f"])).model.train()
    mll = ExactMarginalLogLikelihood(model.likelihood, model)
    theirs = get_loss_closure_with_grads(mll, parameters=get_parameters(mll, requires_grad=True))
    ours = LogPosterior(model).closure()
    value, gradient = theirs()
    gradient = [g.clone() for g in gradient if g is not None]
    loss, slopes = ours()
    assert loss.item() == pytest.approx(value.item(), abs=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(slopes, gradient, strict=True))


def test_a_cheap_design_is_worth_more_up_to_a_limit() -> None:
    priced = [replace(POOL[i], cost=cost) for i, cost in enumerate((10.0, 20.0, 40.0, 0.001))]
    discount = log_discount(priced)  # the median is 15
    assert discount is not None
    assert np.exp(discount) == pytest.approx([1.5, 0.75, 0.375, 4.0])
    known = log_discount([priced[0], POOL[5]])
    assert known is not None and (known == 0).all()
    assert log_discount(POOL[:3]) is None


def test_cost_aware_picks_are_cheaper_and_without_costs_it_is_told() -> None:
    records = records_of(TRAINING, ["f"])
    dear = [replace(p, cost=1.0 + 9.0 * (p.design.values["kind"] == "a")) for p in POOL]
    plain, aware = IntegratedVariance(), IntegratedVariance(cost_aware=True)
    for acquisition in (plain, aware):
        acquisition.fit(SPACE, maximised(1), records, [], seed=1)
    costs = [sum(p.proposal.cost or 0 for p in each.select(dear, 8, [], seed=2)) for each in (plain, aware)]
    assert costs[1] < costs[0]
    assert aware.select(POOL, 2, [], seed=2) == plain.select(POOL, 2, [], seed=2)
    assert any("cost_aware" in note for note in aware.notes) and not plain.notes
