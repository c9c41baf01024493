"""Alkoxide ligands: where they stand, what they carry, that they hold, and what is refused."""

import time

import numpy as np
import openmm
import pytest

from oracles.openmm.build import feasible
from oracles.openmm.build.film import build_film
from oracles.openmm.build.hydroxyls import bound_metals
from oracles.openmm.build.ligands import alkoxide, capacity, layer_height, parametrise, spread_apart
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.build.slab import build_slab
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.pushoff import push_off

SEEDS = Seeds(surface=2, chains=102, velocities=202)
GRAFTED = {"oxide": "hematite", "ligand": "perfluoropropoxide", "ligand_density": 2.0, "hydroxyl_density": 1.0}
PER_FACE = 7
ATOMS = 10
"""C3F7: 3 carbons, 7 fluorines."""


@pytest.fixture(scope="module")
def film():
    return build_film(GRAFTED, SIZES["smoke"], SEEDS)


@pytest.fixture(scope="module")
def slab():
    return build_slab("hematite", "0001", "octahedral", SIZES["smoke"].lateral, SIZES["smoke"].slab_thickness)


def force_of(film, kind):
    (force,) = [f for f in film.system.getForces() if isinstance(f, kind)]
    return force


def charges(film):
    force = force_of(film, openmm.NonbondedForce)
    return np.array([force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles())])


def grafts(film):
    """(ligands, atoms) of R, and the slab's oxygen of each."""
    bodies = film.surface[len(film.slab) + 2 * film.provenance["hydroxyls_per_face"] :].reshape(-1, ATOMS)
    force = force_of(film, openmm.HarmonicBondForce)
    bonds = [force.getBondParameters(k) for k in range(force.getNumBonds())]
    anchor = {j: i for i, j, _, k in bonds if i < len(film.slab) <= j and k._value > 0}
    return bodies, np.array([anchor[body[0]] for body in bodies])


def apart(film, a, b):
    d = film.positions[a][:, None] - film.positions[b][None]
    d[..., :2] -= np.round(d[..., :2] / film.box[:2]) * film.box[:2]
    return d


def test_counts_and_places(film):
    bodies, anchors = grafts(film)
    assert film.provenance["ligands_per_face"] == PER_FACE == round(2.0 * film.area)
    assert len(bodies) == 2 * PER_FACE == len(set(anchors))
    assert len(film.positions) == film.topology.getNumAtoms() == feasible.atoms(GRAFTED, "smoke")
    assert not set(bodies.ravel()) & set(film.polymer)
    elements = [atom.element.symbol for atom in film.topology.atoms()]
    assert all("".join(elements[i] for i in body) == "CFFCFFCFFF" for body in bodies)
    middle = (film.top + film.bottom) / 2
    z = film.positions[bodies, 2]
    assert (z[:PER_FACE] > film.positions[anchors[:PER_FACE], None, 2]).all()
    assert (z[PER_FACE:] < film.positions[anchors[PER_FACE:], None, 2]).all()
    assert (film.positions[anchors[:PER_FACE], 2] > middle).all()
    assert not {i for i in film.slab if film.system.getParticleMass(int(i))._value}


def test_anchors_keep_their_distances(film):
    _, anchors = grafts(film)
    for face in (anchors[:PER_FACE], anchors[PER_FACE:]):
        between = np.linalg.norm(apart(film, face, face)[..., :2], axis=-1) + np.eye(PER_FACE)
        assert between.min() >= 0.45
    hydrogens = film.surface[len(film.slab) : len(film.slab) + 2 * film.provenance["hydroxyls_per_face"]]
    carriers = np.linalg.norm(apart(film, hydrogens, film.slab), axis=-1).argmin(axis=1)
    assert np.linalg.norm(apart(film, carriers, anchors), axis=-1).min() >= 0.26


def test_ligand_and_oxygen_are_neutral_and_so_is_the_whole(film):
    q = charges(film)
    bodies, anchors = grafts(film)
    assert q[bodies].sum(axis=1) + q[anchors] == pytest.approx(0.0, abs=1e-9)
    assert abs(q.sum()) < 1e-6
    expected = next(c.value for c in feasible.check(GRAFTED, "smoke") if c.name == "dq")
    assert film.dq == pytest.approx(expected)


def test_every_bound_metal_holds_an_angle_and_is_excluded(film, slab):
    bodies, anchors = grafts(film)
    force = force_of(film, openmm.HarmonicAngleForce)
    held = {tuple(force.getAngleParameters(k)[:3]) for k in range(force.getNumAngles())}
    pairs = force_of(film, openmm.NonbondedForce)
    products = {}
    for k in range(pairs.getNumExceptions()):
        i, j, product, _, epsilon = pairs.getExceptionParameters(k)
        products[i, j] = (product._value, epsilon._value)
    for body, anchor in zip(bodies.tolist(), anchors.tolist(), strict=True):
        metals = bound_metals(slab, anchor).tolist()
        assert metals
        assert all((metal, anchor, body[0]) in held for metal in metals)
        assert all(products[metal, body[0]] == (0.0, 0.0) for metal in metals)


