"""The benchmark of predictions: what it measures is what a known predictor deserves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import surrogates
from benchmarks.efficiency.problems import PROBLEMS

NAME = "pressure vessel"


def test_known_predictions_are_judged_right(monkeypatch) -> None:
    truth = PROBLEMS[NAME](0).truth

    def omniscient(case, records, unseen):
        return truth(unseen)[:, 0], np.full(len(unseen), 1e-3)

    def ignorant(case, records, unseen):
        values = truth(unseen)[:, 0]
        return np.full(len(unseen), values.mean()), np.full(len(unseen), values.std())

    monkeypatch.setattr(surrogates, "MODELS", {"omniscient": omniscient, "ignorant": ignorant})
    best, least = (surrogates.judged(NAME, model, 5, 10, 0) for model in ("omniscient", "ignorant"))
    assert (best.explained, best.covered) == (1.0, 1.0)
    assert least.explained == pytest.approx(0, abs=1e-9) and 0.9 < least.covered < 1
    assert least.loss == pytest.approx(0.5 + 0.5 * np.log(2 * np.pi)), "in units of the values' own scatter"
    assert "| pressure vessel | 0% | 5 | ignorant | 1 | 0.00 |" in surrogates.table([best, least])


def test_every_model_learns_a_smooth_problem() -> None:
    found = list(surrogates.missing([], [NAME], list(surrogates.MODELS), [25], 1, 0.0))
    assert [run.model for run in found] == list(surrogates.MODELS)
    assert min(run.explained for run in found) > 0.9
    assert list(surrogates.missing(found, [NAME], list(surrogates.MODELS), [25], 1, 0.0)) == []


def test_wrong_records_are_off_and_spoil_what_does_not_mistrust_them() -> None:
    case = PROBLEMS[NAME](0)
    right = surrogates.Evaluations(case, 0)
    right.add(case.initial(0), 0)
    told = surrogates.mistaken(case, right.records, 0.5, 3.0, 1)
    shifts = [b.estimates["price"].mean - a.estimates["price"].mean for a, b in zip(right.records, told, strict=True)]
    assert {round(shift, 9) for shift in shifts} == {-3.0, 0.0, 3.0}
    trusting, robust = (surrogates.judged(NAME, model, 40, 40, 0, wrong=0.1) for model in ("product", "robust"))
    assert (trusting.wrong, robust.wrong) == (0.1, 0.1) and trusting.explained < 0.5 < 0.9 < robust.explained
