"""Dipoles, distances, layers and conformations of configurations placed by hand."""

import numpy as np
import pytest

from oracles.openmm.build.geometry import from_planes
from oracles.openmm.observe.dipoles import Units
from oracles.openmm.observe.structure import backbone_dihedrals, dihedrals, trans_fractions


def test_dipole_of_two_charges_is_charge_times_distance():
    positions = np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.1]]])
    units = Units([np.array([0, 1])], np.array([12.0, 19.0]), np.array([-0.5, 0.5]))
    assert units.dipoles(positions)[0, 0] == pytest.approx([0, 0, 0.05 / 0.0208194])


def test_dipole_of_a_charged_end_unit_is_measured_from_its_centre_of_mass():
    positions = np.array([[[0.0, 0.0, 5.0], [0.0, 0.0, 5.3]]])
    units = Units([np.array([0, 1])], np.array([2.0, 1.0]), np.array([0.0, 0.08]))
    assert units.dipoles(positions)[0, 0, 2] == pytest.approx(0.08 * 0.2 / 0.0208194)
    assert units.centres(positions)[0, 0, 2] == pytest.approx(5.1)


def test_field_at_a_unit_is_the_one_that_its_forces_come_from():
    charges, field = np.array([-0.5, 0.4, 0.2]), np.array([0.3, -0.2, 1.5])
    units = Units([np.array([0, 1]), np.array([2])], np.ones(3), charges)
    forces = 96.4853321 * charges[:, None] * field
    assert units.fields(forces[None])[0] == pytest.approx(np.array([field, field]))


def test_vdf_unit_with_the_published_charges_has_about_two_debye():
    """CH2-CF2 of an all-trans chain: charges and bond lengths of the Byutner-Smith set, tetrahedral angles."""
    half = np.radians(109.5 / 2)
    h, f = 0.1085, 0.1357
    s, c = np.sin(half), np.cos(half)
    carbon_h, carbon_f = np.zeros(3), np.array([0.128, 0.0, 0.0])
    # in a zigzag the substituents of CH2 and CF2 point to opposite sides
    hydrogens = [carbon_h + h * np.array([0, side * s, c]) for side in (1, -1)]
    fluorines = [carbon_f + f * np.array([0, side * s, -c]) for side in (1, -1)]
    positions = np.array([[carbon_h, *hydrogens, carbon_f, *fluorines]])
    charges = np.array([-0.3614, 0.1807, 0.1807, 0.4532, -0.2266, -0.2266])
    masses = np.array([12.011, 1.008, 1.008, 12.011, 18.998, 18.998])
    assert Units([np.arange(6)], masses, charges).dipoles(positions)[0, 0, 2] == pytest.approx(2.79, abs=0.05)


def test_distance_and_normal_at_both_interfaces_in_any_image():
    """Slab from z = 0 to 1 in a box of 4: the gap is [1, 4]."""
    z = np.array([[1.2, 3.8, 5.2, -0.2, 2.4, 0.9, -2.8]])
    d, s = from_planes(z, np.array([1.0]), np.array([3.0]), np.array([4.0]))
    assert d[0] == pytest.approx([0.2, 0.2, 0.2, 0.2, 1.4, -0.1, 0.2])
    assert s[0].tolist() == [1, -1, 1, -1, 1, 1, 1]


def test_distances_follow_a_slab_that_the_barostat_moved():
    d, s = from_planes(np.array([[1.2], [1.7]]), np.array([1.0, 1.5]), np.array([3.0, 3.0]), np.array([4.0, 4.0]))
    assert d[:, 0] == pytest.approx([0.2, 0.2])
    assert s[:, 0].tolist() == [1, 1]


def chain(angles):
    """Backbone positions with the given dihedrals in degrees, bonds 0.153 nm and angles 112 degrees."""
    bond, bend = 0.153, np.radians(112)
    atoms = [np.zeros(3), np.array([bond, 0, 0]), np.array([bond * (1 - np.cos(bend)), bond * np.sin(bend), 0])]
    for angle in np.radians(angles):
        b = atoms[-1] - atoms[-2]
        b /= np.linalg.norm(b)
        n = np.cross(atoms[-2] - atoms[-3], b)
        n /= np.linalg.norm(n)
        local = bond * np.array([-np.cos(bend), np.sin(bend) * np.cos(angle), np.sin(bend) * np.sin(angle)])
        atoms.append(atoms[-1] + local[0] * b + local[1] * np.cross(n, b) + local[2] * n)
    return np.array(atoms)


@pytest.mark.parametrize(
    ("angles", "trans", "tt"),
    [
        ([180, 180, 180, 180], 1.0, 1.0),
        ([180, 55, 180, -55], 0.5, 0.0),
        ([180, 180, 60, -60], 0.5, 1 / 3),
        ([119, -119, 121, -121], 0.5, 1 / 3),
    ],
)
def test_trans_fractions_of_built_chains(angles, trans, tt):
    positions = chain(angles)[None]
    quads, pairs = backbone_dihedrals([np.arange(7)])
    found = dihedrals(positions, quads)[0]
    assert np.cos(np.radians(found)) == pytest.approx(np.cos(np.radians(angles)), abs=1e-9)
    assert np.sin(np.radians(found)) == pytest.approx(np.sin(np.radians(angles)), abs=1e-9)
    assert [value[0] for value in trans_fractions(dihedrals(positions, quads), pairs)] == pytest.approx([trans, tt])


def test_neighbouring_dihedrals_never_span_two_chains():
    quads, pairs = backbone_dihedrals([np.arange(5), np.arange(10, 15)])
    assert quads.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4], [10, 11, 12, 13], [11, 12, 13, 14]]
    assert pairs.tolist() == [[0, 1], [2, 3]]
