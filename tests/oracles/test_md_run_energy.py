"""Interaction energies: by hand for two particles, by definition for many."""

import numpy as np
import openmm
import pytest

from oracles.openmm.simulate.energy import MJ_PER_M2, InteractionEnergy, nonbonded
from oracles.openmm.simulate.platforms import choose

COULOMB = 138.935456
"""kJ/mol nm/e^2."""
BOX = np.array([8.0, 8.0, 8.0])


def film_like(particles, exceptions=(), cutoff=1.2, tolerance=1e-6):
    """A System of (charge, sigma, epsilon) particles with PME in a large box."""
    system = openmm.System()
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(force.PME)
    force.setCutoffDistance(cutoff)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(cutoff - 0.1)
    force.setEwaldErrorTolerance(tolerance)
    for charge, sigma, epsilon in particles:
        system.addParticle(10.0)
        force.addParticle(charge, sigma, epsilon)
    for i, j, product in exceptions:
        force.addException(i, j, product, 0.3, 0.5)
    system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*np.diag(BOX))
    return system


def test_two_dipoles_feel_each_other_as_coulomb_says():
    charges = np.array([0.4, -0.4, 0.3, -0.3])
    positions = np.array([[2.0, 2.0, 2.0], [2.1, 2.0, 2.0], [2.0, 2.0, 2.35], [2.15, 2.05, 2.4]])
    system = film_like([(q, 0.3, 0.0) for q in charges], [(0, 1, 0.0), (2, 3, 0.0)])
    coulomb, lj, pull = InteractionEnergy(system, np.array([2, 3]), BOX, choose("Reference"))(positions)
    by_hand = sum(
        COULOMB * charges[i] * charges[j] / np.linalg.norm(positions[i] - positions[j]) for i in (0, 1) for j in (2, 3)
    )
    assert coulomb == pytest.approx(by_hand, abs=0.02)  # periodic images of the dipoles
    assert lj == 0.0
    apart = positions[2] - positions[[0, 1]]
    force = (COULOMB * 0.3 * charges[[0, 1], None] * apart / np.linalg.norm(apart, axis=1)[:, None] ** 3).sum(axis=0)
    assert pull[2] == pytest.approx(force, abs=0.05)
    assert pull.sum(axis=0) == pytest.approx([0, 0, 0], abs=0.01)  # action and reaction


def test_lennard_jones_pair_mixes_as_lorentz_and_berthelot():
    system = film_like([(0.0, 0.30, 0.5), (0.0, 0.40, 0.8)])
    positions = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.42]])
    coulomb, lj, _ = InteractionEnergy(system, np.array([1]), BOX, choose("Reference"))(positions)
    s6 = (0.35 / 0.42) ** 6
    assert lj == pytest.approx(4 * np.sqrt(0.4) * (s6**2 - s6), rel=1e-6)
    assert coulomb == pytest.approx(0.0, abs=1e-9)


def test_equals_the_difference_of_three_energies():
    """U(all) - U(polymer) - U(surface) with charges, epsilons and exceptions of the others set to nothing."""
    rng = np.random.default_rng(5)
    positions = np.stack(np.meshgrid(*[np.arange(4) * 0.33 + 1.0] * 3), -1).reshape(-1, 3)
    positions += rng.normal(0, 0.02, positions.shape)
    charges = rng.normal(0, 0.5, 64)
    charges -= charges.mean()
    particles = [(q, 0.25 + 0.1 * u, 0.4 * u) for q, u in zip(charges, rng.random(64), strict=True)]
    polymer = np.arange(32, 64)
    pairs = [(0, 1, 0.02), (2, 3, 0.0), (40, 41, -0.03), (50, 52, 0.0)]
    compute = choose("Reference")

    def energy(kept, epsilon):
        system = film_like(particles, pairs, tolerance=1e-5)
        force = nonbonded(system)
        for i in range(64):
            q, sigma, eps = force.getParticleParameters(i)
            force.setParticleParameters(i, q * (i in kept), sigma, eps * (i in kept) * epsilon)
        for k, (i, j, product) in enumerate(pairs):
            inside = i in kept
            force.setExceptionParameters(k, i, j, product * inside, 0.3, 0.5 * inside * epsilon)
        force.setUseDispersionCorrection(False)
        context = compute.context(system, openmm.VerletIntegrator(0.001))
        context.setPositions(positions)
        return context.getState(energy=True).getPotentialEnergy()._value

    everything, surface, chains = set(range(64)), set(range(32)), set(range(32, 64))
    coulomb, both = (
        energy(everything, epsilon) - energy(chains, epsilon) - energy(surface, epsilon) for epsilon in (0, 1)
    )
    interaction = InteractionEnergy(film_like(particles, pairs, tolerance=1e-5), polymer, BOX, compute)
    assert interaction(positions)[:2] == pytest.approx((coulomb, both - coulomb), abs=2e-3)
    interaction.restart()
    assert interaction(positions)[:2] == pytest.approx((coulomb, both - coulomb), abs=2e-3)


def test_polymer_bonded_to_the_surface_is_refused():
    system = film_like([(0.0, 0.3, 0.1)] * 2, [(0, 1, 0.0)])
    with pytest.raises(ValueError, match="join polymer and surface"):
        InteractionEnergy(system, np.array([1]), BOX, choose("Reference"))


def test_unit_of_adhesion():
    assert pytest.approx(66.42, abs=0.01) == 40.0 * MJ_PER_M2  # the 67 mJ/m^2 of polyethylene
