"""Ligands on whole particles: where they stand, what they carry, that polymer keeps clear of them, what is refused."""

import numpy as np
import openmm
import pytest

from oracles.openmm.build import feasible
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.feasible_particle import groups_of, particle_atoms, particle_of
from oracles.openmm.build.hydroxyls import hydroxyl_charge
from oracles.openmm.build.particle_hydroxyls import hydroxylate
from oracles.openmm.build.particle_ligands import add_ligands, capacity, choose, layer_thickness, open_sites
from oracles.openmm.build.size import Seeds, Size
from oracles.openmm.build.suspension import build_suspension
from oracles.openmm.observe.gates import MAX_SLAB_DIPOLE
from oracles.openmm.simulate.energy import charges
from oracles.openmm.simulate.fidelity import Fidelity, Stage
from oracles.openmm.simulate.platforms import choose as platform
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import Journal

TINY = Size(lateral=(0.0, 0.0), slab_thickness=0.0, gap=0.95, cutoff=0.8)
GRAFTED = {
    "particle_radius": 0.8,
    "chain_length": 4,
    "hydroxyl_density": 4.0,
    "ligand": "propoxide",
    "ligand_density": 1.2,
}
AREA = 4 * np.pi * 0.8**2
OWN = 10
"""Atoms of propoxide beyond its oxygen."""


@pytest.fixture(scope="module")
def tiny():
    return build_suspension(GRAFTED, TINY, Seeds(1, 2, 3), pvdf_model="byutner-smith")


def bodies(specimen):
    """(ligands, atoms) particles of the ligands, and the oxygen that each is bound by."""
    counts = specimen.provenance["atoms"]
    own = specimen.surface[counts["slab"] + counts["hydroxyl_hydrogens"] :].reshape(-1, OWN)
    joined = {(a.index, b.index) for a, b in specimen.topology.bonds()}
    anchors = [next(i for i, j in joined if j == body[0] and i < counts["slab"]) for body in own]
    return own, np.array(anchors)


def test_as_many_ligands_as_asked_for_each_bonded_to_an_oxygen_of_its_own(tiny):
    own, anchors = bodies(tiny)
    assert len(own) == 10 == round(1.2 * AREA) == tiny.provenance["ligands"]
    assert tiny.provenance["ligand_density_per_nm2"] == pytest.approx(10 / AREA)
    elements = [atom.element.symbol for atom in tiny.topology.atoms()]
    assert {elements[i] for i in anchors} == {"O"} and len(set(anchors)) == 10
    assert all("".join(elements[i] for i in body) == "CCCHHHHHHH" for body in own)
    assert particle_atoms(with_defaults(GRAFTED), TINY, "clayff") == len(tiny.positions)
    made = openmm.Context(tiny.system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    assert max(len(molecule) for molecule in made.getMolecules()) == len(tiny.surface)


def test_a_grafted_particle_is_neutral_and_a_ligand_counts_like_a_hydroxyl(tiny):
    q = charges(tiny.system)
    own, anchors = bodies(tiny)
    assert abs(q.sum()) < 1e-9 and tiny.slab_dipole < MAX_SLAB_DIPOLE
    assert q[own].sum(axis=1) + q[anchors] == pytest.approx(-0.525, abs=1e-9)
    more = with_defaults({**GRAFTED, "ligand": "none", "ligand_density": 0.0, "hydroxyl_density": 4.0 + 10 / AREA})
    bare = particle_of(more, "clayff")
    assert groups_of(more) == groups_of(with_defaults(GRAFTED)) + 10
    assert len(bare.elements) == len(tiny.slab)
    spread = -(bare.charges("clayff").sum() + groups_of(more) * hydroxyl_charge("clayff")) / len(bare.metals)
    assert tiny.dq == pytest.approx(spread)


def test_ligands_point_outwards_and_keep_apart(tiny):
    own, anchors = bodies(tiny)
    feet = tiny.positions[anchors] - tiny.centre
    normals = feet / np.linalg.norm(feet, axis=1)[:, None]
    first = tiny.positions[own[:, 0]] - tiny.positions[anchors]
    along = (first * normals).sum(axis=1)
    assert along == pytest.approx(np.linalg.norm(first, axis=1))
    between = np.linalg.norm(feet[:, None] - feet[None], axis=-1) + np.eye(len(feet))
    assert between.min() >= 0.45
    # spread over the whole sphere: every site has its image through the centre
    assert np.abs(feet.sum(axis=0)).max() < 1e-6
    counts = tiny.provenance["atoms"]
    hydrogens = tiny.positions[counts["slab"] : counts["slab"] + counts["hydroxyl_hydrogens"]]
    oxide = tiny.positions[tiny.slab]
    carriers = np.linalg.norm(hydrogens[:, None] - oxide[None], axis=-1).argmin(axis=1)
    assert np.linalg.norm(oxide[carriers][:, None] - tiny.positions[anchors][None], axis=-1).min() >= 0.26


def test_polymer_is_placed_clear_of_ligands_and_counted_from_where_they_end(tiny):
    own, _ = bodies(tiny)
    apart = tiny.positions[tiny.polymer][:, None] - tiny.positions[own.ravel()][None]
    apart -= np.round(apart / tiny.box) * tiny.box
    assert np.linalg.norm(apart, axis=-1).min() > 0.2
    bare = tiny.reaching - tiny.ligand_layer
    assert tiny.ligand_layer == pytest.approx(layer_thickness("propoxide", 10, bare))
    # 60 g/mol of the alcohol, a liquid of 0.80 g/cm^3
    volume = 4 / 3 * np.pi * (tiny.reaching**3 - bare**3) / 10
    assert 60.1 / (602.214 * volume) == pytest.approx(0.80, rel=0.15)
    assert tiny.reach(float(tiny.box[2]))[0] == -tiny.ligand_layer
    mass = (64.034 * 4 + 20.006) * len(tiny.chains)
    assert mass / (602.214 * tiny.packed_room) == pytest.approx(1.55, rel=1e-3)


def test_a_pair_of_oxygens_holds_a_head_that_binds_by_two():
    design = with_defaults({"oxide": "hematite", "particle_radius": 1.2, "ligand": "dopamine", "ligand_density": 1.0})
    particle = particle_of(design, "clayff")
    made = add_ligands(particle, "dopamine", 18, 6.0, 3)
    pairs = particle.positions[made.anchors]
    assert made.anchors.shape == (18, 2)
    assert ((d := np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1)) >= 0.25).all() and (d <= 0.31).all()
    tops = np.linalg.norm(made.positions, axis=-1).max(axis=1)
    assert (tops > np.linalg.norm(pairs.mean(axis=1), axis=1) + 0.6).all()
    heavy = np.array([e != "H" for e in made.kind.bound.elements[2:]])
    for k, x in enumerate(made.positions):
        others = np.concatenate([particle.positions, *np.delete(made.positions, k, axis=0)])
        assert np.linalg.norm(x[heavy][:, None] - others[None], axis=-1).min() > 0.12


