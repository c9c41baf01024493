"""Oxide slabs and their hydroxyls: crystal geometry, symmetry and charges, against numbers worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from oracles.openmm.build.assemble import Surface
from oracles.openmm.build.hydroxyls import add_hydroxyls, bound_metals, count, hydroxyl_charge
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab, oriented_cell
from oracles.openmm.materials import catalogue

SURFACES = [
    (oxide, facet, termination)
    for oxide, crystal in catalogue.data("oxides").items()
    for facet, surface in crystal["facets"].items()
    for termination in surface["ends"]
]


def slab_of(oxide, facet, termination, fidelity="screen"):
    size = SIZES[fidelity]
    return build_slab(oxide, facet, termination, size.lateral, size.slab_thickness)


@pytest.mark.parametrize(
    ("oxide", "facet", "formula_mass", "formula_atoms", "density"),
    [
        # experimental densities of the structures' own references
        ("magnetite", "001", 231.53, 7, 5.20),
        ("magnetite", "111", 231.53, 7, 5.20),
        ("hematite", "0001", 159.69, 5, 5.26),
        ("corundum", "0001", 101.96, 5, 3.98),
        ("periclase", "001", 40.30, 2, 3.585),
    ],
)
def test_crystal_density(oxide, facet, formula_mass, formula_atoms, density):
    positions, kinds, edges = oriented_cell(oxide, facet)
    mass = formula_mass * len(positions) / formula_atoms
    assert mass / (602.214 * np.prod(edges)) == pytest.approx(density, rel=0.006)
    assert len(kinds) % formula_atoms == 0


def test_magnetite_is_neutral_and_half_of_its_sites_are_right():
    _, kinds, _ = oriented_cell("magnetite", "001")
    names = [site["name"] for site in catalogue.oxide("magnetite")["sites"]]
    tetrahedral, octahedral, oxygen = (int((kinds == names.index(n)).sum()) for n in names)
    assert (tetrahedral, octahedral, oxygen) == (4, 8, 16)  # half of the conventional cell's 8, 16, 32
    assert pytest.approx(0.0) == 4 * 1.575 + 8 * 1.3125 - 16 * 1.05
    charges = catalogue.data("clayff")
    model = [charges["metals"]["magnetite"][n]["charge"] for n in names[:2]] + [charges["oxygen"]["bulk"]["charge"]]
    assert np.dot(model, (tetrahedral, octahedral, oxygen)) == pytest.approx(0.0)


@pytest.mark.parametrize(("oxide", "facet", "termination"), SURFACES)
@pytest.mark.parametrize("fidelity", SIZES)
def test_slabs_read_the_same_from_both_faces(oxide, facet, termination, fidelity):
    slab = slab_of(oxide, facet, termination, fidelity)
    z = slab.positions[:, 2]
    order = np.argsort(z)
    layers = np.split(order, np.flatnonzero(np.diff(z[order]) > 0.025) + 1)
    contents = [sorted(slab.sites[i] for i in layer) for layer in layers]
    assert contents == contents[::-1]
    ends = catalogue.oxide(oxide)["facets"][facet]["ends"][termination]
    for layer, end in zip(contents, ends, strict=False):
        assert "+".join(sorted(set(layer))) == end
    assert abs(slab.dipole) < 1e-6 + 1e-9 * abs(slab.charges.sum())
    assert len(slab.upper) == len(slab.lower) > 0
    assert all(edge >= wanted - 1e-6 for edge, wanted in zip(slab.lateral, SIZES[fidelity].lateral, strict=True))
    assert 0.6 * SIZES[fidelity].slab_thickness < slab.height < 1.5 * SIZES[fidelity].slab_thickness


@pytest.mark.parametrize(
    ("oxide", "nearest"),
    [("magnetite", 0.186), ("hematite", 0.194), ("corundum", 0.185), ("periclase", 0.2106)],
)
def test_nearest_metal_oxygen_distance_across_the_periodic_edges(oxide, nearest):
    facet = next(iter(catalogue.oxide(oxide)["facets"]))
    slab = slab_of(oxide, facet, catalogue.termination_name(oxide, facet, "auto"))
    apart = slab.positions[:, None] - slab.positions[None]
    apart[..., :2] -= np.round(apart[..., :2] / slab.lateral) * slab.lateral
    distances = np.linalg.norm(apart, axis=-1)[np.triu_indices(len(slab.positions), 1)]
    assert distances.min() == pytest.approx(nearest, abs=0.003)


def surface_of(oxide, facet, termination, density, seed=1, fidelity="screen"):
    slab = slab_of(oxide, facet, termination, fidelity)
    return Surface(slab, add_hydroxyls(slab, count(density, slab.area), "clayff", seed), "clayff", oxide)


def test_neutralising_charge_of_magnetite_001():
    # 5 octahedral layers of 4 Fe + 8 O and 4 tetrahedral ones of 2 Fe per a^2: 5 (4 x 1.3125 - 8 x 1.05)
    # + 4 (2 x 1.575) = -3.15 e; the screen slab is 4 x 3 surface cells = 6 a^2: -18.9 e, 168 Fe. Each hydroxyl adds
    # 0.10 + 0.425 e.
    surface = surface_of("magnetite", "001", "octahedral", 4.0)
    assert surface.slab.charges.sum() == pytest.approx(-18.9)
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


@pytest.mark.parametrize(("oxide", "facet", "termination"), SURFACES)
def test_hydroxylated_surfaces_are_neutral_and_symmetric_in_number(oxide, facet, termination):
    surface = surface_of(oxide, facet, termination, 5.0)
    per_face = round(5.0 * surface.slab.area)
    z = surface.hydroxyls.positions[:, 2]
    assert abs(surface.charges.sum()) < 1e-9
    assert (z > surface.slab.height / 2).sum() == (z < surface.slab.height / 2).sum() == per_face
    assert len(set(surface.hydroxyls.oxygens.tolist())) == 2 * per_face
    lengths = np.linalg.norm(surface.hydroxyls.positions - surface.slab.positions[surface.hydroxyls.oxygens], axis=1)
    assert lengths == pytest.approx(np.full(2 * per_face, 0.1))


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
    assert {len(bound_metals(slab, i)) for i in inner} == {6}


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
