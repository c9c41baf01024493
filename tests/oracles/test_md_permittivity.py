"""Permittivity: dipoles whose fluctuations are known by hand, alone and between oxide layers."""

from types import SimpleNamespace

import numpy as np
import openmm
import pytest

from oracles.openmm.observe.dipoles import Moments
from oracles.openmm.observe.permittivity import independent, permittivity, products, sampled
from oracles.openmm.observe.statistics import Equilibration
from oracles.openmm.simulate.platforms import choose

EPSILON0 = 8.8541878128e-12 * 1e-9 / 1.602176634e-19  # e/(V nm)
KT = 1.380649e-23 * 400.0 / 1.602176634e-19  # eV
SETTLED = Equilibration(0.0, 0.0, 100.0)
AREA, GAP, HEIGHT = 11.0, 3.0, 4.0


def dipoles(count, charge=0.5):
    """A frozen ion, a hydroxyl hydrogen, and neutral chains of two atoms."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for q in (-0.4, 0.4, *[charge, -charge] * count):
        system.addParticle(0.0 if q == -0.4 else 12.0)
        force.addParticle(q, 0.3, 0.0)
    system.addForce(force)
    return SimpleNamespace(system=system, polymer=np.arange(2, 2 + 2 * count))


def turning(count, frames, length, seed):
    """(frames, atoms, 3) of freely turning dumb-bells whose centres wander."""
    rng = np.random.default_rng(seed)
    axes = rng.standard_normal((frames, count, 3))
    axes *= length / np.linalg.norm(axes, axis=-1, keepdims=True)
    centres = rng.uniform(0, 3, (frames, count, 3))
    chains = np.stack([centres + axes / 2, centres - axes / 2], axis=2).reshape(frames, -1, 3)
    surface = np.broadcast_to([[0, 0, 0.0], [0, 0, 0.1]], (frames, 2, 3))
    return np.concatenate([surface, chains], axis=1)


def test_independent_dipoles_obey_langevin_and_debye():
    """eps - 1 = N mu^2 / (3 eps0 kT V)."""
    count, mu = 40, 0.5 * 0.1
    moments = Moments(dipoles(count)).series(turning(count, 6000, 0.1, 4))
    found = permittivity(moments["polymer_moment"], moments["mobile_moment"], 400.0, AREA, GAP, HEIGHT, SETTLED)
    expected = 1 + count * mu**2 / (3 * EPSILON0 * KT * AREA * GAP)
    assert expected == pytest.approx(1.53, abs=0.01)
    assert found["permittivity"].mean == pytest.approx(expected, abs=3.5 * found["permittivity"].se)
    assert found["permittivity"].se < 0.01
    assert found["permittivity"].n_eff > 4000


def test_what_was_shifted_or_sits_in_another_image_counts_alike():
    film, positions = dipoles(12), turning(12, 50, 0.1, 5)
    moments = Moments(film).series(positions)
    images = positions.copy()
    rng = np.random.default_rng(1)
    for chain in film.polymer.reshape(-1, 2):
        images[:, chain] += (rng.integers(-2, 3, (50, 1, 3))) * np.array([3.3, 3.3, HEIGHT])
    shifted = Moments(film).series(images)
    for name, values in moments.items():
        np.testing.assert_allclose(shifted[name], values, atol=1e-12)

    def measured(series):
        found = permittivity(series["polymer_moment"], series["mobile_moment"], 400.0, AREA, GAP, HEIGHT, SETTLED)
        return [found[name].mean for name in sorted(found)]

    # what moves has a net charge (the oxide has the rest), so that M itself depends on the origin
    moved = Moments(film).series(positions + np.array([0.3, -0.2, 1.0]))
    assert not np.allclose(moved["mobile_moment"], moments["mobile_moment"])
    assert measured(moved) == pytest.approx(measured(moments))


@pytest.mark.parametrize("gap", [3.0, 4.0])
@pytest.mark.parametrize("epsilon", [1.5, 4.0])
def test_a_dielectric_between_plates_is_recovered(epsilon, gap):
    """A layer of susceptibility chi holds M^2 / (2 eps0 chi A h); the field of its images, in a cell whose mean field
    is zero, adds M^2 (1 - h/L) / (2 eps0 A h) along the normal and nothing along the layer."""
    chi, rng = epsilon - 1, np.random.default_rng(11)
    along = EPSILON0 * KT * AREA * gap * chi
    across = EPSILON0 * KT * AREA * gap / (1 / chi + 1 - gap / HEIGHT)
    moments = rng.standard_normal((20_000, 3)) * np.sqrt([along, along, across])
    found = permittivity(moments, moments, 400.0, AREA, gap, HEIGHT, SETTLED)
    assert found["permittivity"].mean == pytest.approx(epsilon, abs=4 * found["permittivity"].se)
    inverse = found["inverse_permittivity_normal"]
    assert inverse.mean == pytest.approx(1 / epsilon, abs=4 * inverse.se)
    assert inverse.se < 0.03


def test_the_particle_mesh_sum_has_that_field_of_the_images():
    """Two sheets of charge +-s a distance h apart in a cell of height L hold s^2 A h (1 - h/L) / (2 eps0): the energy
    that the formula above takes for the cell, here from OpenMM."""
    lateral, height, cells, charge = 2.0, 4.0, 10, 0.02
    grid = (np.stack(np.meshgrid(*[np.arange(cells)] * 2), -1).reshape(-1, 2)) * lateral / cells
    system, force = openmm.System(), openmm.NonbondedForce()
    for q in (charge, -charge):
        for _ in grid:
            system.addParticle(1.0)
            force.addParticle(q, 0.1, 0.0)
    force.setNonbondedMethod(force.PME)
    force.setCutoffDistance(0.9)
    force.setEwaldErrorTolerance(1e-5)
    system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*np.diag([lateral, lateral, height]))
    context = choose("CPU").context(system, openmm.VerletIntegrator(0.001))

    def energy(gap):
        sheets = [np.column_stack([grid, np.full(len(grid), z)]) for z in (0.5 + gap, 0.5)]
        context.setPositions(np.concatenate(sheets))
        return context.getState(energy=True).getPotentialEnergy()._value

    density, area = charge * cells**2 / lateral**2, lateral**2
    expected = [96.4853321 * density**2 * area * gap * (1 - gap / height) / (2 * EPSILON0) for gap in (2.0, 1.0, 3.0)]
    assert energy(2.0) - energy(1.0) == pytest.approx(expected[0] - expected[1], rel=1e-3)
    assert energy(3.0) == pytest.approx(energy(1.0), rel=1e-4)
    assert expected[2] == pytest.approx(expected[1])


def correlated(frames, memory, rng):
    """A stationary series of variance 1 and correlation time `memory` frames."""
    keep, series = np.exp(-1 / memory), [rng.standard_normal()]
    for kick in rng.standard_normal(frames - 1):
        series.append(keep * series[-1] + np.sqrt(1 - keep**2) * kick)
    return np.array(series)


def test_a_short_run_is_corrected_for_its_own_mean():
    rng = np.random.default_rng(8)
    runs = [correlated(200, 10.0, rng) for _ in range(150)]
    plain = np.mean([run.var() for run in runs])
    corrected = np.mean([products(run, run).mean() for run in runs])
    assert plain < 0.93
    assert abs(corrected - 1) < abs(plain - 1)


def test_a_dipole_that_has_not_turned_is_flagged():
    rng = np.random.default_rng(9)
    slow = np.stack([correlated(200, 300.0, rng) for _ in range(3)], axis=1)
    assert independent(slow[:, 0]) < 10
    assert sampled(slow).flagged
    assert not sampled(rng.standard_normal((200, 3))).flagged
