"""Energies and forces of whole films, worked out again by LAMMPS."""

import numpy as np
import openmm
import pytest

from benchmarks.validation import engines, lammps


@pytest.mark.slow
@pytest.mark.parametrize("name", engines.FILMS)
def test_another_engine_finds_the_same_energies_and_forces(name):
    found = engines.compare(*engines.relaxed(*engines.FILMS[name]))
    assert {term: found.error(term) for term in ("bond", "angle", "torsion", "lj")} == pytest.approx(
        dict.fromkeys(("bond", "angle", "torsion", "lj"), 0.0), abs=1e-5
    )
    assert found.error("coulomb") < 1e-5
    assert found.force < 1e-4 and found.worst_force < 1e-3
    assert found.error("tail") < 5e-3  # the engines count an atom's own image differently: of the order 1/N


def test_a_fault_in_one_pair_is_seen():
    """The comparison itself: one excluded pair that interacts after all."""
    film, positions = engines.relaxed({"hydroxyl_density": 0.0}, {})
    topology = lammps.read(film.system)
    sound = lammps.evaluate(topology, positions, film.box, 0.5, 0.5)
    force = engines.nonbonded(film.system)
    k = next(k for k in range(force.getNumExceptions()) if force.getExceptionParameters(k)[2]._value == 0)
    i, j, *_ = force.getExceptionParameters(k)
    force.setExceptionParameters(k, i, j, topology.charges[i] * topology.charges[j], 0.3, 0.0)
    _, forces = engines.terms(film, positions, engines.TIGHT)
    wrong = np.linalg.norm(forces - sound.forces, axis=1)
    assert sorted(np.argsort(wrong)[-2:].tolist()) == sorted([i, j])
    assert wrong[i] > 100 * np.median(wrong)


def test_lammps_works_out_shares_of_pairs():
    """Against the formulas: a pair by its shares, one across the cell's edge, and one without a core."""
    topology = lammps.Topology(
        charges=np.array([0.7, -0.4, 0.25]),
        types=np.array([0, 1, 2]),
        kinds=np.array([[0.3, 0.6], [0.35, 0.2], [0.1, 0.0]]),
        bonds=[],
        angles=[],
        torsions=[],
        exceptions={},
        cutoff=0.8,
        switch=0.7,
    )
    positions = np.array([[0.1, 0.2, 0.3], [0.25, 0.4, 0.2], [2.9, 0.3, 0.4]])
    shares = {(0, 1): (-1.0, 0.5), (0, 2): (-0.5, -1.0)}
    found = lammps.pairs(topology, positions, np.array([3.0, 3.0, 3.0]), shares)
    r = np.linalg.norm(positions[0] - positions[1])
    s6 = (0.325 / r) ** 6
    coulomb = 138.935457644 * np.array([0.5 * 0.7 * -0.4 / r, -0.7 * 0.25 / np.linalg.norm([0.2, 0.1, 0.1])])
    assert found.energies["lj"] == pytest.approx(-4 * np.sqrt(0.12) * (s6**2 - s6), rel=1e-9)
    assert found.energies["coulomb"] == pytest.approx(coulomb.sum(), rel=1e-7)
    assert found.forces[2] == pytest.approx(coulomb[1] / 0.06 * np.array([-0.2, 0.1, 0.1]), rel=1e-6)
    assert np.abs(found.forces.sum(axis=0)).max() < 1e-9


def test_a_force_that_lammps_would_not_be_given_is_refused():
    system = openmm.System()
    system.addForce(openmm.CMMotionRemover())
    with pytest.raises(ValueError, match="does not know CMMotionRemover"):
        lammps.read(system)
