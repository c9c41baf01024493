"""Oxide slabs and their hydroxyls: crystal geometry, symmetry and charges, against numbers worked out by hand."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from oracles.openmm.build.assemble import Surface
from oracles.openmm.build.crystal import surface_cell
from oracles.openmm.build.hydroxyls import add_hydroxyls, count, hydroxyl_charge
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab
from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue

SURFACES = [
    (oxide, facet, termination)
    for oxide, crystal in catalogue.data("oxides").items()
    for facet, surface in crystal["facets"].items()
    for termination in surface["ends"]
]
MASSES = {"O": 15.999, "Mg": 24.305, "Al": 26.982, "Si": 28.086, "Ti": 47.867, "Fe": 55.845}
MODELLED = [(s, model) for s in SURFACES for model in oxides.MODELS if s[0] in catalogue.data(model)["metals"]]


def slab_of(oxide, facet, termination, fidelity="screen"):
    size = SIZES[fidelity]
    return build_slab(oxide, facet, termination, size.lateral, size.slab_thickness)


def surface_of(oxide, facet, termination, density, seed=1, model="clayff"):
    slab = slab_of(oxide, facet, termination)
    return Surface(slab, add_hydroxyls(slab, count(density, slab.area), model, seed), model)


def neutral_count(slab, model):
    """Hydroxyls on one face that make up for the bare slab's charge, whole or not."""
    return -slab.charges(model).sum() / (2 * hydroxyl_charge(model))


def distances(slab):
    apart = slab.positions[:, None] - slab.positions[None]
    apart[..., :2] -= np.round(apart[..., :2] / slab.lateral) * slab.lateral
    return np.linalg.norm(apart, axis=-1)


@pytest.mark.parametrize(
    ("oxide", "facet"),
    [(oxide, facet) for oxide, crystal in catalogue.data("oxides").items() for facet in crystal["facets"]],
)
def test_every_facet_is_cut_from_a_crystal_of_the_right_density(oxide, facet):
    crystal = catalogue.oxide(oxide)
    cell = surface_cell(oxide, crystal["facets"][facet]["cell"])
    elements = {site["name"]: site["element"] for site in crystal["sites"]}
    mass = sum(MASSES[elements[site]] for site in cell.sites)
    assert mass / (602.214 * cell.volume) == pytest.approx(crystal["density"]["value"], rel=0.006)
    formula = {"Fe3O4": 4 / 3, "Fe2O3": 1.5, "Al2O3": 1.5, "MgO": 1.0, "SiO2": 2.0, "TiO2": 2.0}[crystal["formula"]]
    oxygens = cell.sites.count("oxygen")
    assert oxygens / (len(cell.sites) - oxygens) == pytest.approx(formula)


def test_magnetite_is_neutral_and_half_of_its_sites_are_right():
    sites = Counter(surface_cell("magnetite", catalogue.oxide("magnetite")["facets"]["001"]["cell"]).sites)
    assert sites == {"tetrahedral": 4, "octahedral": 8, "oxygen": 16}  # half of the conventional cell's 8, 16, 32
    assert pytest.approx(0.0) == 4 * 1.575 + 8 * 1.3125 - 16 * 1.05
    assert pytest.approx(0.0) == 4 * 1.5 + 8 * 1.342 - 16 * 1.046


@pytest.mark.parametrize(("oxide", "facet", "termination"), SURFACES)
@pytest.mark.parametrize("fidelity", ["screen", "production"])
def test_slabs_read_the_same_from_both_faces(oxide, facet, termination, fidelity):
    slab = slab_of(oxide, facet, termination, fidelity)
    z = slab.positions[:, 2]
    order = np.argsort(z)
    layers = np.split(order, np.flatnonzero(np.diff(z[order]) > 0.025) + 1)
    contents = [sorted((slab.sites[i], int(slab.coordination[i])) for i in layer) for layer in layers]
    assert contents == contents[::-1]
    for layer, end in zip(contents, catalogue.end(oxide, facet, termination)["layers"], strict=False):
        assert "+".join(sorted({site for site, _ in layer})) == end
    for model in oxides.MODELS:
        if oxide in catalogue.data(model)["metals"]:
            assert abs(slab.dipole(model)) < 1e-7 * slab.area
    assert len(slab.upper) == len(slab.lower) > 0
    assert all(edge >= wanted - 1e-6 for edge, wanted in zip(slab.lateral, SIZES[fidelity].lateral, strict=True))
    assert 0.6 * SIZES[fidelity].slab_thickness < slab.height < 1.5 * SIZES[fidelity].slab_thickness


