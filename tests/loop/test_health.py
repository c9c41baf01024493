"""What is found wrong with a campaign, and what is left alone."""

from __future__ import annotations

import json

import pytest

from loop.cli.status import describe
from loop.health import Finding, calibration, findings, pool, surprises, unbelieved
from loop.ledger import Gate
from loop.status import snapshot
from loop.store import DecisionRow, ProposalRow
from loop.types import Design, Estimate, Objective, Pick, Proposal, Record

DIPOLE = Objective("dipole", "maximize", "md", "D")


def told_before(*z: float, sd: float = 0.6, se: float = 0.8) -> tuple[list[ProposalRow], list[Record]]:
    """Picks predicted at 0 +- sd, whose answers lie z combined standard deviations (1 for these defaults) away."""
    proposals, records = [], []
    for i, each in enumerate(z):
        design = Design({"x": i})
        pick = Pick(Proposal(design, "cvae"), "improve", None, {"dipole": (0.0, sd)})
        proposals.append(ProposalRow(1 + i // 4, i % 4, pick))
        records.append(Record(design, "md", "screen", "simulation", {"dipole": Estimate(each, se, "D")}, 3, 1 + i // 4))
    return proposals, records


def decided(round: int, **info: object) -> DecisionRow:
    return DecisionRow(round, info, "2026-05-01T00:00:00+00:00")


def checks(found: list[Finding]) -> list[str]:
    return [finding.check for finding in found]


def test_a_surprise_counts_the_errors_of_prediction_and_answer() -> None:
    proposals, records = told_before(1.5, -3.0)
    assert surprises(proposals, records, DIPOLE) == [(1, pytest.approx(1.5)), (1, pytest.approx(-3.0))]


@pytest.mark.parametrize(
    ("held", "missed", "word"),
    [
        # of 20 in 68.3 %: P(at most 8) = 0.8 %, P(at most 9) = 2.6 %, P(at least 19) = 0.5 %, P(at least 18) = 2.5 %
        (8, 12, "narrow"),
        (9, 11, None),
        (18, 2, None),
        (19, 1, "wide"),
    ],
)
def test_too_few_or_too_many_predictions_that_held(held: int, missed: int, word: str | None) -> None:
    found = calibration(*told_before(*[0.5] * held, *[1.5] * missed), [DIPOLE])
    assert checks(found) == (["calibration"] if word else [])
    if word:
        assert f"Of 20 predictions of dipole made before the answer, {held} in their 68 % interval" in found[0].message
        assert f"too {word}" in found[0].message and found[0].round == 5


def test_rare_far_misses_are_narrow_too() -> None:
    # of 12 in 95 %: P(at most 9) = 2.0 %, P(at most 8) = 0.2 %; 8 of 12 in 68.3 % is nothing
    assert calibration(*told_before(*[0.5] * 9, *[5.0] * 3), [DIPOLE]) == []
    assert "too narrow" in calibration(*told_before(*[0.5] * 8, *[5.0] * 4), [DIPOLE])[0].message


def test_answers_without_an_error_or_of_a_cheap_source_judge_nothing() -> None:
    assert calibration(*told_before(*[9.0] * 20, se=0.0), [DIPOLE]) == []
    proposals, records = told_before(*[9.0] * 20)
    labels = [Record(r.design, "quick", r.fidelity, "synthetic", r.estimates, 1, r.round) for r in records]
    assert surprises(proposals, labels, DIPOLE) == []


def test_a_pool_that_is_mostly_uniform_or_nearly_empty() -> None:
    full = {"cvae:prior": 400, "uniform": 600}
    assert checks(pool(decided(2, generator="cvae", pool=full), 4)) == ["pool"]
    assert pool(decided(2, generator="cvae", pool={"cvae:prior": 600, "uniform": 400}), 4) == []
    assert pool(decided(2, generator="uniform", pool={"uniform": 1000}), 4) == []
    assert checks(pool(decided(2, generator="uniform", pool={"uniform": 39}), 4)) == ["space"]
    assert pool(decided(0, pool={"sobol": 8}), 4) == [], "the first round takes what it draws"


def test_a_source_is_told_of_when_nothing_believes_it() -> None:
    def gate(source: str, prop: str, admitted: bool) -> Gate:
        return Gate(source, prop, "feature", 0.1, 0.2, admitted, "gain +0.10 ± 0.20 nat per record: it is left out")

    gates = [gate("scan", "a_b", False), gate("scan", "c", True), gate("rule", "a_b", False), gate("rule", "c", False)]
    (found,) = unbelieved(gates, 3)
    assert "source rule is not believed: a b, gain" in found.message and found.round == 3


def test_a_healthy_campaign_has_nothing_and_a_sick_one_says_so_in_words_and_json(story) -> None:
    told = story()
    told.simulate(0, [(1.0, 20.0), (2.0, 30.0)])
    assert findings(told.campaign, told.store) == []
    assert "careful" not in "\n".join(describe(snapshot(told.campaign), []))
    told.simulate(1, [(1.02, 20.0), (1.01, 30.0)], se=3.0)
    again = told.design(0)
    told.store.decide(2, [Pick(Proposal(again, "cvae"), "fallback")], [], kinds={}, info={"notes": ["no fit"]})
    status = snapshot(told.campaign)
    assert json.loads(json.dumps(status["health"])) == status["health"]
    found = {entry["check"]: entry for entry in status["health"]}
    assert set(found) == {"noise", "fallback", "duplicates"}
    assert found["duplicates"]["message"] == f"1 design was picked more than once: {again.id}."
    assert found["noise"]["message"].startswith("Noise wins for dipole: ") and found["noise"]["round"] == 2
    text = "\n".join(describe(status, []))
    assert "careful: Round 2 chose 1 of its designs without a model: no fit. Look at" in text
