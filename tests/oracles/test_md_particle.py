"""Whole particles: cut, hydroxylated and neutral, with polymer around them; counted by hand where that can be done."""

import numpy as np
import openmm
import pytest

from loop.types import OracleFailure
from oracles.openmm import OpenMMOracle
from oracles.openmm.build import feasible
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.feasible_particle import groups_of, particle_of
from oracles.openmm.build.geometry import from_sphere
from oracles.openmm.build.hydroxyls import hydroxyl_charge
from oracles.openmm.build.particle import build_particle
from oracles.openmm.build.particle_hydroxyls import hydroxylate
from oracles.openmm.build.size import Seeds, Size
from oracles.openmm.build.suspension import build_suspension
from oracles.openmm.listing import materials
from oracles.openmm.materials import catalogue
from oracles.openmm.observe.observer import Observer
from oracles.openmm.observe.profiles import bins
from oracles.openmm.simulate.dispersion import ShellTail
from oracles.openmm.simulate.energy import charges

TINY = Size(lateral=(0.0, 0.0), slab_thickness=0.0, gap=0.95, cutoff=0.8)
VALUES = {"particle_radius": 0.9, "chain_length": 6}


@pytest.fixture(scope="module")
def tiny():
    return build_suspension(VALUES, TINY, Seeds(1, 2, 3), pvdf_model="byutner-smith")


def test_a_ball_of_periclase_is_the_shells_of_its_lattice():
    # magnesium on an fcc lattice of half-edge 0.21056 nm: n^2 = 0, 2, 4, ... 18 lie within 0.9 nm
    full = build_particle("periclase", 0.9)
    assert len(full.metals) == 1 + 12 + 6 + 24 + 12 + 24 + 8 + 48 + 6 + 36 == 177
    assert set(full.coordination[full.metals]) == {6}
    r = np.linalg.norm(full.positions, axis=1)
    assert r[full.metals].max() == pytest.approx(0.21056 * 18**0.5) and r.max() < 0.9 + 0.211


@pytest.mark.parametrize("oxide", catalogue.data("oxides"))
def test_balls_keep_their_oxygens_and_are_balanced(oxide):
    full = build_particle(oxide, 1.0)
    metals = full.coordination[full.metals]
    assert set(metals) == ({4, 6} if oxide == "magnetite" else {4} if oxide in ("quartz", "cristobalite") else {6})
    assert abs(np.linalg.norm(full.positions[full.exposed], axis=1).mean() - 1.0) < 0.05
    density = len(full.exposed) / full.area
    assert (7 if set(metals) == {4} else 13) < density < 23
    if oxide not in ("quartz", "cristobalite"):  # crystals without a centre of inversion
        assert full.dipole("minff") < 1e-6


@pytest.mark.parametrize(
    ("oxide", "formal", "density"),
    [
        ("hematite", {"Fe": 3}, 4.0),
        ("periclase", {"Mg": 2}, 8.0),
        ("rutile", {"Ti": 4}, 0.0),
        ("corundum", {"Al": 3}, 2.0),
    ],
)
def test_left_out_oxygens_make_the_wanted_hydroxyls_neutral(oxide, formal, density):
    design = with_defaults({"oxide": oxide, "particle_radius": 1.2, "hydroxyl_density": density})
    cut, groups = particle_of(design, "minff"), groups_of(design)
    assert abs(groups - density * 4 * np.pi * 1.2**2) <= 1
    metals = sum(formal.get(element, 0) for element in cut.elements)
    oxygens = sum(element == "O" for element in cut.elements)
    assert abs(metals + groups - 2 * oxygens) <= 2  # oxygens leave in pairs
    assert set(cut.coordination[cut.metals]) <= {4, 5, 6}
    assert cut.dipole("minff") < 1e-6
    assert len(cut.exposed) > groups


def test_silicon_keeps_its_oxygens_and_every_dangling_one_is_a_silanol():
    design = with_defaults({"oxide": "quartz", "particle_radius": 1.0, "hydroxyl_density": 8.6})
    cut = particle_of(design, "minff")
    assert set(cut.coordination[cut.metals]) == {4}
    assert len(cut.exposed) == groups_of(design) == 108
    assert cut.charges("minff").sum() + 108 * hydroxyl_charge("minff") == pytest.approx(0.0, abs=1e-9)


