"""The rules of the mutual audit, on numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from loop.audit import calibration, flag, judge_synthetic, records_of, resolve, source_of
from loop.ledger import Gate, Residual
from loop.types import Design, Estimate, Record


def record(x, kind="simulation", oracle="md", **values):
    estimates = {name: Estimate(value, 0.1, "1") for name, value in values.items()}
    return Record(Design({"x": x}), oracle, "screen", kind, estimates, 1, 0)


def residual(z, of=None, prop="a", sd=1.0, predicted=0.0):
    of = of or record(z, a=predicted + z * sd)
    return Residual(of, prop, predicted + z * sd, predicted, sd, z)


def estimates(*means, se=0.1):
    return [Estimate(mean, se, "1") for mean in means]


def test_the_tenth_farthest_from_prediction_is_flagged_farthest_first():
    found = flag([residual(float(z)) for z in range(-10, 10)], [], 5)
    assert [v.evidence["z"] for v in found] == [-10.0, -9.0]  # a tenth of 20
    assert {v.status for v in found} == {"flagged"}
    assert "10.0 standard deviations" in found[0].reason


def test_no_more_than_the_budget_and_none_that_was_settled():
    residuals = [residual(float(z)) for z in range(40)]
    worst = residuals[-1].record
    assert len(flag(residuals, [], 2)) == 2
    assert flag(residuals, [], 0) == []
    settled = {(worst.design.id, "md", "screen")}
    assert [v.evidence["z"] for v in flag(residuals, [], 9, settled=settled)] == [38.0, 37.0, 36.0]


def test_an_implausible_design_is_a_second_doubt_and_both_together_come_first():
    residuals = [residual(float(z)) for z in range(20)]
    shares = [0.5] * 20
    shares[18] = shares[3] = 0.01
    found = flag(residuals, shares, 9)
    assert [v.evidence["z"] for v in found] == [18.0, 19.0, 3.0]
    assert "only 1.0% of designs" in found[0].reason
    assert "standard deviations" in found[0].reason
    assert "standard deviations" not in found[2].reason


def test_the_design_taken_for_the_best_comes_first_unless_it_is_as_predicted():
    residuals = [residual(float(z)) for z in range(20)]
    shares = [0.5] * 17 + [0.01] * 3
    of = {r.z: r.record.design for r in residuals}
    found = flag(residuals, shares, 9, leader=of[2.0])
    assert [v.evidence["z"] for v in found] == [2.0, 19.0, 18.0, 17.0]
    assert found[0].reason.startswith("its design is taken for the best; a is 2")
    assert [v.evidence["z"] for v in flag(residuals, shares, 9, leader=of[1.0])] == [19.0, 18.0, 17.0]
    settled = {(of[2.0].id, "md", "screen")}
    assert len(flag(residuals, shares, 9, settled=settled, leader=of[2.0])) == 3


def test_a_record_counts_once_by_its_worst_property():
    one = record(1, a=0.0, b=5.0)
    residuals = [residual(0.5, one, "a"), residual(4.0, one, "b"), residual(1.0)]
    assert records_of(residuals) == [one, residuals[2].record]
    (found,) = flag(residuals, [0.5, 0.5], 9)
    assert (found.design_id, found.evidence["z"]) == (one.design.id, 4.0)
    with pytest.raises(ValueError, match="3 shares for 2 records"):
        flag(residuals, [0.5] * 3, 9)


def test_a_fresh_value_that_agrees_confirms():
    doubt = residual(3.0)
    (flagged,) = flag([doubt], [], 1)
    found = resolve(flagged, estimates(3.0), estimates(3.2), doubt)  # 0.2 <= 2 sqrt(0.02)
    assert (found.status, found.superseded) == ("confirmed", ())
    assert found.evidence["fresh"] == 3.2
    assert found.evidence["z"] == 3.0


def test_a_fresh_value_where_the_others_predict_it_corrects():
    doubt = residual(3.0)
    (flagged,) = flag([doubt], [], 1)
    found = resolve(flagged, estimates(2.9, 3.1), estimates(0.5), doubt)
    assert (found.status, found.superseded) == ("corrected", (0, 1))
    assert found.evidence["odds"] == pytest.approx((9 - 0.25) / 2)
    assert resolve(flagged, estimates(2.9, 3.1), estimates(0.5), doubt, numbers=[0, 2]).superseded == (0, 2)


@pytest.mark.parametrize("fresh", [6.0, -2.9, 2.5])
def test_a_fresh_value_that_is_no_likelier_leaves_it_open(fresh):
    doubt = residual(3.0)
    (flagged,) = flag([doubt], [], 1)
    found = resolve(flagged, estimates(3.0), estimates(fresh), doubt)
    assert (found.status, found.superseded) == ("unresolved", ())


def test_agreement_is_judged_by_the_scatter_between_replicates():
    doubt = residual(3.0)
    (flagged,) = flag([doubt], [], 1)
    found = resolve(flagged, estimates(3.0), estimates(0.5), doubt, scatter=1.0)  # 2.5 <= 2 sqrt(2)
    assert found.status == "confirmed"
    assert resolve(flagged, estimates(3.0, se=0.0), estimates(3.0, se=0.0), doubt).status == "confirmed"


def test_calibration_counts_what_the_intervals_hold():
    found = calibration([residual(z) for z in (0.0, 0.9, -1.5, 2.5)])
    assert (found.n, found.within_68, found.within_95) == (4, 0.5, 0.75)
    with pytest.raises(ValueError, match="no surrogate"):
        calibration([])


def gate(admitted, prop="a", source="smoke (screen)"):
    return Gate(source, prop, "feature", 0.2, 0.1, admitted, "it pays" if admitted else "it does not pay")


def label(x, value=0.0):
    return record(x, "synthetic", "smoke", a=value)


def status(records, gates=(), doubts=(), real=()):
    return [v.status for v in judge_synthetic(records, gates, doubts, real)]


def test_a_source_s_gate_decides_for_its_records():
    one = label(1)
    assert source_of(one) == "smoke (screen)"
    assert status([one]) == ["labelled"]
    assert status([one], [gate(False)]) == ["rejected"]
    assert status([one], [gate(False), gate(True, "b")]) == ["admitted"]
    assert status([one], [gate(True, source="other (screen)")]) == ["labelled"]
    (verdict,) = judge_synthetic([one], [gate(False), gate(True, "b")], [], [])
    assert verdict.reason == "b: it pays"


def test_a_label_far_from_prediction_is_not_believed_though_its_source_pays():
    far, near = label(1), label(2)
    doubts = [residual(-3.5, far), residual(2.9, near)]
    assert status([far, near], [gate(True)], doubts) == ["rejected", "admitted"]


def test_a_real_record_of_the_design_promotes_or_contradicts():
    kept, broken = label(1), label(2)
    doubts = [residual(1.0, kept, sd=0.5, predicted=2.0), residual(1.0, broken, sd=0.5, predicted=2.0)]  # label 2.5
    real = [record(1, a=2.4), record(2, a=4.5), record(3, a=0.0)]
    found = judge_synthetic([kept, broken], [gate(False)], doubts, real)
    assert [v.status for v in found] == ["promoted", "contradicted"]
    assert found[1].evidence["distance"] == pytest.approx(2.0 / math.hypot(0.5, 0.1))
    assert status([kept], [gate(False)], doubts, [record(1, "synthetic", "other", a=2.4)]) == ["rejected"]
