"""Whole films: counts, neutrality, places, constraints, and the same seeds giving the same film."""

import re

import numpy as np
import openmm
import pytest

from loop.types import OracleFailure
from oracles.openmm.build import feasible
from oracles.openmm.build.film import build_film
from oracles.openmm.build.packing import DoesNotFit, Gap, layer_capacity, pack_coils, pack_extended, random_rotation
from oracles.openmm.build.size import SIZES, Seeds

SEEDS = Seeds(surface=1, chains=2, velocities=3)


@pytest.fixture(scope="module")
def screen():
    return build_film({}, SIZES["screen"], SEEDS)


def nonbonded(film):
    (force,) = [f for f in film.system.getForces() if isinstance(f, openmm.NonbondedForce)]
    return force


@pytest.mark.parametrize(("fidelity", "low", "high"), [("smoke", 450, 720), ("screen", 800, 1250)])
@pytest.mark.parametrize("oxide", ["magnetite", "hematite", "corundum", "periclase"])
def test_films_have_the_size_of_their_fidelity(fidelity, low, high, oxide):
    values = {"oxide": oxide, "hydroxyl_density": 3.0}
    film = build_film(values, SIZES[fidelity], SEEDS)
    assert low <= len(film.positions) <= high
    assert len(film.positions) == film.system.getNumParticles() == film.topology.getNumAtoms()
    assert len(film.positions) == film.flexible.getNumParticles() == feasible.atoms(values, fidelity)
    assert 0.8 - 1e-9 <= nonbonded(film).getCutoffDistance()._value + 0.01 <= 0.485 * min(film.box) + 0.011


def test_atoms_are_partitioned(screen):
    n = len(screen.positions)
    assert sorted(np.concatenate([screen.surface, screen.polymer])) == list(range(n))
    assert sorted(np.concatenate(screen.chains)) == sorted(np.concatenate(screen.monomers)) == sorted(screen.polymer)
    assert len(screen.monomers) == 8 * len(screen.chains) == 80
    masses = [screen.system.getParticleMass(i)._value for i in range(n)]
    assert all(masses[i] == 0 for i in screen.slab)
    assert {masses[i] for i in screen.surface[len(screen.slab) :]} == {16.0}
    assert min(masses[i] for i in screen.polymer) == 3.0
    elements = [atom.element.symbol for atom in screen.topology.atoms()]
    assert all(elements[i] == "C" for backbone in screen.backbones for i in backbone)


def test_the_whole_is_neutral(screen):
    force = nonbonded(screen)
    charges = np.array([force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles())])
    assert abs(charges.sum()) < 1e-6
    assert abs(charges[screen.surface].sum()) < 1e-6
    z = screen.positions[screen.slab, 2]
    assert abs(charges[screen.slab] @ (z - (z.min() + z.max()) / 2)) < 0.05


def test_the_polymer_lies_between_the_slab_and_its_image(screen):
    z = screen.positions[screen.polymer, 2]
    assert screen.top < z.min() and z.max() < screen.bottom + screen.box[2]
    assert screen.slab_height == pytest.approx(screen.top - screen.bottom)
    hydrogens = screen.positions[screen.surface[len(screen.slab) :], 2]
    assert screen.top == pytest.approx(hydrogens.max(), abs=0.01)
    assert screen.bottom == pytest.approx(hydrogens.min(), abs=0.01)
    mass = 10 * (8 * 64.034 + 20.006)
    height = mass / (1.55 * 602.214 * screen.area) + 0.3
    assert screen.box[2] - screen.slab_height == pytest.approx(height, rel=1e-4)


