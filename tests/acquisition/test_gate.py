"""The honest gate of synthetic rows: it lets independent knowledge in and self-made labels not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from acquisition.bayes import QLogNEI
from acquisition.cheap import Source, sources
from acquisition.encoding import Encoding
from acquisition.gate import FOLDS, Independent, Trial, jittered, judge, no_more_than
from acquisition.process import Rows
from acquisition.surrogate import Surrogate
from loop.space import Space
from loop.types import Estimate, Objective, Parameter, Record

HIGH = Objective("strength", "maximize", "md")
SPACE = Space(
    [
        Parameter("a", "choices", tuple("abcdefgh")),
        Parameter("b", "choices", tuple("klmnop")),
        Parameter("c", "choices", tuple("qrstuv")),
        Parameter("x", "real", bounds=(0, 1), step=0.01),
    ]
)
ENCODING = Encoding(SPACE)


def truth(design):
    v = design.values
    return "dabhfcge".index(v["a"]) + "nkpmol".index(v["b"]) + "vqtrsu".index(v["c"]) + 3 * np.sin(5 * v["x"])


def records(designs, values, kind="simulation", oracle="md", round=0):
    estimates = [{"strength": Estimate(float(value), 0.1, "MPa")} for value in values]
    return [Record(d, oracle, "screen", kind, e, 1, round) for d, e in zip(designs, estimates, strict=True)]


def real(n, seed=1):
    """The last four came in the second round."""
    rng = np.random.default_rng(seed)
    designs = SPACE.sample(n, seed=seed)
    found = records(designs, [truth(d) + 0.1 * rng.normal() for d in designs])
    return [*found[:-4], *(replace(record, round=1) for record in found[-4:])]


def labelled(n=60):
    """Twice the property, and something else besides that depends on the choice of b."""
    designs = SPACE.sample(n, seed=99)
    values = [2 * truth(d) - 7 + "klmnop".index(d.values["b"]) for d in designs]
    return records(designs, values, "synthetic", "cheap")


@dataclass
class SelfMade:
    """Labels of a surrogate of the same real records, as sure of themselves as those are."""

    name: str = "self-made"

    def rows(self, encoding, objective, real):
        designs = encoding.rows(SPACE.sample(60, seed=99))
        mean, _ = Surrogate(encoding, objective, real).predict(designs)
        return Rows(designs, mean, np.full(len(mean), 0.01))


def test_independent_labels_enter_as_rows_and_the_surrogate_is_better():
    found = real(28)
    acquisition = QLogNEI(rows=True)
    acquisition.fit(SPACE, [HIGH], [*found, *labelled()], [], seed=1)
    (gate,) = acquisition.gates
    assert (gate.source, gate.form, gate.admitted) == ("cheap (screen)", "rows", True)
    assert "rows of inflated variance" in gate.reason
    unseen = SPACE.sample(100, seed=7)
    values, alone = np.array([truth(d) for d in unseen]), Surrogate(ENCODING, HIGH, found)
    errors = [np.abs(mean - values).mean() for mean in (acquisition.predict(unseen)[0][:, 0],
                                                        alone.predict(ENCODING.rows(unseen))[0])]  # fmt: skip
    assert errors[0] < 0.8 * errors[1]
    assert [r.record for r in acquisition.residuals()] == found


def test_labels_of_a_model_of_the_same_records_are_refused():
    gate = judge(ENCODING, HIGH, real(24), SelfMade(), seed=1)
    assert not gate.admitted
    assert gate.reason.endswith("it is left out")


def test_it_takes_enough_records_and_two_rounds():
    (source,) = sources(ENCODING, HIGH, labelled())
    few = judge(ENCODING, HIGH, real(19), Independent(source), seed=1)
    assert (few.admitted, few.reason) == (False, "19 real records, 20 are needed to judge rows by")
    once = judge(ENCODING, HIGH, real(23), Independent(source), seed=1)
    assert not once.admitted
    assert "too few records to judge it by a round ago" in once.reason


def of_gains(gains, null=0.0):
    return Trial(np.array(gains), np.full(len(gains), null), np.arange(len(gains)) % FOLDS)


@pytest.mark.parametrize(
    ("trial", "refusal"),
    [
        (of_gains([0.3, 0.5, 0.4, 0.3, 0.5]), ""),
        (of_gains([0.9, -0.5, 0.4, -0.3, -0.2]), "not more than its error"),
        (of_gains([0.3, 0.5, 0.4, 0.3, 0.5], null=0.6), "jittered real rows give +0.60"),
        (of_gains([0.9, 1.5, -0.6, 1.3, 1.5]), "a fifth of the records loses 0.60"),
    ],
)
def test_what_a_trial_refuses(trial, refusal):
    assert refusal in trial.refusal()
    assert bool(refusal) == bool(trial.refusal())


def test_rows_hold_no_more_information_than_the_real_records():
    assert no_more_than(np.array([0.1, 0.1, 0.1, 0.1]), np.array([0.1, 0.1])) == pytest.approx([0.2] * 4)
    assert no_more_than(np.array([1.0, 2.0]), np.array([0.1])) == pytest.approx([1.0, 2.0])
    assert no_more_than(np.array([1.0, 2.0]), np.array([0.0, 0.1])) == pytest.approx([1.0, 2.0])


def test_labels_are_put_on_the_scale_of_the_property_with_the_scatter_about_the_line():
    found = real(40)
    source = Source(ENCODING, "cheap", "strength", labelled())
    rows = Independent(source).rows(ENCODING, HIGH, found)
    values = np.array([truth(r.design) for r in source.records])
    assert rows.values == pytest.approx(values, abs=3.0)
    assert np.corrcoef(rows.values, values)[0, 1] > 0.9
    assert np.mean(np.square(rows.values - values) / rows.variances) == pytest.approx(1.0, abs=0.7)


def test_jittered_rows_are_real_ones_a_little_moved():
    found = real(20)
    like = Rows(np.zeros((50, ENCODING.width)), np.zeros(50), np.full(50, 0.3))
    rows = jittered(ENCODING, HIGH, found, like, np.random.default_rng(1))
    assert (len(rows.values), rows.variances[0]) == (50, 0.3)
    own = ENCODING.rows([r.design for r in found])
    assert ENCODING.distances(rows.designs, own).min(1).max() < 0.2
    assert set(rows.values) <= {r.estimates["strength"].mean for r in found}