@pytest.mark.parametrize(("oxide", "facet", "termination"), SURFACES)
def test_coordination_is_the_crystals_inside_and_silicon_keeps_its_four_oxygens(oxide, facet, termination):
    slab = slab_of(oxide, facet, termination)
    z = slab.positions[:, 2]
    inside = np.flatnonzero((z > 0.25) & (z < slab.height - 0.25))
    metals = {"tetrahedral": 4, "octahedral": 6}
    oxygen = {"Fe3O4": 4, "Fe2O3": 4, "Al2O3": 4, "MgO": 6, "SiO2": 2, "TiO2": 3}[catalogue.oxide(oxide)["formula"]]
    for i in inside:
        assert slab.coordination[i] == metals.get(slab.sites[i], oxygen)
    assert np.partition(distances(slab)[np.ix_(slab.metals, slab.metals)], 1)[:, 1].min() > 0.25
    if "tetrahedral" in slab.sites and oxide != "magnetite":
        assert not len(slab.open_metals)
        assert {int(slab.coordination[i]) for i in (*slab.lower, *slab.upper)} == {1}


@pytest.mark.parametrize(
    ("oxide", "nearest"),
    [
        ("magnetite", 0.186),
        ("hematite", 0.194),
        ("corundum", 0.185),
        ("periclase", 0.2106),
        ("quartz", 0.1605),
        ("cristobalite", 0.160),
        ("rutile", 0.1947),
        ("anatase", 0.1937),
    ],
)
def test_nearest_metal_oxygen_distance_across_the_periodic_edges(oxide, nearest):
    for facet in catalogue.oxide(oxide)["facets"]:
        slab = slab_of(oxide, facet, catalogue.termination_name(oxide, facet, "auto"))
        apart = distances(slab)[np.triu_indices(len(slab.positions), 1)]
        assert apart.min() == pytest.approx(nearest, abs=0.003)


@pytest.mark.parametrize(
    ("surface", "metals", "oxygens"),
    [
        # geometry of the cells by hand: atoms per area of the surface cell
        (("magnetite", "001", "octahedral"), 4 / 0.83941**2, 8 / 0.83941**2),
        (("hematite", "0001", "oxygen"), 0, 13.67),
        (("corundum", "0001", "oxygen"), 0, 15.25),
        (("corundum", "0001", "octahedral"), 5.08, 15.25),
        (("periclase", "001", "octahedral"), 11.28, 11.28),
        (("periclase", "111", "oxygen"), 0, 13.02),
        (("rutile", "110", "bridging"), 1 / (0.295812 * 0.459373 * 2**0.5), 5.20),
        (("anatase", "101", "bridging"), 2 / (0.3785 * 1.02393), 5.16),
        (("cristobalite", "101", "oxygen"), 0, 4.72),
        (("quartz", "0001", "oxygen"), 0, 9.57),
    ],
)
def test_densities_of_open_metals_and_of_oxygens_that_take_a_hydrogen(surface, metals, oxygens):
    slab = slab_of(*surface)
    assert len(slab.open_metals) / 2 / slab.area == pytest.approx(metals, abs=0.01)
    assert len(slab.upper) / slab.area == pytest.approx(oxygens, abs=0.02)


