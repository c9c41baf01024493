"""The Gaussian process on decoded designs: against closed forms, and against what it has not seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import digamma, polygamma
from scipy.stats import multivariate_normal

from acquisition.encoding import Encoding
from acquisition.noise import inverse_trigamma, variances
from acquisition.process import Process
from acquisition.surrogate import Surrogate, usable, utility_moments
from loop.space import Space
from loop.types import Design, Estimate, Objective, Parameter, Record

SPACE = Space(
    [
        Parameter("oxide", "choices", ("magnetite", "silica", "rutile", "periclase")),
        Parameter("polymer", "choices", ("PVDF", "PEO", "PE")),
        Parameter("density", "real", bounds=(0.0, 8.0), step=0.1),
        Parameter("length", "integer", bounds=(8, 40)),
        Parameter("temperature", "fixed", (400,)),
    ]
)
HIGH = Objective("strength", "maximize", "md")


def truth(design: Design) -> float:
    v = design.values
    oxide, polymer = SPACE["oxide"].choices.index(v["oxide"]), SPACE["polymer"].choices.index(v["polymer"])
    swing = math.sin(float(v["density"]) / 2 + 0.7 * polymer)
    return 40 + 5 * [0.0, 1.5, -1.0, 0.5][oxide] + 6 * swing + 3 * (oxide == polymer) + 0.1 * float(v["length"])


def record(design: Design, value: float, se: float = 0.1, name: str = "strength", **changes: object) -> Record:
    fields: dict = {"oracle": "md", "fidelity": "screen", "kind": "simulation", "replicates": 1, "round": 0}
    return Record(design=design, estimates={name: Estimate(value, se, "MPa")}, **{**fields, **changes})


def noisy_records(n: int, se: float, seed: int) -> list[Record]:
    rng = np.random.default_rng(seed)
    return [record(d, truth(d) + se * rng.normal(), se) for d in SPACE.sample(n, seed=seed)]


def interacting(seed: int) -> tuple[Space, Callable[[Design], float]]:
    """A space of 6 x 4 x 8 choices and two numbers, and a random surface of main effects and interactions on it."""
    rng = np.random.default_rng(seed)
    choices = {name: tuple(f"{name}{i}" for i in range(n)) for name, n in {"a": 6, "b": 4, "c": 8}.items()}
    parameters = [Parameter(name, "choices", values) for name, values in choices.items()]
    space = Space([*parameters, Parameter("x", "real", bounds=(0, 1)), Parameter("y", "real", bounds=(0, 1))])
    main = {name: rng.normal(size=len(values)) for name, values in choices.items()}
    pair = 0.7 * rng.normal(size=(6, 8))

    def surface(design: Design) -> float:
        a, b, c = (choices[name].index(str(design.values[name])) for name in choices)
        x, y = float(design.values["x"]), float(design.values["y"])
        steady = main["a"][a] + main["b"][b] + main["c"][c] - 3 * (y - 0.4) ** 2
        return float(steady + pair[a, c] + 2 * math.sin(4 * x + b))

    return space, surface


def test_unseen_designs_are_predicted_and_the_interval_is_honest() -> None:
    covered, explained = [], []
    for seed in (1, 2, 3):
        space, surface = interacting(seed)
        encoding, rng = Encoding(space), np.random.default_rng(seed)
        records = [record(d, surface(d) + 0.1 * rng.normal(), 0.1) for d in space.sample(80, seed=seed)]
        surrogate = Surrogate(encoding, HIGH, records)
        unseen = space.sample(400, seed=seed + 100)
        values = np.array([surface(design) for design in unseen])
        mean, sd = surrogate.predict(encoding.rows(unseen))
        explained.append(1 - np.mean((mean - values) ** 2) / values.var())
        covered.append(np.mean(np.abs(mean - values) < 1.96 * sd))
    assert min(explained) > 0.6
    assert 0.85 <= np.mean(covered) <= 0.99


def process_of(records: list[Record]) -> Process:
    """That of the property of all records."""
    encoding, estimates = Encoding(SPACE), [r.estimates["strength"] for r in records]
    rows = encoding.rows([r.design for r in records])
    values = np.array([e.mean for e in estimates])
    return Process(encoding, rows, values, variances(records, estimates))


def test_posterior_is_the_closed_form_with_the_measured_errors() -> None:
    encoding, designs = Encoding(SPACE), SPACE.sample(6, seed=3)
    errors = [0.1, 0.1, 4.0, 0.1, 0.1, 4.0]
    records = [record(d, truth(d), se) for d, se in zip(designs, errors, strict=True)]
    process = process_of(records)
    asked = SPACE.sample(20, seed=4)
    mean, variance = process.posterior(encoding.rows(asked))

    y = np.array([truth(d) for d in designs])
    centre, scale = y.mean(), y.std(ddof=1)
    residual = process.model.likelihood.second_noise.item()
    believed = variances(records, [r.estimates["strength"] for r in records])
    noise = np.maximum(believed / scale**2, 1e-6) + residual
    k = hand_kernel(process, encoding)
    gram, cross = k(designs, designs) + np.diag(noise), k(asked, designs)
    constant = process.model.mean_module.constant.item()
    by_hand = constant + cross @ np.linalg.solve(gram, (y - centre) / scale - constant)
    left = k(asked, asked).diagonal() - np.einsum("ij,ji->i", cross, np.linalg.solve(gram, cross.T))
    assert np.allclose(mean, by_hand, atol=1e-6)
    assert np.allclose(variance, left, atol=1e-6)
    at_records, _ = process.posterior(encoding.rows(designs))
    missed = np.abs(centre + scale * at_records - y)
    assert missed[[2, 5]].min() > missed[[0, 1, 3, 4]].max()


def hand_kernel(process: Process, encoding: Encoding):
    """The covariance of the docstring of MixedKernel, written with loops over pairs and fields."""
    p = {
        name: process.model.covar_module.value_of(name).detach().numpy()
        for name in ("main_variance", "interaction_variance", "main_length", "length", "category_scale")
    }
    n_numeric, n_categorical = encoding.n_numeric, encoding.n_categorical

    def matern(r: float) -> float:
        return (1 + math.sqrt(5) * r + 5 * r**2 / 3) * math.exp(-math.sqrt(5) * r)

    def one(a: np.ndarray, b: np.ndarray) -> float:
        total, squared, mismatch = 0.0, 0.0, 0.0
        for j in range(n_numeric):
            total += p["main_variance"][j] * matern(abs(a[j] - b[j]) / p["main_length"][j])
            squared += ((a[j] - b[j]) / p["length"][j]) ** 2
        for c in range(n_categorical):
            same = a[n_numeric + c] == b[n_numeric + c]
            total += p["main_variance"][n_numeric + c] * same
            mismatch += (not same) / p["category_scale"][c] / n_categorical
        return total + p["interaction_variance"][0] * matern(math.sqrt(squared)) * math.exp(-mismatch)

    def table(a: list[Design], b: list[Design]) -> np.ndarray:
        return np.array([[one(x, y) for y in encoding.rows(b)] for x in encoding.rows(a)])

    return table


def test_leave_one_out_is_the_refit_without_the_record() -> None:
    encoding, records = Encoding(SPACE), noisy_records(15, 0.5, 5)
    process = process_of(records)
    k, y = hand_kernel(process, encoding), process.model.train_targets.numpy()
    noise, constant = process.noise.numpy(), process.model.mean_module.constant.item()
    designs = [r.design for r in records]
    means, sds = process.left_out()
    for i in (0, 7, 14):
        others = [j for j in range(15) if j != i]
        gram = k(designs, designs)
        weights = np.linalg.solve(gram[np.ix_(others, others)] + np.diag(noise[others]), gram[others, i])
        mean = constant + weights @ (y[others] - constant)
        variance = gram[i, i] - weights @ gram[others, i] + noise[i]
        assert means[i] == pytest.approx(process.centre + process.scale * mean, rel=1e-6)
        assert sds[i] == pytest.approx(process.scale * math.sqrt(variance), rel=1e-6)


def test_residuals_name_their_records() -> None:
    surrogate = Surrogate(Encoding(SPACE), HIGH, noisy_records(15, 0.5, 5))
    rows = surrogate.residuals()
    assert [row.record for row in rows] == surrogate.records
    means, sds = surrogate.left_out()
    for row, mean, sd in zip(rows, means, sds, strict=True):
        assert (row.predicted, row.sd) == (mean, sd)
        assert row.z == pytest.approx((row.observed - row.predicted) / row.sd)


def test_densities_in_sequence_multiply_to_the_marginal_likelihood() -> None:
    encoding, records = Encoding(SPACE), noisy_records(15, 0.5, 5)
    process = process_of(records)
    k, y = hand_kernel(process, encoding), process.model.train_targets.numpy()
    designs = [r.design for r in records]
    covariance = k(designs, designs) + np.diag(process.noise.numpy())
    mean = np.full(15, process.model.mean_module.constant.item())
    density = process.in_sequence()
    assert density.sum() == pytest.approx(multivariate_normal(mean, covariance).logpdf(y), rel=1e-6)
    first = multivariate_normal(mean[:6], covariance[:6, :6]).logpdf(y[:6])
    assert density[:6].sum() == pytest.approx(first, rel=1e-6)


def test_a_corrupted_record_has_the_largest_left_out_residual() -> None:
    records = noisy_records(40, 0.3, 6)
    wrong = records[11]
    records[11] = record(wrong.design, wrong.estimates["strength"].mean + 25, 0.3)
    rows = Surrogate(Encoding(SPACE), HIGH, records).residuals()
    assert max(range(40), key=lambda i: abs(rows[i].z)) == 11


def test_only_records_that_count_are_used() -> None:
    designs = SPACE.sample(6, seed=7)
    records = [
        record(designs[0], 1.0),
        record(designs[1], 2.0, oracle="lab"),
        record(designs[2], 3.0, kind="synthetic"),
        record(designs[3], 4.0, name="dipole"),
        record(designs[4], float("nan")),
        record(designs[5], 6.0),
    ]
    assert usable(HIGH, records) == [records[0], records[5]]


def test_numbers_become_fractions_and_words_become_codes() -> None:
    space = Space(
        [Parameter("oxide", "choices", ("a", "b", "c")), Parameter("pressure", "choices", (10, 20, 50)),
         Parameter("length", "integer", bounds=(8, 24))]
    )  # fmt: skip
    encoding = Encoding(space)
    design = space.canonicalise({"oxide": "c", "pressure": 20, "length": 12})
    assert encoding.rows([design]).tolist() == [[0.25, 0.25, 2.0]]
    other = space.canonicalise({"oxide": "a", "pressure": 50, "length": 12})
    assert encoding.distances(encoding.rows([design]), encoding.rows([other])).tolist() == [[1.75]]


def spread_of(records: list[Record]) -> float:
    squared = [r.estimates["strength"].se ** 2 for r in records]
    return max(squared) / min(squared)


def test_lucky_small_errors_are_shrunk_and_real_differences_kept() -> None:
    rng = np.random.default_rng(0)
    designs = SPACE.sample(200, seed=8)
    lucky = [record(d, 0.0, math.sqrt(rng.chisquare(2) / 2), replicates=3) for d in designs]
    believed = variances(lucky, [r.estimates["strength"] for r in lucky])
    assert believed.max() / believed.min() < 3 < 1000 < spread_of(lucky)
    assert np.sqrt(believed.mean()) == pytest.approx(1.0, abs=0.15)
    levels = np.where(np.arange(200) % 2, 0.1, 3.0)
    differing = [
        record(d, 0.0, level * math.sqrt(rng.chisquare(9) / 9), replicates=10)
        for d, level in zip(designs, levels, strict=True)
    ]
    believed = variances(differing, [r.estimates["strength"] for r in differing])
    assert np.median(believed[levels > 1]) / np.median(believed[levels < 1]) > 500


def test_zero_error_beside_positive_ones_is_not_believed_but_an_exact_table_is() -> None:
    designs = SPACE.sample(8, seed=9)
    mixed = [record(d, 0.0, se) for d, se in zip(designs, [0.5, 0.5, 0.5, 0.5, 0, math.nan, 0.5, 0.5], strict=True)]
    believed = variances(mixed, [r.estimates["strength"] for r in mixed])
    assert believed[4] == believed[5] == pytest.approx(believed[0])
    exact = [record(d, 0.0, 0.0) for d in designs]
    assert variances(exact, [r.estimates["strength"] for r in exact]).tolist() == [0.0] * 8


def test_common_level_against_the_moments_of_a_large_sample() -> None:
    for value in (0.01, 0.3, 5.0):
        assert polygamma(1, inverse_trigamma(value)) == pytest.approx(value, rel=1e-8)
    assert digamma(1.0) == pytest.approx(-0.5772157, abs=1e-6)


@pytest.mark.parametrize(("mean", "sd"), [(10.0, 2.0), (13.0, 0.5), (7.0, 0.0)])
def test_utility_of_a_target_has_the_moments_of_its_samples(mean: float, sd: float) -> None:
    objective = Objective("gap", "target", "md", target=11.0)
    samples = -np.abs(mean + sd * np.random.default_rng(0).normal(size=400_000) - 11.0)
    expected, variance = utility_moments(objective, np.array([mean]), np.array([sd]))
    assert expected[0] == pytest.approx(samples.mean(), abs=0.01)
    assert variance[0] == pytest.approx(samples.var(), abs=0.02)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e-9])
def test_a_constant_property_is_modelled_as_constant(value: float) -> None:
    encoding, designs = Encoding(SPACE), SPACE.sample(6, seed=10)
    surrogate = Surrogate(encoding, HIGH, [record(d, value, 0.0) for d in designs])
    mean, sd = surrogate.predict(encoding.rows(SPACE.sample(30, seed=11)))
    assert np.allclose(mean, value, atol=0.05)
    assert np.isfinite(sd).all()
