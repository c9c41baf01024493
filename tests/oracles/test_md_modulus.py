"""The modulus: films of known pressure and stiffness, and a real one that is killed between two strains."""

import dataclasses
import json
import shutil

import numpy as np
import openmm
import pytest

from loop import Design
from loop.campaign import load
from loop.errors import BadInput
from oracles.openmm import OpenMMOracle, modulus
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.film import Film, build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.observe import permittivity
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import MANIFEST, Journal

KT = 8.31446261815324e-3 * 400.0
GPA = 1.66053906660e-3
SLAB, GAP, LATERAL = 0.4, 3.0, 2.0
STIFF, REST = 500.0, 1.3
CAMPAIGN = """name: stiff
seed: 1
space: {temperature: {real: [350, 450]}}
objectives: [{property: modulus_zz, goal: maximize}]
oracles: {md: {kind: openmm, fidelity: screen, observables: [modulus_zz]}}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {evaluations: 8}
"""


def film(force, chains, atoms):
    """A slab of two atoms at z = -0.4 and 0 with `chains` in the gap above it."""
    system = openmm.System()
    for atom in range(atoms):
        system.addParticle(0.0 if atom < 2 else 12.0)
    system.addForce(force)
    positions = np.zeros((atoms, 3))
    positions[0, 2] = -SLAB
    left_out = dict.fromkeys(field.name for field in dataclasses.fields(Film))
    given = {
        "system": system,
        "positions": positions,
        "box": np.array([LATERAL, LATERAL, SLAB + GAP]),
        "slab": np.arange(2),
        "chains": chains,
        "top": 0.0,
        "area": LATERAL**2,
        "slab_height": SLAB,
    }
    return Film(**{**left_out, **given})


def spring_film():
    """One particle held by a spring to each of the slab's faces, one of them across the cell's edge."""
    springs = openmm.HarmonicBondForce()
    springs.setUsesPeriodicBoundaryConditions(True)
    for face in range(2):
        springs.addBond(face, 2, REST, STIFF)
    return film(springs, (np.array([2]),), 3)


def at(film, z):
    positions = film.positions.copy()
    positions[2, 2] = z
    return positions


def test_an_ideal_gas_of_chains_has_the_pressure_nkt_over_v():
    bonds = openmm.HarmonicBondForce()
    chains = tuple(np.array([2 + 2 * k, 3 + 2 * k]) for k in range(5))
    for first, second in chains:
        bonds.addBond(int(first), int(second), 0.15, 1e5)
    gas = film(bonds, chains, 12)
    positions = gas.positions.copy()
    rng = np.random.default_rng(1)
    for chain in chains:
        positions[chain] = rng.uniform([0, 0, 0.2], [2, 2, 2.8]) + rng.normal(0, 0.05, (2, 3))
    positions[chains[0]] += [0, 0, SLAB + GAP]  # in another image of the gap
    pressure = modulus.NormalPressure(gas, SLAB + GAP, 400.0, choose("Reference"))
    assert pressure(positions) == pytest.approx(GPA * 5 * KT / (LATERAL**2 * GAP), rel=1e-9)


def test_a_cold_spring_pulls_with_its_force():
    springs = spring_film()
    pressure = modulus.NormalPressure(springs, SLAB + GAP, 400.0, choose("Reference"))
    pull = STIFF * (GAP / 2 - REST) / LATERAL**2
    assert pressure(at(springs, GAP / 2)) == pytest.approx(GPA * (KT / (LATERAL**2 * GAP) - pull), rel=1e-4)


def test_springs_between_slabs_have_the_modulus_of_their_stiffness():
    """F(h) = k (h/2 - r0)^2 whatever the temperature: P = -k (h/2 - r0) / A and the modulus is k h / 2A. The particle's
    own motion contributes exactly what the ideal term takes off again."""
    springs, strains = spring_film(), modulus.STRETCH.strains
    # Pzz is quadratic in z: four points of the right variance give the thermal average
    wobble = np.sqrt(KT / (2 * STIFF)) * np.array([0.5, -0.5, 1.75**0.5, -(1.75**0.5)])
    series = []
    for strain in strains:
        gap = GAP * (1 + strain)
        pressure = modulus.NormalPressure(springs, SLAB + gap, 400.0, choose("Reference"))
        series.append(np.array([pressure(at(springs, gap / 2 + away)) for away in wobble]))
    assert series[2].mean() == pytest.approx(-GPA * STIFF * (GAP / 2 - REST) / LATERAL**2, rel=1e-4)
    found = modulus.stiffness(strains, series)["modulus_zz"]
    assert found.unit == "GPa"
    assert found.mean == pytest.approx(GPA * STIFF * GAP / (2 * LATERAL**2), rel=1e-4)