def test_bonds_to_organic_hydrogen_are_constrained_and_the_slab_is_one_molecule(screen):
    hydrogens = 10 * 17
    assert screen.system.getNumConstraints() == hydrogens
    assert screen.flexible.getNumConstraints() == 0
    assert not any(isinstance(f, openmm.NonbondedForce) for f in screen.flexible.getForces())
    groups = {type(f).__name__: f.getForceGroup() for f in screen.system.getForces()}
    assert groups.pop("NonbondedForce") == 1 and set(groups.values()) == {0}
    made = openmm.Context(screen.system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    sizes = sorted(len(molecule) for molecule in made.getMolecules())
    assert sizes == [50] * 10 + [len(screen.surface)]


def test_the_density_of_hydroxyls_is_the_nearest_possible(screen):
    assert screen.provenance["hydroxyls_per_face"] == round(4.0 * screen.area)
    assert screen.provenance["hydroxyl_density_per_nm2"] == pytest.approx(4.0, abs=0.5 / screen.area)
    assert screen.dq == pytest.approx(0.00625)


@pytest.mark.parametrize("start", ["coil", "alpha"])
def test_same_seeds_same_film(start):
    first, second = (build_film({"start": start}, SIZES["smoke"], SEEDS) for _ in range(2))
    assert (first.positions == second.positions).all()
    to_xml = openmm.XmlSerializer.serialize
    assert to_xml(first.system) == to_xml(second.system)
    assert to_xml(first.flexible) == to_xml(second.flexible)
    assert first.provenance == second.provenance


def test_each_seed_moves_its_own_part():
    first = build_film({}, SIZES["smoke"], SEEDS)
    chains = build_film({}, SIZES["smoke"], Seeds(1, 9, 3))
    sites = build_film({}, SIZES["smoke"], Seeds(9, 2, 3))
    assert (first.positions[first.surface] == chains.positions[first.surface]).all()
    assert not np.allclose(first.positions[first.polymer], chains.positions[first.polymer])
    assert np.allclose(first.positions[first.polymer], sites.positions[first.polymer], atol=1e-9)
    assert not np.allclose(first.positions[first.surface], sites.positions[first.surface])


def test_forces_are_finite_and_energies_split_into_groups(screen):
    made = openmm.Context(
        screen.flexible, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    made.setPositions(screen.positions)
    state = made.getState(energy=True, forces=True)
    assert np.isfinite(state.getForces(asNumpy=True)._value).all()
    assert state.getPotentialEnergy()._value < 100 * len(screen.polymer)


@pytest.mark.parametrize("n", [8, 24])
def test_extended_chains_do_not_cross_one_another(n):
    film = build_film({"start": "beta", "chain_length": n}, SIZES["screen"], SEEDS)
    backbones = [film.positions[b] for b in film.backbones]
    nearest = []
    for i, first in enumerate(backbones):
        for second in backbones[:i]:
            apart = first[:, None] - second[None]
            apart -= np.round(apart / film.box) * film.box
            nearest.append(np.linalg.norm(apart, axis=-1).min())
    assert min(nearest) > 0.15


def test_a_layer_holds_what_its_winding_line_holds():
    lateral = (2.4, 1.92)  # four rows of hypot(2.4, 0.48) = 2.4475 nm
    assert layer_capacity(2.1, lateral) == int(4 * 2.4475 / 2.4)
    assert layer_capacity(9.0, lateral) == 1
    assert layer_capacity(9.6, lateral) == 0


def test_packing_turns_chains_onto_the_line():
    stick = np.column_stack([np.zeros(20), np.zeros(20), np.linspace(0, 2, 20)])
    placed = pack_extended([(stick, np.array([0, 0, 2.0]))] * 4, Gap((2.4, 1.92), 0.0, 1.0), np.random.default_rng(0))
    for x in placed:
        along = (x[-1] - x[0]) / np.linalg.norm(x[-1] - x[0])
        assert np.abs(along) == pytest.approx(np.array([2.4, 0.48, 0.0]) / np.hypot(2.4, 0.48), abs=1e-9)


def test_random_rotations_are_rotations_and_isotropic():
    rng = np.random.default_rng(0)
    turns = np.array([random_rotation(rng) for _ in range(2000)])
    assert np.linalg.det(turns) == pytest.approx(np.ones(2000))
    assert np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3))
    assert np.abs(turns.mean(axis=0)).max() < 0.06
    assert (turns[:, 2, 2] ** 2).mean() == pytest.approx(1 / 3, abs=0.03)


def test_chains_that_cannot_be_placed_say_so():
    ball = np.random.default_rng(1).normal(size=(50, 3))
    with pytest.raises(DoesNotFit, match="use shorter chains"):
        pack_coils(lambda chain, seed: ball, 2, Gap((2.0, 2.0), 0.0, 0.25), np.random.default_rng(0))


def test_designs_that_check_refuses_are_not_built():
    with pytest.raises(OracleFailure, match=re.escape("nearest neutral hydroxyl_density is 0.0 1/nm^2")) as failure:
        build_film({"termination": "tetrahedral", "hydroxyl_density": 5.0}, SIZES["screen"], SEEDS)
    assert failure.value.cause == "infeasible"


def test_a_film_of_a_sage_polymer(tmp_path):
    film = build_film({"polymer": "PEO", "chain_length": 6}, SIZES["smoke"], SEEDS, tmp_path)
    force = nonbonded(film)
    charges = [force.getParticleParameters(int(i))[0]._value for i in film.polymer]
    assert abs(sum(charges)) < 1e-9
    assert film.provenance["polymer_model"]["force_field"] == "openff-2.3.0.offxml"
    assert len(list(tmp_path.iterdir())) == 1
    k = next(k for k in range(force.getNumExceptions()) if force.getExceptionParameters(k)[4]._value > 0)
    i, j, qq, _, epsilon = force.getExceptionParameters(k)
    (qi, _, ei), (qj, _, ej) = force.getParticleParameters(i), force.getParticleParameters(j)
    assert qq._value == pytest.approx(qi._value * qj._value * 5 / 6)
    assert epsilon._value == pytest.approx(0.5 * np.sqrt(ei._value * ej._value))