def test_hydroxyls_make_up_for_the_dipole_of_ligands():
    design = with_defaults({"oxide": "hematite", "particle_radius": 1.0, "hydroxyl_density": 4.0})
    particle = particle_of(design, "clayff")
    site = open_sites(particle, "alkoxide")[:3]  # three ligands close together
    made = hydroxylate(particle, 40, "clayff", 1, site)
    assert not set(site.ravel()) & set(made.oxygens)
    q = particle.charges("clayff")
    moment = q @ particle.positions + 0.1 * particle.positions[made.oxygens].sum(0) + 0.425 * made.positions.sum(0)
    lopsided = 0.525 * particle.positions[site.ravel()].sum(axis=0)
    assert np.linalg.norm(lopsided) > 0.2
    assert np.linalg.norm(moment + lopsided) < 0.05


def test_as_many_fit_as_promised():
    particle = particle_of(with_defaults({"particle_radius": 1.2, "hydroxyl_density": 4.0}), "clayff")
    for head, anchors in (("alkoxide", 1), ("catechol", 2)):
        most = capacity(particle, head)
        chosen = choose(particle, head, most, np.random.default_rng(0))
        assert chosen.shape == (most, anchors) and len(set(chosen.ravel())) == most * anchors
        with pytest.raises(ValueError, match=f"room for {most}"):
            choose(particle, head, most + 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("changed", "name", "cure"),
    [
        ({"ligand_density": 6.0}, "ligand_density", "on the particle), or ligand be none"),
        ({"ligand_density": 0.01}, "ligand_density", "(2 ligands to "),
        ({"ligand": "CCP(=O)([OH:1])[OH:1]"}, "ligand", "apart and this surface has none"),
        ({"ligand": "C" * 160 + "C(=O)O", "ligand_density": 0.05}, "ligand_length", "use a shorter ligand"),
        (
            {"ligand": "OC(C)(C(C)(C)C)C(C)(C)C", "ligand_density": 2.7},
            "ligand_density",
            "even when upright; use fewer",
        ),
        ({"ligand_density": 2.0, "hydroxyl_density": 15.0}, "hydroxyl_density", "must lie in [0, 14.78]"),
    ],
)
def test_refusals_name_the_cure(changed, name, cure):
    good = {**GRAFTED, "particle_radius": 1.5, "chain_length": 16}
    assert all(check.passed for check in feasible.check(good, "production"))
    refused = {c.name: c.detail for c in feasible.check({**good, **changed}, "production") if not c.passed}
    assert set(refused) == {name}
    assert cure in refused[name]


def short(folder, specimen):
    stages = (Stage("ramp", 40, 0.5, 10.0, sample=20), Stage("press", 80, 2.0, 10.0, pressure=1.0, sample=20))
    production = Stage("production", 60, 4.0, 1.0, segment=20, sample=10)
    fidelity = Fidelity(1, 60, 100, stages, production, energy_every=2, view_every=3, nve=0)
    return Replica(specimen, fidelity, 400.0, 7, platform("CPU"), Journal(folder, {}))


@pytest.mark.slow
def test_a_grafted_particle_runs_and_goes_on_where_it_was_killed(tiny, tmp_path, kill_after):
    whole = short(tmp_path / "whole", tiny)
    whole.run()
    series = whole._journal.series("production")
    x = series["view"][-1].astype(float)
    own, anchors = bodies(tiny)
    assert np.linalg.norm(x[own[:, 0]] - x[anchors], axis=1) == pytest.approx(0.141, rel=0.15)
    assert np.linalg.norm(x[own.ravel()] - tiny.centre, axis=1).min() > 0.6
    assert np.isfinite(series["coulomb"]).all() and (series["lj"] < 0).all()
    assert abs(series["temperature"].mean() - 400) < 80
    assert series["height"] == pytest.approx(whole.heights[2:].mean())

    with kill_after(4):
        short(tmp_path / "cut", tiny).run()
    cut = short(tmp_path / "cut", tiny)
    cut.run()
    assert np.array_equal(cut._journal.series("production")["view"], series["view"])
