"""Generated designs compared with valid ones, and designs with the values recorded of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from generators.cvae import CVAE
from generators.quality import density, told_apart
from loop.ledger import Introspective
from loop.space import Constraint, Range, Space
from loop.types import Design, Estimate, Objective, Parameter, Record

STRENGTH = Objective("strength", "maximize", "md")
SPACE = Space(
    [
        Parameter("polymer", "choices", ("PVDF", "PEO", "PE", "PS")),
        Parameter("ligand", "choices", ("none", "acid", "silane")),
        Parameter("density", "real", bounds=(0, 3), step=0.1),
        Parameter("length", "integer", bounds=(8, 40)),
    ],
    [
        Constraint("bare", {"ligand": ("none",)}, {"density": (0,)}),
        Constraint("crowded", {"ligand": ("silane",)}, {"density": Range(None, 2.0)}),
    ],
)


def strength(design: Design) -> float:
    return 10.0 * ("PVDF", "PEO", "PE", "PS").index(str(design.values["polymer"])) + float(design.values["density"])


def predict(designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
    mean = np.array([[strength(design)] for design in designs])
    return mean, np.ones_like(mean)


def record(design: Design, value: float) -> Record:
    return Record(design, "md", "screen", "simulation", {"strength": Estimate(value, 0.1, "MPa")}, 1, 0)


@pytest.fixture(scope="module")
def generator() -> CVAE:
    trained = CVAE(corpus=2000, steps=700)
    trained.fit(SPACE, [], [STRENGTH], seed=3, predict=predict)
    assert trained.notes == ()
    return trained


def test_quality_counts_each_share_of_the_one_before(generator: CVAE) -> None:
    assert isinstance(generator, Introspective)
    found = generator.quality([], seed=1)
    assert found is not None
    assert found.generated == 500 >= found.valid >= found.unique >= found.novel > 0
    assert found.valid >= 0.95 * 500
    assert found == generator.quality([], seed=1)
    assert found.molecules is None and found.unnamed is None
    known = [record(design, 0.0) for design in SPACE.sample(2000, seed=8)]
    assert generator.quality(known, seed=1).novel < found.novel


def test_quality_compares_with_held_out_designs(generator: CVAE) -> None:
    found = generator.quality([], seed=1)
    assert 0.5 < found.coverage <= 1
    assert 0.5 < found.density < 1.5
    assert abs(found.c2st_null - 0.5) < 0.15
    assert 0.4 < found.c2st <= 1


def test_values_that_do_not_go_with_their_design_are_implausible(generator: CVAE) -> None:
    designs = SPACE.sample(60, seed=5)
    true = [record(design, strength(design)) for design in designs]
    best = [d for d in designs if d.values["polymer"] == "PS"]
    worst = [d for d in designs if d.values["polymer"] == "PVDF"]
    swapped = [*(record(d, 1.0) for d in best), *(record(d, 31.0) for d in worst)]
    honest = generator.implausible(true, [STRENGTH], seed=1)
    wrong = generator.implausible(swapped, [STRENGTH], seed=1)
    assert len(honest) == 60
    assert np.mean([share < 0.02 for share in honest]) < 0.1
    assert max(wrong) < 0.02
    assert np.median(honest) > 0.2
    elsewhere = record(Design({**designs[0].values, "density": 9.0}), 1.0)
    other = replace(true[0], oracle="lab")
    assert generator.implausible([elsewhere, other], [STRENGTH], seed=1) == [1.0, 1.0]


def test_without_a_model_there_is_nothing_to_say() -> None:
    few = Space([Parameter("x", "choices", ("a", "b", "c"))])
    generator = CVAE(corpus=500, steps=100)
    generator.fit(few, [], [STRENGTH], seed=3)
    assert generator.quality([], seed=1) is None
    assert generator.implausible([record(few.canonicalise({"x": "a"}), 1.0)], [STRENGTH], seed=1) == []


def test_samples_of_one_kind_and_of_two() -> None:
    rng = np.random.default_rng(1)
    a, b, shifted = (rng.normal(size=(400, 3)) + shift for shift in (0, 0, 1.5))
    assert density(a, b) == pytest.approx(1.0, abs=0.15)
    assert density(a, shifted) < 0.6
    assert density(a, 0.5 * b) > 1.1  # where the real ones are dense
    assert told_apart(a, b, rng) == pytest.approx(0.5, abs=0.07)
    assert told_apart(a, shifted, rng) > 0.8
    assert told_apart(a, b[:100], rng) == pytest.approx(0.5, abs=0.1)  # sides of different size