def test_half_of_the_tetrahedral_layer_is_a_neutral_end():
    slab = slab_of("magnetite", "001", "half-tetrahedral")
    z = slab.positions[:, 2]
    for face in (z < 0.01, z > slab.height - 0.01):
        assert {slab.sites[i] for i in np.flatnonzero(face)} == {"tetrahedral"}
        assert face.sum() / slab.area == pytest.approx(1 / 0.83941**2)
        nearest = np.sort(distances(slab)[np.ix_(face, face)], axis=1)[:, 1]
        assert nearest == pytest.approx(np.full(face.sum(), 0.83941))
    for model in oxides.MODELS:
        assert slab.charges(model).sum() == pytest.approx(0.0, abs=1e-9)


def test_neutralising_charge_of_magnetite_001():
    # 5 octahedral layers of 4 Fe + 8 O and 4 tetrahedral ones of 2 Fe per a^2: 5 (4 x 1.3125 - 8 x 1.05)
    # + 4 (2 x 1.575) = -3.15 e; the screen slab is 4 x 3 surface cells = 6 a^2: -18.9 e, 168 Fe. Each hydroxyl adds
    # 0.10 + 0.425 e.
    surface = surface_of("magnetite", "001", "octahedral", 4.0)
    assert surface.slab.charges("clayff").sum() == pytest.approx(-18.9)
    assert len(surface.slab.metals) == 168
    assert hydroxyl_charge("clayff") == pytest.approx(0.525)
    assert len(surface.hydroxyls.oxygens) == 34
    assert surface.dq == pytest.approx((18.9 - 34 * 0.525) / 168)
    assert surface.dq == pytest.approx(0.006, abs=0.001)
    assert surface_of("magnetite", "001", "octahedral", 0.0).dq == pytest.approx(18.9 / 168)


def test_bare_stoichiometric_ends_need_no_charge():
    for oxide, facet in (("hematite", "0001"), ("corundum", "0001"), ("periclase", "001")):
        assert surface_of(oxide, facet, "octahedral", 0.0).dq == pytest.approx(0.0, abs=1e-12)
    full = slab_of("corundum", "0001", "oxygen")
    everywhere = len(full.upper) / full.area
    assert everywhere == pytest.approx(15.25, abs=0.05)  # 3 O per 0.1967 nm^2
    assert surface_of("corundum", "0001", "oxygen", everywhere).dq == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("oxide", "model"), [(o, m) for m in oxides.MODELS for o in catalogue.data(m)["metals"]])
def test_oxygens_inside_have_the_charge_of_the_models_table(oxide, model):
    table = {"magnetite": -1.046, "hematite": -1.0, "corundum": -1.188, "periclase": -1.562}
    table |= {"quartz": -0.942, "cristobalite": -0.942, "rutile": -1.24, "anatase": -1.24}
    expected = -1.05 if model == "clayff" else table[oxide]
    facet = next(iter(catalogue.oxide(oxide)["facets"]))
    slab = slab_of(oxide, facet, catalogue.termination_name(oxide, facet, "auto"))
    whole = [i for i, site in enumerate(slab.sites) if site == "oxygen"]
    whole = [i for i in whole if slab.coordination[i] == slab.coordination[whole].max()]
    oxygens = [i for i in whole if not set(slab.bound_metals(i)) & set(slab.open_metals)]
    assert len(oxygens) >= 0.1 * len(slab.sites)
    assert slab.charges(model)[oxygens] == pytest.approx(np.full(len(oxygens), expected), abs=5e-4)


def test_minff_smears_formal_charges():
    assert hydroxyl_charge("minff") == pytest.approx(1.0)
    # a silanol's oxygen: -2 + (4 - 1.884) / 4 + (1 - 0.4); one without hydrogen lacks the last term
    surface = surface_of("quartz", "0001", "oxygen", 5.0, model="minff")
    charges = surface.charges - np.isin(np.arange(len(surface.charges)), surface.slab.metals) * surface.dq
    bare = np.setdiff1d(surface.slab.upper, surface.hydroxyls.oxygens)
    assert charges[surface.hydroxyls.oxygens] == pytest.approx(np.full(len(surface.hydroxyls.oxygens), -0.871))
    assert charges[bare] == pytest.approx(np.full(len(bare), -1.471))
    # the (001) end of magnetite lacks 3 e of formal charge per a^2 and face; the screen slab is 6 a^2
    assert slab_of("magnetite", "001", "octahedral").charges("minff").sum() == pytest.approx(-36.0)


