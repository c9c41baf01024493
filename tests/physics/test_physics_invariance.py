"""What the energy of a film must not depend on, and where its heat must go."""

import numpy as np
import openmm
import pytest

from benchmarks.validation.engines import nonbonded, relaxed
from oracles.openmm.observe.observer import GAS_CONSTANT
from oracles.openmm.simulate.platforms import choose


@pytest.fixture(scope="module")
def film_and_positions():
    return relaxed({}, {})


@pytest.fixture(scope="module")
def evaluate(film_and_positions):
    """Positions -> (energy kJ/mol, forces kJ/mol/nm), double precision and tight Ewald sums."""
    film, _ = film_and_positions
    nonbonded(film.system).setEwaldErrorTolerance(1e-6)
    context = choose("Reference").context(film.system, openmm.VerletIntegrator(0.001))

    def at(positions):
        context.setPositions(positions)
        state = context.getState(energy=True, forces=True)
        return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value

    return at


def close(forces, expected):
    scale = np.sqrt((expected**2).sum(axis=1).mean())
    return np.abs(forces - expected).max() < 2e-4 * scale


def test_a_shift_of_everything_changes_nothing(film_and_positions, evaluate):
    film, positions = film_and_positions
    energy, forces = evaluate(positions)
    for shift in (film.box * [0.31, -0.57, 1.23], [0.013, 0.02, -0.007]):
        shifted, same = evaluate(positions + shift)
        assert shifted == pytest.approx(energy, rel=2e-6)
        assert close(same, forces)


def test_molecules_may_lie_in_any_image(film_and_positions, evaluate):
    film, positions = film_and_positions
    energy, forces = evaluate(positions)
    moved = positions.copy()
    for k, chain in enumerate(film.chains):
        moved[chain] += film.box * [k - 1, 1, -k]
    elsewhere, same = evaluate(moved)
    assert elsewhere == pytest.approx(energy, rel=2e-6)
    assert close(same, forces)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_mirror_image_has_the_same_energy(film_and_positions, evaluate, axis):
    """The cell is orthogonal and no term knows left from right. The small shift takes slab atoms off the faces of the
    cell: OpenMM's Reference platform loses pairs of atoms that lie there with a coordinate of minus zero."""
    _, positions = film_and_positions
    energy, forces = evaluate(positions)
    mirror = np.ones(3)
    mirror[axis] = -1.0
    other, mirrored = evaluate(positions * mirror + [0.0137, 0.0071, 0.003])
    assert other == pytest.approx(energy, rel=2e-6)
    assert close(mirrored * mirror, forces)


def test_forces_add_up_to_nothing(film_and_positions, evaluate):
    _, forces = evaluate(film_and_positions[1])
    assert np.abs(forces.sum(axis=0)).max() < 1e-3 * np.abs(forces).max()


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
