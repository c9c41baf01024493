"""A cheap source as a feature of the surrogate: believed as far as the real records bear it out."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.bayes import QLogNEI
from acquisition.cheap import LEAST_LABELS, PAYS, Source, sources
from acquisition.encoding import Encoding
from acquisition.informed import informed
from acquisition.kernel import MixedKernel
from acquisition.surrogate import Surrogate
from loop.ledger import Witness
from loop.space import Space
from loop.types import Estimate, Objective, Parameter, Record

HIGH = Objective("strength", "maximize", "md")


def problem(seed):
    """A random surface of main effects and interactions on 6 x 4 x 8 choices and a number, and its main effects."""
    rng = np.random.default_rng(seed)
    sizes = {"a": 6, "b": 4, "c": 8}
    space = Space(
        [Parameter(name, "choices", tuple(f"{name}{i}" for i in range(n))) for name, n in sizes.items()]
        + [Parameter("x", "real", bounds=(0, 1), step=0.01)]
    )
    main = {name: rng.normal(size=n) for name, n in sizes.items()}
    pair = 0.5 * rng.normal(size=(6, 8))

    def position(design):
        return {name: int(str(design.values[name])[1:]) for name in sizes}

    def cheap(design):
        at = position(design)
        return sum(main[name][at[name]] for name in sizes) + 2 * np.sin(4 * float(design.values["x"]))

    def truth(design):
        return cheap(design) + pair[position(design)["a"], position(design)["c"]]

    return space, truth, cheap


def records(designs, values, kind="simulation", oracle="md", fidelity="screen"):
    estimates = [{"strength": Estimate(float(value), 0.1, "MPa")} for value in values]
    return [Record(d, oracle, fidelity, kind, e, 1, 0) for d, e in zip(designs, estimates, strict=True)]


def case(seed, n, quality):
    """Real and synthetic records, and designs with true values to predict; `quality` shuffles or turns the labels."""
    space, truth, cheap = problem(seed)
    rng = np.random.default_rng(seed)
    designs = space.sample(n, seed=seed)
    real = records(designs, [truth(d) + 0.1 * rng.normal() for d in designs])
    drawn = space.sample(100, seed=seed + 1000)
    labels = np.array([cheap(d) for d in drawn])
    labels = {"good": labels, "turned": -labels, "wrong": rng.permutation(labels)}[quality]
    unseen = space.sample(300, seed=seed + 2000)
    return (
        space,
        real,
        records(drawn, labels, "synthetic", "smoke", "smoke"),
        unseen,
        np.array(list(map(truth, unseen))),
    )


def loss(surrogate, space, unseen, values):
    """Mean negative log density of unseen true values."""
    mean, sd = surrogate.predict(Encoding(space).rows(unseen))
    return float(np.mean(0.5 * ((values - mean) / sd) ** 2 + np.log(sd)))


@pytest.mark.parametrize("quality", ["good", "turned"])
def test_a_good_source_enters_and_helps_whatever_its_sign(quality):
    gains = []
    for seed in (1, 2, 3):
        space, real, synthetic, unseen, values = case(seed, 20, quality)
        encoding = Encoding(space)
        found = informed(encoding, HIGH, real, [*real, *synthetic])
        alone = loss(Surrogate(encoding, HIGH, real), space, unseen, values)
        gains.append(alone - loss(found.surrogate, space, unseen, values))
        (gate,) = found.gates
        assert (gate.source, gate.property, gate.form, gate.admitted) == ("smoke (smoke)", "strength", "feature", True)
        assert 20 * gate.gain > PAYS
        assert gate.error > 0
    assert min(gains) > 0.1


def test_a_wrong_source_costs_next_to_nothing():
    changes = []
    for seed in (1, 2, 3):
        space, real, synthetic, unseen, values = case(seed, 20, "wrong")
        encoding = Encoding(space)
        surrogate = informed(encoding, HIGH, real, [*real, *synthetic]).surrogate
        alone = loss(Surrogate(encoding, HIGH, real), space, unseen, values)
        changes.append(loss(surrogate, space, unseen, values) - alone)
    assert max(changes) < 0.03


def test_labels_that_echo_the_surrogate_are_refused():
    space, real, synthetic, unseen, _ = case(1, 20, "good")
    encoding = Encoding(space)
    alone = Surrogate(encoding, HIGH, real)
    drawn = [r.design for r in synthetic]
    own = records(drawn, alone.predict(encoding.rows(drawn))[0], "synthetic", "self", "none")
    (good,), (echo,) = sources(encoding, HIGH, synthetic), sources(encoding, HIGH, own)
    assert good.echo(alone) > 0.4
    assert echo.echo(alone) < 0.1
    found = informed(encoding, HIGH, real, [*real, *own])
    assert [gate.admitted for gate in found.gates] == [False]
    rows = encoding.rows(unseen)
    assert np.array_equal(found.surrogate.predict(rows)[0], alone.predict(rows)[0])


def test_a_fit_tells_its_gates():
    space, real, synthetic, _, _ = case(1, 20, "good")
    acquisition = QLogNEI()
    acquisition.fit(space, [HIGH], [*real, *synthetic], [], seed=1)
    assert [(g.property, g.source, g.admitted) for g in acquisition.gates] == [("strength", "smoke (smoke)", True)]
    assert acquisition.gates[0].gain > 0
    assert isinstance(acquisition, Witness)
    acquisition.fit(space, [HIGH], real, [], seed=1)
    assert (acquisition.notes, acquisition.gates) == ([], [])


@pytest.mark.parametrize("quality", ["good", "turned"])
def test_a_wrong_label_of_a_good_source_is_doubted_on_the_scale_of_the_real_property(quality):
    space, real, synthetic, _, _ = case(1, 60, quality)
    wrong = synthetic[7]
    shifted = wrong.estimates["strength"].mean + 12
    synthetic[7] = records([wrong.design], [shifted], "synthetic", "smoke", "smoke")[0]
    acquisition = QLogNEI()
    acquisition.fit(space, [HIGH], [*real, *synthetic], [], seed=1)
    doubts = acquisition.doubts(synthetic)
    assert [d.record for d in doubts] == synthetic
    assert max(doubts, key=lambda d: abs(d.z)).record is synthetic[7]
    assert abs(doubts[7].z) > 3
    assert np.mean([abs(d.z) > 3 for d in doubts]) <= 0.03
    truth = np.array([problem(1)[1](d.record.design) for d in doubts])
    observed = np.array([d.observed for d in doubts])
    others = np.arange(len(doubts)) != 7
    assert np.corrcoef(truth[others], observed[others])[0, 1] > 0.9
    assert [d.record for d in acquisition.doubts(synthetic[:3])] == synthetic[:3]


def test_before_there_are_judges_a_source_enters_unjudged():
    space, real, synthetic, unseen, values = case(1, 8, "good")
    encoding = Encoding(space)
    found = informed(encoding, HIGH, real, [*real, *synthetic])
    assert found.gates == []
    assert found.doubts(encoding, synthetic) == []
    assert loss(found.surrogate, space, unseen, values) < loss(Surrogate(encoding, HIGH, real), space, unseen, values)


def test_only_enough_synthetic_records_of_the_property_make_a_source():
    space, real, synthetic, _, _ = case(1, 20, "good")
    encoding = Encoding(space)
    assert [len(s.records) for s in sources(encoding, HIGH, [*real, *synthetic])] == [100]
    assert sources(encoding, HIGH, real) == []
    assert sources(encoding, HIGH, synthetic[: LEAST_LABELS - 1]) == []
    assert sources(encoding, Objective("stiffness", "maximize", "md"), synthetic) == []


def test_a_source_expects_of_its_labelled_designs_what_it_said():
    space, _, synthetic, _, _ = case(1, 20, "good")
    encoding = Encoding(space)
    said = np.array([r.estimates["strength"].mean for r in synthetic])
    expected = Source(encoding, "smoke", "strength", synthetic)(encoding.rows([r.design for r in synthetic]))
    assert np.corrcoef(said, expected)[0, 1] > 0.97


def test_kernel_gives_a_feature_a_normal_weight():
    import torch

    kernel = MixedKernel(1, 0, 1)
    kernel.initialize(log_feature_variance=torch.log(torch.tensor([0.7], dtype=torch.float64)))
    x = torch.tensor([[0.2, 1.5], [0.2, -2.0]], dtype=torch.float64)
    plain = MixedKernel(1, 0)(x[:, :1]).to_dense()
    found = kernel(x).to_dense()
    assert (found - plain).detach().numpy() == pytest.approx(0.7 * np.outer([1.5, -2.0], [1.5, -2.0]))
    assert kernel(x, diag=True).detach().numpy() == pytest.approx(found.diagonal().detach().numpy())