def test_ligands_hold_through_two_hundred_steps(film):
    compute = choose("CPU")
    pushed = push_off(film, 150, 1, compute)
    engine = Engine(film, 400.0, compute, 1)
    engine.minimise(pushed, 100, 1)
    bodies, anchors = grafts(film)

    def bonds():
        x = engine.context.getState(positions=True).getPositions(asNumpy=True)._value
        assert np.isfinite(x).all()
        z = (x[bodies, 2] - film.bottom) % film.box[2]
        assert (z > film.slab_height - 0.15).all()  # none inside the slab
        return np.linalg.norm(x[bodies[:, 0]] - x[anchors], axis=-1)

    assert bonds().min() > 0.132 and bonds().max() < 0.163
    for step in (0.0005, 0.004):
        engine._integrator.setStepSize(step)
        engine.step(100)
        assert bonds().min() > 0.12 and bonds().max() < 0.18


def test_propoxide_hydrogens_are_constrained():
    film = build_film(
        {**GRAFTED, "ligand": "propoxide", "polymer": "PE", "hydroxyl_density": 0.0, "ligand_density": 0.5},
        SIZES["smoke"],
        SEEDS,
    )
    elements = [atom.element.symbol for atom in film.topology.atoms()]
    on_surface = {i for i in film.surface if elements[i] == "H"}
    constrained = {max(film.system.getConstraintParameters(k)[:2]) for k in range(film.system.getNumConstraints())}
    assert on_surface <= constrained
    assert {film.system.getParticleMass(int(i))._value for i in on_surface} == {3.0}
    made = openmm.Context(film.system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    assert max(len(molecule) for molecule in made.getMolecules()) == len(film.surface)


def test_the_gap_grows_by_the_ligands_room(film):
    bare = build_film({**GRAFTED, "ligand": "none", "ligand_density": 0.0}, SIZES["smoke"], SEEDS)
    assert film.box[2] - bare.box[2] == pytest.approx(film.ligand_height)
    assert film.ligand_height == pytest.approx(2 * PER_FACE / film.area * 169.02 / (1.68 * 602.214), rel=1e-3)
    assert bare.ligand_height == 0.0 and layer_height("propoxide", 2.0) > layer_height("propoxide", 1.0)
    assert len(bare.chains) == len(film.chains)
    layer = film.ligand_height / 2
    assert film.positions[film.polymer, 2].min() > film.top + layer


def test_same_seed_same_sites_another_seed_others(film):
    again = build_film(GRAFTED, SIZES["smoke"], SEEDS)
    assert (again.positions == film.positions).all()
    other = build_film(GRAFTED, SIZES["smoke"], Seeds(3, 102, 202))
    assert set(grafts(other)[1]) != set(grafts(film)[1])


def test_as_many_fit_as_promised(slab):
    most = capacity(slab)
    points = slab.positions[slab.upper, :2]
    sites = spread_apart(points, most, slab.lateral, np.random.default_rng(0))
    assert len(set(sites)) == most
    with pytest.raises(ValueError, match=f"room for {most}"):
        spread_apart(points, most + 1, slab.lateral, np.random.default_rng(0))
    # a square lattice of 0.297 nm: its diagonal is too short, every second site of each row fits
    square = build_slab("magnetite", "001", "octahedral", SIZES["smoke"].lateral, SIZES["smoke"].slab_thickness)
    assert len(square.upper) == 36 and capacity(square) == 9


def test_the_alkoxide_lacks_the_hydroxyl_hydrogen():
    kind, parameters = parametrise("propoxide", "clayff")
    assert [(r, k) for i, j, r, k in parameters.bonds if 0 in (i, j)] == [(0.141, 267776.0)]
    assert len(parameters.bonds) == len(kind.bonds) and parameters.charges.sum() == pytest.approx(0.0, abs=1e-9)
    assert sorted(alkoxide("propoxide").elements) == ["C"] * 3 + ["H"] * 7 + ["O"]
    assert alkoxide("propoxide").backbone.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("values", "name", "cure"),
    [
        ({"ligand": "unobtainium"}, "ligand", "none, propoxide, perfluoropropoxide"),
        ({"ligand": "propoxide"}, "ligand_density", "or ligand be none"),
        ({"ligand": "none", "ligand_density": 1.0}, "ligand_density", "[0, 0] 1/nm^2 where ligand is none"),
        ({"ligand": "propoxide", "ligand_density": 5.0}, "ligand_density", "2.84] 1/nm^2 (one ligand to 9"),
        ({"ligand": "propoxide", "ligand_density": 2.0, "hydroxyl_density": 11.0}, "hydroxyl_density", "9.46]"),
        (
            {
                "facet": "111",
                "termination": "oxygen",
                "hydroxyl_density": 0.0,
                "ligand": "propoxide",
                "ligand_density": 1.0,
            },
            "dq",
            "hydroxyl_density is 10.1 1/nm^2",
        ),
    ],
)
def test_refusals_name_the_cure(values, name, cure):
    refused = {c.name: c for c in feasible.check(values, "smoke") if not c.passed}
    assert set(refused) == {name}
    assert cure in refused[name].detail


def test_checks_of_ligands_are_quick():
    designs = [{**GRAFTED, "ligand_density": 0.2 + 0.002 * k, "ligand": "propoxide"} for k in range(500)]
    first = [feasible.check(design, "screen") for design in designs]
    began = time.process_time()
    assert [feasible.check(design, "screen") for design in designs] == first
    assert (time.process_time() - began) / len(designs) < 5e-3
