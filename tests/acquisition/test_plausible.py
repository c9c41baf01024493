"""Designs held plausible: what is like them, what the answers say of them, and what becomes of the picks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from acquisition.bald import BALD
from acquisition.bayes import QLogNEI
from acquisition.encoding import Encoding
from acquisition.parego import ParEGO
from acquisition.plausible import LEAST_CONVINCED, MOST, SLOPE, TELLS, Leaning, Likeness, evidence
from acquisition.surrogate import Surrogate
from acquisition.thompson import Thompson
from loop.space import Space
from loop.types import Design, Estimate, Objective, Parameter, Pick, Proposal, Record

SPACE = Space(
    [
        Parameter("rock", "choices", ("gneiss", "schist", "marble")),
        *(Parameter(name, "real", bounds=(0.0, 1.0), step=0.001) for name in "abc"),
    ]
)
ENCODING = Encoding(SPACE)
UP, DOWN = (Objective("f", goal, "md") for goal in ("maximize", "minimize"))  # type: ignore[arg-type]
VALID = SPACE.sample(600, seed=3)
HELD = [d for d in VALID if d.values["rock"] == "schist" and d.values["a"] > 0.6][:40]
LIKENESS = Likeness(SPACE, ENCODING, HELD, seed=1)


def like(design: Design) -> float:
    """Better, the more a design is like those that are held plausible."""
    return float(LIKENESS([design])[0])


def recorded(designs: Sequence[Design], value: Callable[[Design], float]) -> list[Record]:
    rng = np.random.default_rng(0)
    return [
        Record(d, "md", "screen", "simulation", {"f": Estimate(value(d) + 0.1 * rng.normal(), 0.1, "1")}, 3, 0)
        for d in designs
    ]


def chosen(records: Sequence[Record], plausible: Sequence[Design] = (), n: int = 4) -> tuple[QLogNEI, list[Pick]]:
    acquisition = QLogNEI(split=0)
    acquisition.fit(SPACE, [UP], records, [], seed=1)
    if plausible:
        acquisition.prefer(plausible, seed=1)
    return acquisition, acquisition.select([Proposal(d, "uniform") for d in VALID[100:]], n, [], seed=2)


def test_the_ratio_is_high_near_the_plausible_designs_and_bounded() -> None:
    inside = [d for d in VALID if d.values["rock"] == "schist" and d.values["a"] > 0.6 and d not in HELD]
    outside = [d for d in VALID if d.values["rock"] != "schist" and d.values["a"] < 0.4]
    assert min(LIKENESS(inside)) > max(LIKENESS(outside))
    assert LIKENESS(inside).mean() > 1
    assert np.abs(LIKENESS(VALID)).max() <= MOST
    assert np.array_equal(LIKENESS(VALID), Likeness(SPACE, ENCODING, HELD, seed=1)(VALID))


def test_designs_like_any_others_set_nothing_apart_and_are_off_before_an_answer() -> None:
    likeness = Likeness(SPACE, ENCODING, SPACE.sample(60, seed=8), seed=1)
    assert likeness.spread < TELLS
    surrogate = Surrogate(ENCODING, UP, recorded(VALID[:6], like))
    leaning = Leaning(likeness, [surrogate], 6)
    assert not leaning.gate.admitted and "nothing sets" in leaning.gate.reason
    assert not leaning(VALID).any()


def test_too_few_to_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="4 plausible of 500 valid designs; 5 of each"):
        Likeness(SPACE, ENCODING, HELD[:4], seed=1)


@pytest.mark.parametrize("objective", [UP, DOWN])
def test_the_evidence_is_the_bayes_factor_of_a_slope(objective: Objective) -> None:
    """Against the integral over slope and constant of the likelihood, on a grid."""
    surrogate = Surrogate(ENCODING, objective, recorded(VALID[:14], lambda d: 0.3 * like(d) + 2 * float(d.values["b"])))
    ratio = LIKENESS(VALID[:14]) / LIKENESS.spread
    one, x, y = surrogate.whitened(np.column_stack([np.ones(14), ratio, surrogate.observed_utility()])).T
    slopes, constants = np.linspace(0, 4, 801), np.linspace(-8, 8, 401)
    off = y - slopes[:, None, None] * x - constants[:, None] * one
    likelihood = np.exp(-0.5 * np.square(off).sum(-1)).sum(1)
    prior = np.exp(-0.5 * (slopes / SLOPE) ** 2)
    expected = math.log(np.trapezoid(likelihood * prior) / np.trapezoid(prior) / likelihood[0])
    assert evidence(LIKENESS, surrogate).sum() == pytest.approx(expected, abs=0.01)


def test_answers_that_rise_with_the_ratio_speak_for_it_and_those_that_fall_against_it() -> None:
    for sign, admitted in ((1.0, True), (-1.0, False)):
        surrogate = Surrogate(ENCODING, UP, recorded(VALID[:LEAST_CONVINCED], lambda d: sign * like(d)))  # noqa: B023
        leaning = Leaning(LIKENESS, [surrogate], LEAST_CONVINCED)
        assert leaning.gate.admitted is admitted
        assert leaning(VALID).any() == admitted
        assert math.copysign(1, leaning.gate.gain) == sign


def test_the_weight_falls_with_the_number_of_answers() -> None:
    def weight(n: int) -> float:
        surrogate = Surrogate(ENCODING, UP, recorded(VALID[:n], like))
        return Leaning(LIKENESS, [surrogate], n).weight

    assert [weight(n) for n in (4, 10, 20, 40)] == [1, 1, 0.5, 0.25]


def test_picks_are_drawn_to_the_plausible_designs_while_there_is_little_else_to_go_by() -> None:
    records = recorded(VALID[:6], lambda d: float(d.values["b"]))
    leaning, led = chosen(records, HELD)
    _, free = chosen(records)
    near = [np.mean([like(pick.proposal.design) for pick in picks]) for picks in (led, free)]
    assert near[0] > near[1] + 1
    assert [gate.form for gate in leaning.gates] == ["prior"] and leaning.gates[0].admitted
    assert leaning.notes == []


def test_misleading_designs_are_switched_off_by_the_answers_and_then_change_nothing() -> None:
    records = recorded(VALID[:24], lambda d: -like(d))
    leaning, led = chosen(records, HELD)
    _, free = chosen(records)
    assert led == free
    (note,) = leaning.notes
    assert note.startswith("plausible designs: log odds -") and note.endswith("the search does not lean towards them")


def test_learning_picks_do_not_lean() -> None:
    records = recorded(VALID[:6], lambda d: float(d.values["b"]))
    pools = [Proposal(d, "uniform") for d in VALID[100:]]
    found = []
    for plausible in ([], HELD):
        acquisition = QLogNEI(split=1)
        acquisition.fit(SPACE, [UP], records, [], seed=1)
        if plausible:
            acquisition.prefer(plausible, seed=1)
        found.append(acquisition.select(pools, 3, [], seed=2))
    assert found[0] == found[1]


def test_only_acquisitions_with_log_scores_lean() -> None:
    assert QLogNEI.leans and ParEGO.leans
    assert not Thompson.leans and not BALD.leans


def test_without_a_surrogate_nothing_leans_yet() -> None:
    acquisition, picks = chosen(recorded(VALID[:1], like), HELD)
    assert {pick.role for pick in picks} == {"explore"} and acquisition.gates == []