def test_hydroxyls_sit_on_the_least_bound_oxygens_and_leave_no_dipole():
    design = with_defaults({"particle_radius": 1.0, "hydroxyl_density": 6.0})
    cut, groups = particle_of(design, "clayff"), groups_of(design)
    first, second = (hydroxylate(cut, groups, "clayff", seed) for seed in (1, 2))
    assert len(first.oxygens) == groups == 76
    bound = cut.coordination[first.oxygens]
    left = np.setdiff1d(cut.exposed, first.oxygens)
    assert bound.max() <= cut.coordination[left].min()
    apart = first.positions - cut.positions[first.oxygens]
    assert np.linalg.norm(apart, axis=1) == pytest.approx(np.full(groups, 0.1))
    assert ((apart * cut.positions[first.oxygens]).sum(axis=1) > 0).all()
    assert len(first.angles) == bound.sum()
    assert set(first.oxygens) != set(second.oxygens)
    again = hydroxylate(cut, groups, "clayff", 1)
    assert np.array_equal(first.oxygens, again.oxygens)
    q = cut.charges("clayff")
    moment = q @ cut.positions + 0.1 * cut.positions[first.oxygens].sum(0) + 0.425 * first.positions.sum(0)
    assert np.linalg.norm(moment) < 0.05


def test_a_suspension_is_neutral_and_its_polymer_outside(tiny):
    assert len(tiny.positions) == tiny.system.getNumParticles() == tiny.topology.getNumAtoms() < 1500
    assert abs(charges(tiny.system).sum()) < 1e-9 and abs(tiny.dq) < 0.1 and tiny.slab_dipole < 0.05
    assert sorted(np.concatenate([tiny.surface, tiny.polymer])) == list(range(len(tiny.positions)))
    assert np.ptp(tiny.box) == 0.0
    d, normals = tiny.distances(tiny.positions[None, tiny.polymer], tiny.box[2:], np.zeros((1, 3)))
    assert d.min() > 0.1 and np.linalg.norm(normals, axis=-1) == pytest.approx(1.0)
    masses = [tiny.system.getParticleMass(i)._value for i in tiny.slab]
    assert set(masses) == {0.0}
    mass = 64.034 * 6 * len(tiny.chains) + 20.006 * len(tiny.chains)
    assert mass / (602.214 * tiny.packed_room) == pytest.approx(1.55, rel=1e-3)
    shell = tiny.volume(np.array([0.5])) - tiny.volume(np.array([0.1]))
    assert shell == pytest.approx(4 / 3 * np.pi * ((tiny.reaching + 0.5) ** 3 - (tiny.reaching + 0.1) ** 3))


def test_a_barostat_and_a_change_of_box_move_particle_and_chains_as_rigid_bodies(tiny):
    made = openmm.Context(tiny.system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    molecules = sorted(len(molecule) for molecule in made.getMolecules())
    assert molecules == sorted([len(tiny.surface), *(len(chain) for chain in tiny.chains)])
    moved = tiny.rescaled(tiny.positions, tiny.box[2], 1.05 * tiny.box[2])
    assert np.array_equal(moved[tiny.surface], tiny.positions[tiny.surface])
    for chain in tiny.chains:
        before, after = tiny.positions[chain], moved[chain]
        assert after - after.mean(0) == pytest.approx(before - before.mean(0))
        old, new = before.mean(0) - tiny.centre, after.mean(0) - tiny.centre
        assert new == pytest.approx(1.05 * (old - np.round(old / tiny.box) * tiny.box))


def test_distances_from_a_sphere_are_those_of_the_nearest_image():
    x = np.array([[[1.0, 1.0, 2.5], [9.5, 1.0, 1.0]]])
    d, normals = from_sphere(x, np.array([[1.0, 1.0, 1.0]]), 0.9, np.array([10.0]))
    assert d[0] == pytest.approx([0.6, 0.6])
    assert normals[0] == pytest.approx(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]]))


@pytest.mark.parametrize("distance", [1.2, 1.6, 2.4])
def test_the_tail_of_a_particle_is_the_pair_sum_beyond_the_cutoff(distance):
    ball = build_particle("periclase", 1.0)
    n, edge, cutoff, switch = len(ball.elements), 12.0, 0.8, 0.7
    system, force = openmm.System(), openmm.NonbondedForce()
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(cutoff)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(switch)
    for _ in range(n + 1):
        system.addParticle(1.0)
        force.addParticle(0.0, 0.3, 0.6)
    system.addForce(force)
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(400, 3))
    points = distance * directions / np.linalg.norm(directions, axis=1)[:, None]
    r = np.linalg.norm(points[:, None] - ball.positions[None], axis=-1)
    x = np.clip((r - switch) / (cutoff - switch), 0, 1)
    missing = -4 * 0.6 * 0.3**6 * ((6 * x**5 - 15 * x**4 + 10 * x**3) / r**6).sum(axis=1).mean()
    tail = ShellTail(system, np.array([n]), np.full(3, edge), -ball.positions[0])
    found = tail(np.concatenate([ball.positions, [[distance, 0.0, 0.0]]]))
    assert found == pytest.approx(missing, rel=0.03)


