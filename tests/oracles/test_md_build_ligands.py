"""Ligands on a surface: where they stand, what they carry, that they hold, and what is refused."""

import time

import numpy as np
import openmm
import pytest

from oracles.openmm.build import feasible, sites
from oracles.openmm.build.film import build_film
from oracles.openmm.build.geometry import wrapped
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.ligands import add_ligands, layer_height, parametrise
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.build.slab import build_slab
from oracles.openmm.observe.gates import MAX_FORCE
from oracles.openmm.observe.observer import arrays
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


def test_a_ligand_has_the_charge_of_the_hydroxyl_it_replaces(film):
    q = charges(film)
    bodies, anchors = grafts(film)
    # CLAYFF: hydroxyl oxygen -0.95 and hydrogen 0.425
    assert q[bodies].sum(axis=1) + q[anchors] == pytest.approx(-0.525, abs=1e-9)
    assert film.provenance["anchor_charge_e"] == pytest.approx(q[anchors].mean())
    assert abs(q.sum()) < 1e-6
    more_hydroxyls = {**GRAFTED, "ligand": "none", "ligand_density": 0.0, "hydroxyl_density": 3.0}
    for values in (GRAFTED, more_hydroxyls):
        assert film.dq == pytest.approx(next(c.value for c in feasible.check(values, "smoke") if c.name == "dq"))


def test_provenance_says_how_the_ligand_is_bound_and_whose_numbers_it_has(film):
    told = film.provenance["ligand"]
    assert told["head"] == "alkoxide" and told["smiles"] == "OC(F)(F)C(F)(F)C(F)(F)F"
    assert "hydroxyl groups they replace" in told["charge_rule"]
    assert "choice" in told["binding"] and told["force_field"].startswith("openff")


def test_every_bound_metal_holds_an_angle_and_half_its_charge(film, slab):
    bodies, anchors = grafts(film)
    force = force_of(film, openmm.HarmonicAngleForce)
    held = {tuple(force.getAngleParameters(k)[:3]) for k in range(force.getNumAngles())}
    pairs, q = force_of(film, openmm.NonbondedForce), charges(film)
    products = {}
    for k in range(pairs.getNumExceptions()):
        i, j, product, _, epsilon = pairs.getExceptionParameters(k)
        products[i, j] = (product._value, epsilon._value)
    for body, anchor in zip(bodies.tolist(), anchors.tolist(), strict=True):
        metals = slab.bound_metals(anchor).tolist()
        assert metals
        assert all((metal, anchor, body[0]) in held for metal in metals)
        assert all(products[metal, body[0]] == pytest.approx((q[metal] * q[body[0]] / 2, 0.0)) for metal in metals)