@pytest.mark.parametrize(("surface", "model"), MODELLED)
def test_the_neutral_density_is_a_matter_of_chemistry_and_not_of_the_model(surface, model):
    slab = slab_of(*surface)
    formal = {"Fe": 3.0, "Al": 3.0, "Mg": 2.0, "Si": 4.0, "Ti": 4.0, "O": -2.0}
    mixed = surface[0] == "magnetite"
    named = zip(slab.elements, slab.sites, strict=True)
    charge = sum(2.5 if mixed and site == "octahedral" else formal[element] for element, site in named)
    assert neutral_count(slab, model) == pytest.approx(-charge / 2)
    per_face = round(neutral_count(slab, model))
    if 0 <= per_face <= len(slab.upper):
        assert abs(Surface(slab, add_hydroxyls(slab, per_face, model, 1), model).dq) < 0.01


@pytest.mark.parametrize(("surface", "model"), MODELLED)
def test_hydroxylated_surfaces_are_neutral_and_symmetric_in_number(surface, model):
    slab = slab_of(*surface)
    per_face = min(count(5.0, slab.area), len(slab.upper))
    made = Surface(slab, add_hydroxyls(slab, per_face, model, 1), model)
    z = made.hydroxyls.positions[:, 2]
    assert abs(made.charges.sum()) < 1e-9
    assert (z > slab.height / 2).sum() == (z < slab.height / 2).sum() == per_face
    assert len(set(made.hydroxyls.oxygens.tolist())) == 2 * per_face
    lengths = np.linalg.norm(made.hydroxyls.positions - slab.positions[made.hydroxyls.oxygens], axis=1)
    bond = catalogue.data(model)["hydroxyl_bond"]["length"]
    assert lengths == pytest.approx(np.full(2 * per_face, bond))


def test_every_metal_bound_to_a_hydroxyl_holds_its_angle():
    surface = surface_of("periclase", "001", "octahedral", 4.0)
    held = dict.fromkeys(range(len(surface.hydroxyls.oxygens)), 0)
    for _, k, angle in surface.hydroxyls.angles:
        assert np.degrees(angle) == pytest.approx(109.47)
        held[k] += 1
    assert set(held.values()) == {5}  # four in the plane and one below
    slab = surface.slab
    inner = [
        i for i, site in enumerate(slab.sites) if site == "oxygen" and 0.1 < slab.positions[i, 2] < slab.height - 0.1
    ]
    assert {len(slab.bound_metals(i)) for i in inner} == {6}


def test_hydroxyls_stand_anywhere_and_where_their_seed_says():
    slab = slab_of("magnetite", "001", "octahedral")
    placed = [add_hydroxyls(slab, 12, "clayff", seed).oxygens for seed in range(200)]
    assert all(len(set(oxygens)) == 24 for oxygens in placed)
    assert list(add_hydroxyls(slab, 12, "clayff", 3).oxygens) == list(placed[3])
    assert len({tuple(sorted(oxygens)) for oxygens in placed}) == 200
    often = np.bincount(np.concatenate(placed), minlength=len(slab.sites))[np.concatenate([slab.upper, slab.lower])]
    expected = 200 * 12 / len(slab.upper)
    assert np.abs(often - expected).max() < 5 * expected**0.5


def test_thicker_slabs_have_more_layers_of_the_same_kind():
    heights = [build_slab("magnetite", "001", "octahedral", (1.0, 1.0), t).height for t in (0.4, 0.6, 0.8)]
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([0.83941 / 4] * 2, abs=1e-6)


def test_an_oxide_without_parameters_names_the_model_that_has_them():
    with pytest.raises(catalogue.UnknownMaterial, match=r"clayff has no parameters for rutile.*oxide_model: minff"):
        slab_of("rutile", "110", "bridging").charges("clayff")