def test_the_line_has_the_error_of_its_points():
    """Independent means of error s at strains e give a slope of error s / sqrt(sum e^2)."""
    rng, strains = np.random.default_rng(2), (-0.02, -0.01, 0.0, 0.01, 0.02)
    slopes, errors = [], []
    for _ in range(200):
        series = [-3.0 * e + rng.normal(0, 0.05, 100) for e in strains]
        found = modulus.stiffness(strains, series)["modulus_zz"]
        slopes.append(found.mean)
        errors.append(found.se)
    expected = 0.05 / 10 / np.sqrt(1e-3)
    assert np.mean(slopes) == pytest.approx(3.0, abs=0.05)
    assert np.std(slopes) == pytest.approx(expected, rel=0.15)
    assert expected < np.mean(errors) < 1.4 * expected


def test_a_film_that_yields_is_flagged():
    rng = np.random.default_rng(2)
    stresses = (-0.06, -0.03, 0.0, 0.03, -0.05)
    outcome = modulus.stiffness(modulus.STRETCH.strains, [-s + rng.normal(0, 0.01, 100) for s in stresses])
    assert outcome.checks[0].flagged
    assert "yields" in outcome.checks[0].detail
    assert outcome.provenance["modulus_zz"]["stress_GPa"] == pytest.approx(stresses, abs=0.005)


def test_who_asks_below_standard_is_refused_with_the_cure():
    asking, plain = OpenMMOracle(observables=["modulus_zz", "permittivity"]), OpenMMOracle()
    design = Design({"polymer": "PE"})
    refused = [check for check in asking.check(design, "screen") if not check.passed]
    assert {check.name for check in refused} == {"modulus_zz", "permittivity"}
    assert all("fidelity: standard" in check.detail for check in refused)
    assert all(check.passed for check in asking.check(design, "standard"))
    promised = {"modulus_zz", "permittivity", "inverse_permittivity_normal"}
    assert set(asking.properties) - set(plain.properties) == promised
    # 5 x 100 ps of 4 fs with two energies every 0.2 ps, beside 1 ns and an anneal of some 170 ps
    assert 1.35 < asking.cost(design, "standard") / plain.cost(design, "standard") < 1.55


def test_a_campaign_that_asks_below_standard_is_told_the_cure(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN)
    with pytest.raises(BadInput, match=r"refused by modulus_zz .* at screen: set `fidelity: standard`"):
        load(path)


@pytest.mark.slow
def test_a_real_film_is_strained_and_a_kill_changes_nothing(tmp_path, monkeypatch):
    smoke = FIDELITIES["smoke"]
    production = dataclasses.replace(smoke.production, steps=960, segment=960, sample=20)
    short = dataclasses.replace(smoke, push_off=100, production=production, energy_every=1)
    stretch = modulus.Stretch(strains=(-0.02, 0.0, 0.02), length=0.4, relax=0.2, every=0.04, segment=0.2)
    film = build_film(with_defaults({"polymer": "PE", "chain_length": 6}), SIZES["smoke"], Seeds(1, 2, 3))
    first, second = tmp_path / "whole", tmp_path / "killed"
    Replica(film, short, 400.0, 7, choose("CPU"), Journal(first, {})).run()
    shutil.copytree(first, second)

    def ask(folder):
        journal = Journal(folder, {})
        replica = Replica(film, short, 400.0, 7, choose("CPU"), journal)
        found = modulus.respond(replica, journal, stretch), permittivity.respond(replica, journal)
        assert len(journal.entries) == len(before)
        return found

    before = Journal(first, {}).entries
    whole, polarised = ask(first)
    assert np.isfinite([whole["modulus_zz"].mean, whole["modulus_zz"].se]).all()
    assert len(whole.provenance["modulus_zz"]["stress_GPa"]) == 3
    assert 1.0 < polarised["permittivity"].mean < 2.0
    normal = polarised["inverse_permittivity_normal"]
    assert 0.5 < normal.mean < 1.0

    pressures = modulus.NormalPressure
    left = iter((True, True, True, False))  # killed in the second half of the second strain
    monkeypatch.setattr(modulus, "NormalPressure", lambda *film: pressures(*film) if next(left) else killed())
    with pytest.raises(KeyboardInterrupt):
        ask(second)
    kept = json.loads((second / "modulus_zz" / MANIFEST).read_text())["segments"]
    assert [segment["stage"] for segment in kept] == ["strain -0.02", "strain -0.02", "strain +0"]
    monkeypatch.setattr(modulus, "NormalPressure", pressures)
    resumed, _ = ask(second)
    assert resumed == whole
    again, _ = ask(second)
    assert again == whole


def killed():
    raise KeyboardInterrupt
