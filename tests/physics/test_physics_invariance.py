"""What the energy of a film must not depend on, and where its heat must go."""

import numpy as np
import openmm
import pytest

from benchmarks.validation import conservation, invariance
from benchmarks.validation.engines import nonbonded, relaxed
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.observe.observer import Thermometer
from oracles.openmm.simulate.platforms import choose


@pytest.fixture(scope="module")
def film_and_positions():
    return relaxed({}, {})


@pytest.fixture(scope="module")
def tight(film_and_positions):
    film, positions = film_and_positions
    nonbonded(film.system).setEwaldErrorTolerance(1e-6)
    return film, positions


def test_shifts_images_turns_and_mirrors_change_nothing(tight):
    found = invariance.invariance(*tight)
    assert len(found) == 7
    assert max(row["energy"] for row in found.values()) < 1e-8
    assert max(row["force"] for row in found.values()) < 1e-4


def test_an_operation_that_is_no_symmetry_is_seen(tight, monkeypatch):
    monkeypatch.setattr(invariance, "SIGNS", {"stretch": (1.001, 1, 1)})
    assert invariance.invariance(*tight)["stretch"]["energy"] > 1e-5


def test_forces_are_the_slope_of_each_energy(tight):
    found = invariance.slopes(*tight)
    assert set(found) == set(invariance.TERMS)
    assert max(found[term] for term in ("bond", "angle", "torsion", "lj")) < 1e-6
    assert found["coulomb"] < 1e-3


def test_forces_add_up_to_nothing(tight):
    film, positions = tight
    _, forces = invariance.evaluate(film.system, film.box, positions)
    assert np.abs(forces.sum(axis=0)).max() < 1e-3 * np.abs(forces).max()


def test_every_termination_is_neutral_and_has_no_dipole():
    rows = list(invariance.surfaces())
    assert len({(row["oxide"], row["facet"], row["termination"]) for row in rows}) == len(rows) > 20
    assert max(row["charge"] for row in rows) < 1e-9
    assert max(row["bare"] for row in rows) < 1e-9
    assert all(row["lowest"] <= row["highest"] < 0.1 for row in rows)


def test_a_constraint_takes_from_the_lighter_atom_most_of_its_freedom():
    """Masses 3 and 9, one bond: 1/3 of 1/3 + 1/9 is three quarters of the lost degree, the heavy atom's one quarter."""
    system = openmm.System()
    for mass in (3.0, 9.0, 0.0):
        system.addParticle(mass)
    system.addConstraint(0, 1, 0.1)
    positions = np.array([[0.0, 0.0, 0.0], [0.06, 0.08, 0.0], [1.0, 1.0, 1.0]])
    found = conservation.atomic_freedom(system, np.array([3.0, 9.0, 0.0]), positions)
    assert found == pytest.approx([2.25, 2.75, 0.0])


def test_atoms_share_the_freedom_that_constraints_leave(film_and_positions):
    film, positions = film_and_positions
    masses = np.array([film.system.getParticleMass(i)._value for i in range(len(positions))])
    found = conservation.atomic_freedom(film.system, masses, positions)
    assert found.sum() == pytest.approx(Thermometer(film.system).freedom)
    parts = conservation.groups(film)
    assert sum(map(len, parts.values())) == (masses > 0).sum()
    assert found[parts["hydroxyl hydrogens"]] == pytest.approx(3.0)


@pytest.mark.slow
def test_heat_is_shared_by_chains_and_hydroxyls(film_and_positions):
    """Equipartition at 400 K: kinetic temperature of chains, constrained bonds taken off, and of hydroxyl hydrogens."""
    film, positions = film_and_positions
    integrator = openmm.LangevinMiddleIntegrator(400.0, 5.0, 0.002)
    integrator.setRandomNumberSeed(11)
    context = choose("CPU").context(film.system, integrator)
    context.setPositions(positions)
    openmm.LocalEnergyMinimizer.minimize(context, 20.0, 100)
    context.setVelocitiesToTemperature(400.0, 5)
    masses = np.array([film.system.getParticleMass(i)._value for i in range(len(positions))])
    hydroxyls = np.setdiff1d(film.surface, film.slab)
    freedom = {"chains": 3 * len(film.polymer) - film.system.getNumConstraints(), "hydroxyls": 3 * len(hydroxyls)}
    integrator.step(500)
    seen = {"chains": [], "hydroxyls": []}
    for _ in range(150):
        integrator.step(10)
        v = context.getState(velocities=True).getVelocities(asNumpy=True)._value
        twice = masses * (v**2).sum(axis=1)
        for name, atoms in (("chains", film.polymer), ("hydroxyls", hydroxyls)):
            seen[name].append(twice[atoms].sum() / freedom[name] / GAS_CONSTANT)
    assert np.mean(seen["chains"]) == pytest.approx(400.0, abs=20.0)
    assert np.mean(seen["hydroxyls"]) == pytest.approx(400.0, abs=45.0)
