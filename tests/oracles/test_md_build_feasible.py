"""What can be built: refusals that name their cure, and quick enough to be a generator's rule."""

import time

import numpy as np
import pytest

from oracles.openmm.build.feasible import DEFAULTS, check, with_defaults
from oracles.openmm.build.size import SIZES


def refusals(values, fidelity="screen"):
    return {c.name: c for c in check(values, fidelity) if not c.passed}


@pytest.mark.parametrize("fidelity", SIZES)
def test_the_defaults_are_feasible(fidelity):
    checks = check({}, fidelity)
    assert all(c.passed for c in checks)
    assert {"oxide", "facet", "termination", "polymer", "start", "dq", "chains"} <= {c.name for c in checks}
    assert set(with_defaults({"oxide": "hematite"})) == set(DEFAULTS)


@pytest.mark.parametrize(
    ("values", "name", "cure"),
    [
        ({"oxide": "gold"}, "oxide", "magnetite, hematite, corundum, periclase"),
        ({"facet": "100"}, "facet", "which has 001, 110, 111"),
        ({"termination": "metal"}, "termination", "which has octahedral, tetrahedral, half-tetrahedral"),
        ({"oxide": "periclase", "termination": "tetrahedral"}, "termination", "which has octahedral"),
        ({"polymer": "PEEK"}, "polymer", "PVDF, P(VDF-TrFE), PEO, PE"),
        ({"polymer": "PE", "start": "beta"}, "start", "start of PE is coil"),
        ({"chain_length": 1}, "chain_length", "[2, 48]"),
        ({"polymer": "PEO", "chain_length": 48, "oxide": "periclase"}, "chains", "smaller chain_length"),
        ({"chain_length": 40, "start": "beta"}, "extended_length", "smaller chain_length or coil"),
        ({"temperature": 900.0}, "temperature", "[200, 700] K"),
        ({"comonomer_fraction": 0.2}, "comonomer_fraction", "[0, 0]"),
        ({"ligand": "unobtainium"}, "ligand", "none"),
        ({"ligand_density": 1.0}, "ligand_density", "[0, 0]"),
        ({"hydroxyl_density": 14.0}, "hydroxyl_density", "[0, 11.35]"),
        ({"oxide": "rutile"}, "oxide", "oxide_model: minff"),
        ({"oxide": "quartz", "termination": "tetrahedral"}, "termination", "which has oxygen"),
        ({"oxide": "quartz"}, "dq", "hydroxyl_density is 9.6 1/nm^2"),
        ({"termination": "tetrahedral", "hydroxyl_density": 8.0}, "hydroxyl_density", "[0, 5.68]"),
        ({"termination": "tetrahedral", "hydroxyl_density": 5.0}, "dq", "hydroxyl_density is 0.0 1/nm^2"),
        ({"facet": "111", "termination": "oxygen"}, "dq", "hydroxyl_density is 12.3 1/nm^2"),
    ],
)
def test_refusals_name_the_cure(values, name, cure):
    refused = refusals(values)
    assert name in refused
    assert cure in refused[name].detail


def test_the_cure_of_a_charge_works():
    design = {"facet": "111", "termination": "oxygen", "hydroxyl_density": 4.0}
    assert set(refusals(design)) == {"dq"}
    assert not refusals({**design, "hydroxyl_density": 12.3})


def test_a_large_charge_is_flagged_before_it_is_refused():
    bare = next(c for c in check({"hydroxyl_density": 0.0}, "screen") if c.name == "dq")
    assert bare.passed and bare.flagged and 0.10 < bare.value < 0.25 and bare.detail
    neutral = next(c for c in check({"hydroxyl_density": 4.3}, "screen") if c.name == "dq")
    assert neutral.passed and not neutral.flagged and abs(neutral.value) < 0.01


def test_a_three_index_name_means_the_basal_facet_of_a_hexagonal_oxide():
    three = check({"oxide": "corundum", "facet": "001"}, "screen")
    four = check({"oxide": "corundum", "facet": "0001"}, "screen")
    assert [c.value for c in three if c.name == "dq"] == [c.value for c in four if c.name == "dq"]
    assert set(refusals({"oxide": "periclase", "facet": "0001"})) == {"facet"}


def test_octahedral_and_auto_are_ends_of_every_oxide():
    for oxide in ("magnetite", "hematite", "corundum", "periclase"):
        for termination in ("octahedral", "auto"):
            assert not refusals({"oxide": oxide, "termination": termination, "hydroxyl_density": 1.0})


def test_a_design_is_neutral_at_one_fidelity_as_at_the_other():
    for oxide in ("magnetite", "hematite", "corundum", "periclase"):
        dq = [
            next(c.value for c in check({"oxide": oxide, "hydroxyl_density": 4.0}, fidelity) if c.name == "dq")
            for fidelity in SIZES
        ]
        assert dq[0] == pytest.approx(dq[1], abs=0.05)


def test_checks_are_quick_and_pure():
    rng = np.random.default_rng(0)
    designs = [
        {
            "oxide": str(rng.choice(["magnetite", "hematite", "corundum", "periclase"])),
            "hydroxyl_density": float(rng.uniform(0, 8)),
            "polymer": str(rng.choice(["PVDF", "PE", "PEO"])),
            "chain_length": int(rng.integers(6, 24)),
        }
        for _ in range(1000)
    ]
    first = [check(design, "screen") for design in designs]
    began = time.process_time()
    again = [check(design, "screen") for design in designs]
    assert (time.process_time() - began) / len(designs) < 5e-3, "an oracle's check takes milliseconds at most"
    assert first == again
