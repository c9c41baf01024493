"""Profiles of configurations placed by hand: densities, dipoles and order that are known."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import openmm
import pytest
from openmm import app

from loop import Design
from oracles.openmm import OpenMMOracle
from oracles.openmm.build.film import Film
from oracles.openmm.observe import answer, interphase
from oracles.openmm.observe.observer import Observer
from oracles.openmm.observe.profiles import BIN, amount, bins, block_ratio, profiles
from oracles.openmm.observe.statistics import Equilibration
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.segments import Journal

SLAB, LATERAL, FRAMES = 0.4, 2.0, 10
CARBON, G_CM3 = 12.01078, 1.66053906660e-3
WHOLE_RUN = Equilibration(0.0, 0.0, 100.0)


def film(atoms, gap=3.0, ligands=0.0, unit=1, charges=None, backbones=()):
    """A slab of two atoms with its faces at z = -0.4 and 0, and carbons in the `gap` above it in units of so many."""
    system, nonbonded, topology = openmm.System(), openmm.NonbondedForce(), app.Topology()
    chain = topology.addChain()
    residue = topology.addResidue("ALL", chain)
    for atom in range(atoms + 2):
        system.addParticle(0.0 if atom < 2 else 12.0)
        nonbonded.addParticle(0.0 if charges is None or atom < 2 else charges[atom - 2], 0.3, 0.0)
        topology.addAtom("C", app.element.carbon, residue)
    system.addForce(nonbonded)
    positions = np.zeros((atoms + 2, 3))
    positions[0, 2] = -SLAB
    own = np.arange(2, atoms + 2)
    left_out = dict.fromkeys(field.name for field in dataclasses.fields(Film))
    given = {
        "system": system,
        "topology": topology,
        "positions": positions,
        "box": np.array([LATERAL, LATERAL, SLAB + gap + ligands]),
        "slab": np.arange(2),
        "polymer": own,
        "monomers": tuple(own.reshape(-1, unit)),
        "backbones": tuple(np.asarray(chain) + 2 for chain in backbones),
        "top": 0.0,
        "bottom": -SLAB,
        "area": LATERAL**2,
        "slab_height": SLAB,
        "ligand_height": ligands,
    }
    return Film(**{**left_out, **given})


def observed(film, polymer):
    """Series of polymer positions (atoms, 3), the same in all frames, or (frames, atoms, 3)."""
    frames = np.broadcast_to(polymer, (FRAMES, *np.shape(polymer)[-2:]))
    positions = np.concatenate([np.broadcast_to(film.positions[:2], (FRAMES, 2, 3)), frames], axis=1)
    heights = np.full(FRAMES, film.box[2])
    return {**Observer(film).profiles(positions, heights), "height": heights}


def at_heights(z):
    rng = np.random.default_rng(3)
    return np.column_stack([rng.uniform(0, LATERAL, (len(z), 2)), z])


def found(film, polymer):
    return {one["name"]: one for one in profiles(film, observed(film, polymer), WHOLE_RUN)}


def test_a_uniform_gas_has_the_same_density_everywhere():
    z = (np.arange(120) + 0.5) * 3.0 / 120
    gas = film(120)
    density = found(gas, at_heights(z))["density"]
    inside = np.array(density["axis"]["values"]) > 0
    assert inside.sum() == 30
    assert np.array(density["values"])[inside] == pytest.approx(G_CM3 * 120 * CARBON / (LATERAL**2 * 3.0), rel=1e-5)
    assert np.array(density["values"])[~inside].tolist() == [0.0] * 6
    assert density["errors"] == [0.0] * 36
    assert (density["unit"], density["axis"]["unit"]) == ("g/cm^3", "nm")


def test_a_layer_at_one_distance_of_either_face_is_one_bin():
    layer = film(5)
    density = found(layer, at_heights([0.32, 0.33, 2.68, 2.67, 2.66]))["density"]
    values = dict(zip(density["axis"]["values"], density["values"], strict=True))
    assert values.pop(0.325) == pytest.approx(G_CM3 * 5 * CARBON / (2 * LATERAL**2 * BIN), rel=1e-5)
    assert set(values.values()) == {0.0}


def test_the_integral_of_the_density_is_the_mass_whatever_the_height_of_the_gap():
    rng = np.random.default_rng(5)
    for gap in (1.31, 3.0, 3.33):
        some = film(40, gap)
        z = rng.uniform(-SLAB, gap, 40)  # some of it inside the slab
        series = observed(some, at_heights(z))
        cut = bins(some, some.box[2])
        assert cut.edges[-1] == pytest.approx(gap / 2) and np.diff(cut.edges)[:-1] == pytest.approx(BIN)
        density = series["profile_mass"] / cut.volumes
        assert density @ np.diff(cut.edges) * 2 * LATERAL**2 == pytest.approx(40 * CARBON)
        assert series["profile_monomers"].sum(1) == pytest.approx(40)


@pytest.mark.parametrize(
    ("chord", "expected"), [((0, 0, 0.3), 1.0), ((0.3, 0, 0), -0.5), ((0, 0.2, 0.2), 0.25), ((0.1, 0.1, 0.1), 0.0)]
)
def test_order_of_chords(chord, expected):
    """P2 is 1 along the normal, -1/2 across it, (3/2 - 1)/2 at 45 degrees and 0 at the magic angle."""
    chain = film(4, backbones=[range(4)])
    first = np.array([1.0, 1.0, 0.41])
    bent = np.cross(chord, [0.3, -0.2, 0.5])
    polymer = [first, first + bent, first + chord + bent, first + chord]
    order = found(chain, polymer)["order"]
    middle = 0.41 + chord[2] / 2
    assert order["axis"]["values"] == [pytest.approx(np.floor(middle / BIN) * BIN + BIN / 2)]
    assert order["values"] == [pytest.approx(expected, abs=1e-9)]


def test_trans_fraction_is_that_of_the_dihedrals_nearby():
    """A trans dihedral near the lower face, a cis one in the middle."""
    chains = film(8, backbones=[range(4), range(4, 8)])
    trans = np.add([0.5, 0.5, 0.3], [[0, 0, 0], [0.1, 0, 0.1], [0.2, 0, 0], [0.3, 0, 0.1]])
    cis = np.add([0.5, 0.5, 1.1], [[0, 0, 0], [0.1, 0, 0.1], [0.2, 0, 0.1], [0.3, 0, 0]])
    profile = found(chains, np.concatenate([trans, cis]))["trans_fraction"]
    assert profile["axis"]["values"] == pytest.approx([0.375, 1.125])
    assert profile["values"] == [1.0, 0.0]


def test_a_dipole_that_points_away_from_the_oxide_is_positive_at_both_faces():
    """The positive end 0.1 nm farther from its face, 0.5 e: 0.05 e nm."""
    pairs = film(6, unit=2, charges=[-0.5, 0.5] * 3)
    polymer = at_heights([0.32, 0.42, 2.68, 2.58, 1.47, 1.37])
    profile = found(pairs, polymer)
    debye = 0.05 / 0.0208194
    values = dict(zip(profile["dipole"]["axis"]["values"], profile["dipole"]["values"], strict=True))
    assert values == {0.375: pytest.approx(debye, rel=1e-5), 1.425: pytest.approx(-debye, rel=1e-5)}
    density = dict(zip(profile["dipole_density"]["axis"]["values"], profile["dipole_density"]["values"], strict=True))
    assert density[0.375] == pytest.approx(2 * debye / (2 * LATERAL**2 * BIN), rel=1e-5)
    assert density[0.675] == 0.0


def test_what_was_shifted_or_sits_in_another_image_counts_alike():
    rng = np.random.default_rng(8)
    chains = film(24, 2.87, unit=4, charges=rng.normal(size=24), backbones=np.arange(24).reshape(6, 4))
    polymer = at_heights(rng.uniform(0, 2.87, 6).repeat(4)) + rng.normal(scale=0.05, size=(24, 3))
    here = observed(chains, polymer)
    images = polymer + (rng.integers(-2, 3, (6, 3)) * chains.box).repeat(4, axis=0)
    for name, values in observed(chains, images).items():
        np.testing.assert_allclose(values, here[name], atol=1e-9)
    moved = np.array([0.7, -0.3, 1.9]) + np.concatenate([chains.positions[:2], polymer])
    heights = np.full(1, chains.box[2])
    for name, values in Observer(chains).profiles(moved[None], heights).items():
        np.testing.assert_allclose(values, here[name][:1], atol=1e-9)


def test_ligands_move_where_distances_begin_and_nothing_is_lost_among_them():
    grafted = film(2, 3.0, ligands=1.0)
    series = observed(grafted, at_heights([0.11, 0.91]))
    cut = bins(grafted, grafted.box[2])
    assert cut.edges[0] == pytest.approx(-0.8) and cut.edges[-1] == pytest.approx(1.5)
    where = cut.centres[series["profile_mass"][0] > 0]
    assert where == pytest.approx([-0.375, 0.425])


def test_errors_come_from_the_scatter_of_blocks():
    """Block means 1 to 5: standard deviation sqrt(2.5), error sqrt(2.5 / 5)."""
    value, error = block_ratio(np.arange(1.0, 6.0).repeat(4)[:, None], np.ones((20, 1)))
    assert value == pytest.approx([3.0]) and error == pytest.approx([np.sqrt(0.5)])


def test_a_bin_that_is_empty_for_a_while_has_no_mean():
    counts = np.ones((20, 2))
    counts[8:12, 1] = 0
    value, error = block_ratio(counts * 2.0, counts)
    assert value[0] == 2.0 and error[0] == 0.0
    assert np.isnan(value[1]) and np.isnan(error[1])


def test_the_part_before_the_run_has_settled_is_left_out():
    layer = film(1)
    z = np.where(np.arange(FRAMES) < 5, 0.32, 0.92)
    series = observed(layer, np.stack([np.ones(FRAMES), np.ones(FRAMES), z], axis=1)[:, None])
    (density,) = (p for p in profiles(layer, series, Equilibration(0.5, 0.5, 10.0)) if p["name"] == "density")
    values = dict(zip(density["axis"]["values"], density["values"], strict=True))
    assert values[0.325] == 0.0 and values[0.925] > 0


def test_density_of_the_first_layer_counts_what_is_nearer_than_half_a_nanometre():
    some = film(4)
    series = observed(some, at_heights([-0.1, 0.46, 2.52, 1.5]))
    assert amount(some, series, "monomers", 0.0, 0.5) == pytest.approx(2)
    expected = G_CM3 * 3 * CARBON / (2 * LATERAL**2 * 0.4)
    assert answer.layer_density(some, series) == pytest.approx(expected)
    thin = film(2, 0.9)
    whole = G_CM3 * 2 * CARBON / (2 * LATERAL**2 * 0.35)
    assert answer.layer_density(thin, observed(thin, at_heights([0.2, 0.44]))) == pytest.approx(whole)


def series_of(some, densities, trans=None):
    """Series of a film with these densities (bins,) or (frames, bins) in g/cm^3, and a trans fraction of each bin."""
    cut = bins(some, some.box[2])
    mass = np.broadcast_to(densities, (FRAMES, len(cut.volumes))) * cut.volumes / G_CM3
    chords = np.full_like(mass, 100.0)
    fractions = np.full(len(cut.volumes), 0.5) if trans is None else trans
    own = {"profile_mass": mass, "profile_chords": chords, "profile_trans": chords * fractions}
    return own | {"height": np.full(FRAMES, some.box[2])}


def fading(some, decay, plateau=1.4):
    """A density that approaches its plateau from below by exp(-d/decay)."""
    d = bins(some, some.box[2]).centres
    return np.where(d > 0, plateau * (1 - np.exp(-np.maximum(d, 0) / decay)), 0.0)


@pytest.mark.parametrize("decay", [0.15, 0.3])
def test_width_of_a_density_that_fades_exponentially(decay):
    """Averaged over a window w the deviation is exp(-d/decay) sinh(w/2 decay)/(w/2 decay); it is 0.05 at the width."""
    some = film(1, 8.0)
    found = interphase.interphase(some, series_of(some, fading(some, decay)), WHOLE_RUN)
    half = 0.125 / decay
    assert found["interphase_width"].mean == pytest.approx(decay * np.log(np.sinh(half) / half / 0.05), abs=0.01)
    assert found["interphase_width"].se == pytest.approx(0.05 / np.sqrt(12))
    assert not found.checks[0].flagged


def test_a_film_of_layers_throughout_has_no_width():
    some = film(1, 3.0)
    d = bins(some, some.box[2]).centres
    found = interphase.interphase(some, series_of(some, 1.4 + 0.5 * np.cos(2 * np.pi * d / 0.45)), WHOLE_RUN)
    assert found["interphase_width"].mean > 1.0
    assert found.checks[0].flagged and "lower bound" in found.checks[0].detail


def test_error_of_the_width_comes_from_blocks_that_differ():
    some = film(1, 8.0)
    decays = [0.2, 0.25, 0.3, 0.35, 0.4]
    blocks = np.repeat([fading(some, decay) for decay in decays], FRAMES // 5, axis=0)
    found = interphase.interphase(some, series_of(some, blocks), WHOLE_RUN)["interphase_width"]
    # jackknife of a mean over five widths about ln(20) decay: half their standard deviation, within what curvature adds
    assert found.se == pytest.approx(np.log(20) * np.std(decays, ddof=1) / np.sqrt(5), rel=0.3)


def test_first_layer_against_the_middle():
    """Twice the mass within 0.5 nm, of which 0.1 nm are contact: 2 * 0.5 / 0.4; 0.8 trans against 0.6."""
    some = film(1, 6.0)
    d = bins(some, some.box[2]).centres
    density = np.select([d < 0, d < 0.5], [0.0, 2.0], 1.0)
    trans = np.where(d < 0.5, 0.8, 0.6)
    found = interphase.interphase(some, series_of(some, density, trans), WHOLE_RUN)
    assert found["interphase_density_ratio"].mean == pytest.approx(2.5)
    assert found["interphase_trans"].mean == pytest.approx(0.2)
    assert found["interphase_trans"].unit == "1"


@pytest.mark.parametrize(("fidelity", "passed"), [("smoke", False), ("screen", False), ("standard", True)])
def test_the_interphase_is_refused_where_the_film_has_no_middle(fidelity, passed):
    oracle = OpenMMOracle(observables=["interphase"])
    design = Design({"oxide": "magnetite", "polymer": "PVDF", "chain_length": 8, "temperature": 400.0})
    (check,) = (check for check in oracle.check(design, fidelity) if check.name == "interphase")
    assert check.passed is passed
    assert {"interphase_width", "interphase_density_ratio", "interphase_trans"} < set(oracle.properties)
    assert "interphase_width" not in OpenMMOracle.properties


def test_a_finished_run_answers_with_what_it_promises(tmp_path):
    some = film(1, 6.0)
    energies = {name: np.random.default_rng(1).normal(size=FRAMES) for name in ("coulomb", "lj")}
    journal = Journal(tmp_path, {})
    journal.commit("production", 0, b"", series_of(some, fading(some, 0.2)) | energies)
    found = interphase.respond(SimpleNamespace(film=some, fidelity=FIDELITIES["standard"]), journal)
    assert {name: value.unit for name, value in found.items()} == dict(interphase.PROPERTIES)
    assert all(value.se >= 0 for value in found.values())


def test_field_and_aligned_dipole_are_those_of_the_first_layer():
    """Two dipoles of 2.40 D along x, one in the layer and one beyond, in a field of 0.6 V/nm x and 0.8 V/nm z."""
    charges = [0.5, -0.5, 0.5, -0.5]
    pair = film(4, unit=2, charges=charges)
    polymer = np.array([[0.6, 1.0, 0.2], [0.5, 1.0, 0.2], [0.6, 1.0, 1.2], [0.5, 1.0, 1.2]])
    positions = np.concatenate([pair.positions[:2], polymer])[None]
    pulls = np.zeros_like(positions)
    pulls[0, 2:] = 96.4853321 * np.array(charges)[:, None] * np.array([0.6, 0.0, 0.8])
    series = Observer(pair).wall_field(positions, np.array([pair.box[2]]), pulls)
    assert series["near"].tolist() == [1.0]
    assert series["field"] == pytest.approx([1.0])
    assert series["aligned"] == pytest.approx([0.6 * 0.05 / 0.0208194])