def test_a_push_off_leaves_heads_where_they_stand():
    film = build_film({**GRAFTED, "ligand": "aminopropylsilane"}, SIZES["smoke"], SEEDS)
    pushed = push_off(film, 50, 1, choose("CPU"))
    kind, grafted = ligand("aminopropylsilane"), len(film.slab) + 2 * film.provenance["hydroxyls_per_face"]
    bodies = np.arange(grafted, film.surface[-1] + 1).reshape(-1, kind.own)
    still = (pushed[bodies] == film.positions[bodies]).all(axis=2)
    assert (still == still[0]).all()
    elements = [kind.bound.elements[kind.binds + i] for i in np.flatnonzero(still[0])]
    # Si, two OH, CH2, and the carbon after it; of the tail, nitrogen and the rest move
    assert sorted(elements) == ["C", "C", "H", "H", "H", "H", "O", "O", "Si"]
    depth = film.positions[film.slab, 2].max() - pushed[bodies[: len(bodies) // 2], 2]
    assert depth.max() < 0.0  # nothing is pressed into the slab


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

    assert bonds().min() > 0.132 and bonds().max() < 0.17  # its rest length is 0.141: see coulomb13
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
    # 186 g/mol of the alcohol; perfluorinated liquids have 1.6 to 1.8 g/cm^3
    volume = film.ligand_height * film.area / (2 * PER_FACE)
    assert 1.6 < 186.02 / (volume * 602.214) < 1.8
    assert film.gap(film.box[2]) == pytest.approx(bare.gap(bare.box[2]))
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
    for head, anchors in (("alkoxide", 1), ("catechol", 2)):
        most = sites.capacity(slab, head)
        chosen = sites.choose(slab, slab.upper, head, most, np.random.default_rng(0))
        assert chosen.shape == (most, anchors) and len(set(chosen.ravel())) == most * anchors
        with pytest.raises(ValueError, match=f"room for {most}"):
            sites.choose(slab, slab.upper, head, most + 1, np.random.default_rng(0))
    # a square lattice of 0.297 nm: its diagonal is too short, every second site of each row fits
    square = build_slab("magnetite", "001", "octahedral", SIZES["smoke"].lateral, SIZES["smoke"].slab_thickness)
    assert len(square.upper) == 36 and sites.capacity(square, "carboxylate") == 9


def test_bidentate_heads_stand_on_pairs_that_suit_them(slab):
    pairs = sites.sites(slab, slab.upper, "bridging phosphonate")
    between = wrapped(slab.positions[pairs[:, 0]] - slab.positions[pairs[:, 1]], slab.lateral)
    assert np.linalg.norm(between, axis=1) == pytest.approx(0.267, abs=1e-3)  # the short edges of hematite's octahedra
    # and none shares an iron that stands out of the oxygens' plane, where the head has to go
    top = slab.positions[slab.metals[np.argmax(slab.positions[slab.metals, 2])], 2]
    out = [m for m in slab.metals if slab.positions[m, 2] > top - 0.01]
    for pair in sites.sites(slab, slab.upper, "catechol"):
        assert not {m for m in out if m in slab.bound_metals(pair[0])} & set(slab.bound_metals(pair[1]))
    chosen = sites.choose(slab, slab.lower, "catechol", 3, np.random.default_rng(1))
    for k in range(3):
        others = slab.positions[np.delete(chosen, k, axis=0).ravel()]
        for anchor in slab.positions[chosen[k]]:
            flat = wrapped(others - anchor, slab.lateral)[:, :2]
            assert np.linalg.norm(flat, axis=1).min() >= 0.45


def test_ligands_start_clear_of_slab_and_of_each_other(slab):
    made = add_ligands(slab, "hexanoate", 6, 1.8, 5)
    assert made.positions.shape == (12, 18, 3)
    heavy = np.array([e != "H" for e in made.kind.bound.elements[1:]])
    heavy[made.kind.holders[0] - 1] = False
    for k, x in enumerate(made.positions):
        around = np.concatenate([slab.positions, *np.delete(made.positions, k, axis=0)[:, heavy]])
        apart = wrapped(x[heavy][:, None] - around[None], slab.lateral)
        assert np.linalg.norm(apart, axis=-1).min() > 0.1


BOUND = {
    "hexanoate": {("O", "C"): 0.134, ("O", "C", "O"): 120.0},
    "octylphosphonate": {("O", "P"): 0.161, ("O", "P", "O"): 112.0},
    "CCCP(=O)([OH:1])[OH:1]": {("O", "P"): 0.161, ("O", "P", "O"): 105.0},
    "dopamine": {("O", "C"): 0.137, ("O", "C", "C"): 120.0},
    "aminopropylsilane": {("O", "Si"): 0.166, ("O", "Si", "O"): 110.0},
}
"""Lengths (nm) and angles (degrees) at the bound head: esters, phosphonic acids, phenols and silanols in general."""


@pytest.mark.parametrize("name", BOUND)
def test_a_bound_head_relaxes_to_its_shape(name):
    film = build_film({**GRAFTED, "ligand": name, "ligand_density": 1.2}, SIZES["smoke"], SEEDS)
    compute = choose("CPU")
    engine = Engine(film, 400.0, compute, 1)
    engine.minimise(push_off(film, 100, 1, compute), 300, 1)
    x, forces = arrays(engine.context, "positions", "forces")
    mobile = np.array([film.system.getParticleMass(i)._value > 0 for i in range(len(x))])
    assert np.linalg.norm(forces[mobile], axis=1).max() < MAX_FORCE
    force = force_of(film, openmm.HarmonicBondForce)
    grafted = len(film.slab) + 2 * film.provenance["hydroxyls_per_face"]
    bonds = [force.getBondParameters(k)[:2] for k in range(force.getNumBonds())]
    at = {anchor: first for anchor, first in bonds if anchor < len(film.slab) and grafted <= first <= film.surface[-1]}
    assert len(at) == 2 * film.provenance["ligands_per_face"] * ligand(name).binds
    length, angle = BOUND[name].values()
    bent = []
    for anchor, first in at.items():
        arm = wrapped(x[anchor] - x[first], tuple(film.box[:2]))
        assert np.linalg.norm(arm) == pytest.approx(length, rel=0.1)
        for pair in bonds:
            if first in pair and anchor not in pair:
                leg = wrapped(x[sum(pair) - first] - x[first], tuple(film.box[:2]))
                bent.append(np.degrees(np.arccos(arm @ leg / np.linalg.norm(arm) / np.linalg.norm(leg))))
    assert np.mean(bent) == pytest.approx(angle, abs=8.0)
    middle = (film.top + film.bottom) / 2
    assert all((x[first][2] > x[anchor][2]) == (x[anchor][2] > middle) for anchor, first in at.items())


def test_ligands_across_the_edge_of_the_cell_feel_the_same(slab):
    """Moving the slab by a whole period leaves every energy as it was."""
    film = build_film({**GRAFTED, "ligand": "dopamine", "ligand_density": 1.2}, SIZES["smoke"], SEEDS)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(film.system, openmm.VerletIntegrator(0.001), platform)
    energies = []
    for shift in (0.0, film.box[0]):
        moved = film.positions.copy()
        moved[film.slab, 0] += shift
        context.setPositions(moved)
        energies.append([context.getState(energy=True, groups={group}).getPotentialEnergy()._value for group in (0, 1)])
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


def test_nothing_joins_polymer_and_surface(film):
    pairs, polymer = force_of(film, openmm.NonbondedForce), set(film.polymer.tolist())
    joined = [pairs.getExceptionParameters(k)[:2] for k in range(pairs.getNumExceptions())]
    assert all((i in polymer) == (j in polymer) for i, j in joined)


def test_binding_takes_the_hydrogen_and_nothing_else():
    kind, parameters = parametrise("propoxide")
    assert len(parameters.bonds) == len(kind.bound.bonds)
    assert parameters.charges.sum() == pytest.approx(0.0, abs=1e-9)
    assert sorted(kind.bound.elements) == ["C"] * 3 + ["H"] * 7 + ["O"]
    # the charges of formate on magnetite: Guersoy et al. 2025
    kind, parameters = parametrise("hexanoate")
    carbon = kind.holders[0]
    (free,) = (j for j in kind.bound.neighbours[carbon] if kind.bound.elements[j] == "O" and j >= kind.binds)
    assert parameters.charges[[carbon, free]].tolist() == [0.731, -0.804]


@pytest.mark.parametrize(
    ("values", "name", "cure"),
    [
        ({"ligand": "unobtainium"}, "ligand", "none, propoxide, perfluoropropoxide"),
        ({"ligand": "OCC(=O)O"}, "ligand", "mark what binds"),
        (
            {"ligand": "CCP(=O)([OH:1])[OH:1]", "ligand_density": 1.0},
            "ligand",
            "oxygens 0.24 to 0.275 nm apart and this surface has none",
        ),
        (
            {"ligand": "OC(C)(C(C)(C)C)C(C)(C)C", "ligand_density": 2.8},
            "ligand_density",
            "even when upright; use fewer",
        ),
        ({"ligand": "C" * 80 + "C(=O)O", "ligand_density": 0.4}, "ligand_length", "use a shorter ligand"),
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
            "hydroxyl_density is 11.2 1/nm^2",
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