def test_observables_of_a_particle_go_along_the_radius(tiny):
    observer, edge = Observer(tiny), float(tiny.box[2])
    shifted = tiny.positions + np.array([0.3, -0.2, 0.1])  # as a barostat may move the whole
    found = observer.series(shifted[None], np.array([edge]))
    masses = np.array([atom.element.mass._value for atom in tiny.topology.atoms()])
    q = charges(tiny.system)
    count, outward, reached = 0, 0.0, []
    for unit in tiny.monomers:
        x, m = tiny.positions[unit], masses[unit]
        com = (m[:, None] * x).sum(0) / m.sum()
        apart = com - tiny.centre
        apart -= edge * np.round(apart / edge)
        r = np.linalg.norm(apart)
        reached.append(r - tiny.reaching)
        if r < tiny.reaching + 0.38:
            count += 1
            outward += float(q[unit] @ (x - com) @ apart / r) / 0.0208194
    assert count > 20 and found["count"][0] == count
    assert found["dipole"][0] == pytest.approx(outward)
    assert found["deepest"][0] == pytest.approx(min(reached))
    assert 0 < found["count_lower"][0] < count


def test_profiles_leave_the_corners_of_the_cube_out(tiny):
    edge = float(tiny.box[2])
    found = Observer(tiny).profiles(tiny.positions[None], np.array([edge]))
    d = tiny.distances(tiny.positions[None, tiny.polymer], np.array([edge]), np.zeros((1, 3)))[0][0]
    masses = np.array([atom.element.mass._value for atom in tiny.topology.atoms()])[tiny.polymer]
    within = d < edge / 2 - tiny.reaching
    assert 0.1 < within.mean() < 0.9
    assert found["profile_mass"].sum() == pytest.approx(masses[within].sum())
    assert bins(tiny, edge).volumes.sum() == pytest.approx(
        4 / 3 * np.pi * ((edge / 2) ** 3 - (tiny.reaching + bins(tiny, edge).edges[0]) ** 3)
    )


def failed(values, fidelity="production", **keys):
    return {c.name: c.detail for c in feasible.check(values, fidelity, **keys) if not c.passed}


def test_particles_are_refused_where_they_cannot_be_built():
    good = {"particle_radius": 1.5, "chain_length": 24, "hydroxyl_density": 4.0}
    assert failed(good) == {} and failed({**good, "particle_radius": 0.0}) == {}
    assert "production" in failed(good, "standard")["particle_fidelity"]
    assert "[0.8, 3]" in failed({**good, "particle_radius": 0.5})["particle_radius"]
    assert "number" not in failed({**good, "particle_radius": "big"}) and failed({**good, "particle_radius": "big"})
    assert "coil" in failed({**good, "start": "beta"})["start"]
    assert "hydroxyl_density" in failed({**good, "hydroxyl_density": 30.0})
    quartz = failed({**good, "oxide": "quartz", "hydroxyl_density": 2.0}, oxide_model="minff")
    assert "8.2" in quartz["dq"]
    # facets mean nothing to a particle
    assert failed({**good, "oxide": "rutile", "facet": "nonsense"}, oxide_model="minff") == {}
    with pytest.raises(OracleFailure, match="hydroxyl_density"):
        build_suspension({**VALUES, "hydroxyl_density": 40.0}, TINY, Seeds(1, 2, 3))


def test_particles_are_listed_with_the_densities_that_leave_them_neutral():
    rows = {row["oxide"]: row for row in materials()["particles"]["rows"]}
    assert set(rows) == set(catalogue.data("oxides"))
    assert rows["hematite"]["neutral_from"] == 0.0
    assert rows["quartz"]["neutral_from"] == rows["quartz"]["neutral_to"] == rows["quartz"]["hydroxyl_sites"]
    assert 4 < rows["magnetite"]["neutral_from"] < 5 and rows["magnetite"]["metals"] == 576


def test_particles_are_priced_and_film_observables_refused():
    from loop import Design

    particle, film = Design({"particle_radius": 1.5, "chain_length": 24}), Design({"chain_length": 24})
    oracle = OpenMMOracle(observables=["field_response"])
    assert OpenMMOracle().cost(particle, "production") > 2 * OpenMMOracle().cost(film, "production") > 0
    assert 4e4 < feasible.atoms(particle.values, "production") < 8e4
    assert [c.name for c in oracle.check(particle, "production") if not c.passed] == ["field_response"]
    assert all(c.passed for c in OpenMMOracle().check(particle, "production"))
