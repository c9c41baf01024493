"""Two-ended runs: the polymer without its surface, the difference of four runs, price, refusals, interruption."""

import dataclasses

import numpy as np
import pytest

from loop import Design, Estimate, Task
from loop.types import Outcome
from oracles.openmm import OpenMMOracle, two_ended
from oracles.openmm.build.away import away, subsystem
from oracles.openmm.build.film import build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.oracle import BadKey
from oracles.openmm.simulate.energy import nonbonded, potential_energies
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.platforms import choose

VALUES = {"polymer": "PVDF", "chain_length": 6, "temperature": 300.0}
ASKING = OpenMMOracle(observables=["beta_preference"])


@pytest.fixture(scope="module")
def film():
    return build_film({**VALUES, "start": "beta"}, SIZES["smoke"], Seeds(1, 2, 3))


def test_away_keeps_the_chains_and_every_term_among_them(film):
    import openmm

    bulk = away(film)
    polymer = set(film.polymer.tolist())
    assert len(bulk.positions) == len(polymer) == bulk.system.getNumParticles()
    shift = bulk.positions - film.positions[film.polymer]
    assert np.allclose(shift, shift[0])
    inside = [
        sum(set(force.getTorsionParameters(k)[:4]) <= polymer for k in range(force.getNumTorsions()))
        for force in film.system.getForces()
        if isinstance(force, openmm.PeriodicTorsionForce)
    ]
    kept = [f.getNumTorsions() for f in bulk.system.getForces() if isinstance(f, openmm.PeriodicTorsionForce)]
    assert kept == inside
    assert sum(inside) > 0
    full, own = nonbonded(film.system), nonbonded(bulk.system)
    for k, atom in enumerate(film.polymer.tolist()):
        assert own.getParticleParameters(k) == full.getParticleParameters(atom)
    assert [len(chain) for chain in bulk.chains] == [len(chain) for chain in film.chains]
    assert bulk.topology.getNumAtoms() == len(polymer)


def test_away_has_the_energy_that_the_film_has_without_its_surface(film):
    """The surface's charges and wells set to zero in the film, and the cell the same, nothing else is left of it."""
    import openmm

    silent = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(film.system))
    force = nonbonded(silent)
    for force_of in (force, nonbonded(bulk_system := subsystem(film.system, film.polymer, film.box))):
        force_of.setUseDispersionCorrection(False)
    for atom in film.surface.tolist():
        force.setParticleParameters(atom, 0.0, 0.1, 0.0)
    bonded = [i for i, f in enumerate(silent.getForces()) if f is not force and not isinstance(f, type(force))]
    for i in reversed(bonded):
        silent.removeForce(i)
    for i in reversed([i for i, f in enumerate(bulk_system.getForces()) if not isinstance(f, type(force))]):
        bulk_system.removeForce(i)
    frames = film.positions[None]
    whole = potential_energies(silent, frames, film.box, choose("Reference"))
    alone = potential_energies(bulk_system, frames[:, film.polymer], film.box, choose("Reference"))
    assert alone == pytest.approx(whole, rel=1e-6)


def run(energy, adhesion=0.0, se=0.1):
    return Outcome({"energy": Estimate(energy, se, "kJ/mol"), "adhesion_energy": Estimate(adhesion, se, "mJ/m^2")})


def test_preference_is_the_surface_difference_less_that_of_the_bulk():
    films = {"beta": run(-10.0, 250.0), "alpha": run(-7.0, 200.0)}
    bulks = {"beta": run(-20.0), "alpha": run(-19.0)}
    found = two_ended.preference(films, bulks)
    assert found["beta_energy"].mean == pytest.approx(-3.0)
    assert found["beta_preference"].mean == pytest.approx(-2.0)
    assert found["beta_preference"].se == pytest.approx(0.2)
    assert found["beta_adhesion"].mean == pytest.approx(50.0)
    assert {name: e.unit for name, e in found.items()} == dict(two_ended.PROPERTIES)


def test_only_who_asks_pays_and_is_promised_the_properties():
    design = Design(VALUES)
    plain = OpenMMOracle()
    assert "beta_preference" not in plain.properties
    assert set(ASKING.properties) == set(plain.properties) | set(two_ended.PROPERTIES)
    assert 2 * plain.cost(design, "screen") < ASKING.cost(design, "screen") < 5 * plain.cost(design, "screen")


def test_a_polymer_without_both_ends_is_refused_with_the_reason():
    assert all(check.passed for check in ASKING.check(Design(VALUES), "screen"))
    failed = [check for check in ASKING.check(Design({**VALUES, "polymer": "PE"}), "screen") if not check.passed]
    assert {check.name for check in failed} == {"beta: start", "alpha: start"}


def test_an_unknown_observable_is_named():
    with pytest.raises(BadKey, match="beta_preference"):
        OpenMMOracle(observables=["beta"])


@pytest.fixture
def hurried(monkeypatch):
    """A smoke fidelity a fifth as long: real dynamics of both films and both bulks."""
    smoke = FIDELITIES["smoke"]
    production = dataclasses.replace(smoke.production, steps=320, segment=80, sample=20)
    short = dataclasses.replace(smoke, push_off=100, production=production, energy_every=1)
    monkeypatch.setattr(two_ended, "FIDELITIES", {"smoke": short})


@pytest.mark.slow
def test_interrupted_and_gone_on_with_gives_the_same_and_knows_the_bulk_the_second_time(hurried, tmp_path, kill_after):
    values = two_ended.feasible.with_defaults(VALUES)
    task = Task("t", "d", "md", "smoke", 0, seed=11)

    def outcome(name, cache):
        pair = two_ended.Pair(build_film, choose("CPU"), tmp_path / cache, {"seed": 11})
        return pair.outcome(values, task, tmp_path / name, surface=5)

    whole = outcome("whole", "first")
    for allowed in (5, 9):
        with kill_after(allowed):
            outcome("cut", "second")
    cut = outcome("cut", "second")
    assert cut.estimates == whole.estimates
    assert cut.checks == whole.checks
    again = outcome("known", "first")
    assert again.estimates == whole.estimates
    assert not (tmp_path / "known" / "bulk-beta").exists()
