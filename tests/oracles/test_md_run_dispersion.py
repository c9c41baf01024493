"""The dispersion beyond the cut-off, against sums over periodic images."""

import numpy as np
import pytest

from oracles.openmm.simulate.dispersion import DispersionTail, plane_integral

BOX = np.array([2.0, 1.9, 2.4])
CUTOFF = 0.9


def film(switch: float | None) -> tuple:
    """A System of a square-lattice slab (three layers) and 30 atoms above it; positions and the atoms' indices."""
    import openmm

    grid = [(x, y, z) for z in (0.0, 0.2, 0.4) for x in np.arange(0, 2.0, 0.25) for y in np.arange(0, 1.9, 0.2375)]
    rng = np.random.default_rng(4)
    atoms = rng.uniform([0, 0, 0.75], [2.0, 1.9, 2.05], (30, 3))
    positions = np.array([*grid, *atoms])
    system, force = openmm.System(), openmm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*np.diag(BOX))
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    if switch is not None:
        force.setUseSwitchingFunction(True)
        force.setSwitchingDistance(switch)
    for i in range(len(positions)):
        system.addParticle(1.0)
        force.addParticle(0.0, 0.32 if i < len(grid) else 0.35, 0.65 if i < len(grid) else 0.3)
    system.addForce(force)
    return system, positions, np.arange(len(grid), len(positions))


def sum_over_images(positions: np.ndarray, polymer: np.ndarray, reach: float) -> float:
    """Lorentz-Berthelot LJ energy (kJ/mol) of the polymer with all images of the slab closer than `reach` nm."""
    slab = np.delete(positions, polymer, axis=0)
    sigma, epsilon = (0.32 + 0.35) / 2, np.sqrt(0.65 * 0.3)
    energy = 0.0
    images = [range(-int(reach / edge) - 2, int(reach / edge) + 3) for edge in BOX]
    for shift in np.array(np.meshgrid(*images)).reshape(3, -1).T:
        r = np.linalg.norm(positions[polymer][:, None] - (slab + shift * BOX)[None], axis=-1)
        s6 = (sigma / r[r < reach]) ** 6
        energy += float((4 * epsilon * (s6**2 - s6)).sum())
    return energy


def test_tail_is_what_a_sum_over_images_adds():
    system, positions, polymer = film(switch=None)
    missing = sum_over_images(positions, polymer, 5.0) - sum_over_images(positions, polymer, CUTOFF)
    assert missing < -5
    assert DispersionTail(system, polymer, BOX)(positions) == pytest.approx(missing, rel=0.02)


def test_the_total_does_not_depend_on_the_switch():
    from oracles.openmm.simulate.energy import InteractionEnergy
    from oracles.openmm.simulate.platforms import choose

    whole = sum_over_images(film(None)[1], film(None)[2], 5.0)
    for switch in (0.75, 0.85):
        system, positions, polymer = film(switch)
        _, within, _ = InteractionEnergy(system, polymer, BOX, choose("Reference"))(positions)
        assert within + DispersionTail(system, polymer, BOX)(positions) == pytest.approx(whole, rel=0.01)


def test_plane_integral_beyond_the_cutoff_is_the_closed_form():
    # 2 pi int_1^inf r^-5 dr = pi / 2; below the cut-off nothing is missing
    assert plane_integral(np.array([0.0, 0.5, 1.0]), 1.0, 1.0) == pytest.approx(np.full(3, np.pi / 2))


def test_moving_everything_along_the_box_changes_nothing():
    system, positions, polymer = film(switch=0.8)
    tail = DispersionTail(system, polymer, BOX)
    assert tail(positions + np.array([0.3, -0.2, 1.7])) == pytest.approx(tail(positions), rel=1e-6)
