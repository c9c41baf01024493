"""The boxes that melts, the beta crystal and MgO are measured in, and the page that tells of them."""

import json

import numpy as np
import openmm
import pytest

from benchmarks.validation import __main__ as validation
from benchmarks.validation import crystal, melts, oxide, unfinished
from oracles.openmm.build.assemble import atomic_mass
from oracles.openmm.build.size import Size
from oracles.openmm.observe.observer import element_masses
from oracles.openmm.simulate.energy import nonbonded
from oracles.openmm.simulate.platforms import choose

SMALL = Size(lateral=(1.9, 1.9), slab_thickness=0.4, gap=1.9, cutoff=0.8)
PVDF = melts.Case("PVDF", "byutner-smith", 500.0, 1.475, "")
E_NM2 = 0.1602176634
"""C/m^2."""


@pytest.fixture(scope="module")
def box():
    return melts.bulk(PVDF, SMALL, 1, units=6)


def test_a_bulk_is_whole_neutral_chains_and_nothing_else(box):
    hexamer = 12 * 12.011 + 13 * 1.008 + 13 * 18.998  # H-(CH2-CF2)6-F
    assert element_masses(box).sum() == pytest.approx(len(box.chains) * hexamer, rel=1e-4)
    assert len(box.positions) == len(box.chains) * 38 == box.system.getNumParticles()
    charges = [nonbonded(box.system).getParticleParameters(i)[0]._value for i in range(len(box.positions))]
    assert all(abs(sum(charges[i] for i in atoms)) < 1e-9 for atoms in box.chains)
    ends = np.array([[bond.atom1.index, bond.atom2.index] for bond in box.topology.bonds()])
    assert len(ends) == len(box.chains) * 37
    assert np.linalg.norm(box.positions[ends[:, 0]] - box.positions[ends[:, 1]], axis=1).max() < 0.16
    assert min(box.system.getParticleMass(i)._value for i in range(len(charges))) > 0


def test_a_bulk_starts_below_the_density_it_is_packed_for_and_holds_the_cutoff(box):
    density = element_masses(box).sum() / 602.214 / np.prod(box.box)
    height = box.box[2]
    assert density == pytest.approx(1.55 * (height - 0.3) / height, rel=1e-6)  # 0.3 nm of slack
    assert nonbonded(box.system).getCutoffDistance()._value == 0.8 < 0.485 * min(box.box)
    assert box.system.usesPeriodicBoundaryConditions()


def test_a_melt_is_compressed_to_a_liquid(box):
    found = melts.densities(box, 500.0, 1, melts.Schedule(ramp=40, compress=400, melt=50, settle=50, window=50))
    assert found.shape == (3, 1)
    assert (found > 1.0).all() and (found < 1.5).all()
    assert found[-1, 0] != found[0, 0]


TAIT = {
    "PE": (1.1567, 0.62888e-3, 1.1268e-6),
    "PMMA": (0.82396, 0.3049e-3, 0.70201e-6),
    "PP": (1.2033, 0.48182e-3, 0.77589e-6),
    "PS": (0.93805, 0.33086e-3, 0.6691e-6),
}
"""Danner and High 1993: cm^3/g, of t in Celsius."""


@pytest.mark.parametrize("name", TAIT)
def test_experiments_are_those_of_the_fits_they_are_quoted_from(name):
    celsius = melts.CASES[name].temperature - 273.15
    volume = sum(a * celsius**k for k, a in enumerate(TAIT[name]))
    assert melts.CASES[name].experiment == pytest.approx(1 / volume, abs=1e-4)


def test_the_experiment_of_peo_balances_its_equation_of_state():
    peo = melts.CASES["PEO"]
    density, pressure, temperature = peo.experiment * 0.8492, 0.1 / 492.2, peo.temperature / 656  # reduced
    balance = density**2 + pressure + temperature * (np.log(1 - density) + density)
    assert balance == pytest.approx(0.0, abs=3e-4)


def test_short_chains_are_expected_to_be_less_dense_by_the_ends_of_an_alkane():
    """n-Octadecane at 450 K: 0.675 g/cm^3, 377.0 cm^3/mol; eighteen CH2 of polyethylene take 329.0."""
    assert melts.ends_volume(450.0) == pytest.approx(377.0 - 18 * 14.027 / 0.7674, abs=0.5)
    n_dotriacontane = 450.9 / (32 * 14.027 / 0.7674 + 48.0)
    assert melts.expected(melts.CASES["PE"]) == pytest.approx(n_dotriacontane, abs=1e-3)
    assert all(0.92 < melts.expected(case) / case.experiment < 0.99 for case in melts.CASES.values())


def test_the_error_of_a_density_is_that_of_packings_or_of_windows_whichever_is_larger():
    assert melts.summary(np.array([[1.0, 1.1, 1.2]])) == pytest.approx((1.1, 0.1 / np.sqrt(3)))
    assert melts.summary(np.array([[1.0, 1.0, 1.0], [1.2, 1.2, 1.2]])) == pytest.approx((1.1, 0.1))


@pytest.fixture(scope="module")
def ideal():
    return crystal.build("byutner-smith", crystal.CELL)


def test_the_ideal_crystal_is_that_of_experiment(ideal):
    chains, units = 16, 7
    assert ideal.positions.shape == (chains, units * 6, 3)
    assert ideal.box == pytest.approx([2 * 0.858, 4 * 0.491, 7 * 0.256])
    unit = 2 * 12.011 + 2 * 1.008 + 2 * 18.998
    assert ideal.mass == pytest.approx(chains * units * unit, rel=1e-4)
    assert ideal.mass / 602.214 / np.prod(ideal.box) == pytest.approx(1.972, abs=0.001)


def test_every_bond_of_the_crystal_has_its_length_through_the_boundary_too(ideal):
    crossing = 0
    for chain in ideal.positions:
        for i, j, length, _ in ideal.parameters.bonds:
            apart = chain[i] - chain[j]
            crossing += bool(np.abs(apart).max() > ideal.box[2] / 2)
            apart -= ideal.box * np.round(apart / ideal.box)
            assert np.linalg.norm(apart) == pytest.approx(length, abs=1e-9)
    assert crossing == len(ideal.positions)


def test_polarisation_of_the_ideal_crystal_is_the_sum_worked_out_by_hand(ideal):
    """Per unit along y: carbons half the zigzag's 0.08454 nm above and below the middle, fluorines 0.1357 cos(105.27/2)
    beyond theirs, hydrogens 0.1085 cos(109.27/2); two units per cell."""
    half = np.sqrt(0.1534**2 - 0.128**2) / 2
    fluorine = half + 0.1357 * np.cos(np.deg2rad(105.27 / 2))
    hydrogen = -half - 0.1085 * np.cos(np.deg2rad(109.27 / 2))
    dipole = 0.6120 * half - 2 * 0.2266 * fluorine - 0.5202 * -half + 2 * 0.1807 * hydrogen
    assert dipole / 0.0208194 == pytest.approx(-2.24, abs=0.01)  # D
    by_hand = E_NM2 * 2 * dipole / (0.858 * 0.491 * 0.256)
    found = ideal.polarisation(ideal.flat, ideal.box)
    assert found[1] == pytest.approx(by_hand, rel=1e-3)
    assert found[0] == pytest.approx(0.0, abs=1e-9)


def test_where_the_boundary_cuts_the_chains_does_not_matter(ideal):
    context = choose("CPU").context(crystal.system(ideal), openmm.VerletIntegrator(0.001))
    energies = []
    for units in (0, 3):
        shifted = ideal.flat + np.array([0.0, 0.0, units * 0.256])
        shifted[:, 2] %= ideal.box[2]
        context.setPositions(shifted)
        energies.append(context.getState(energy=True).getPotentialEnergy()._value)
    assert energies[0] == pytest.approx(energies[1], rel=1e-4)
    assert abs(energies[0]) < 1e5  # no bond is stretched across the box


def test_charges_of_the_ring_are_those_of_an_endless_chain(ideal):
    assert ideal.parameters.charges.reshape(7, 6) == pytest.approx(np.tile(ideal.parameters.charges[:6], (7, 1)))
    assert ideal.parameters.charges.sum() == pytest.approx(0.0, abs=1e-9)


def test_ions_of_rock_salt_have_the_madelung_energy():
    made, fractions, edges = oxide.lattice("minff")
    force = nonbonded(made)
    for i in range(force.getNumParticles()):
        charge, sigma, _ = force.getParticleParameters(i)
        force.setParticleParameters(i, charge, sigma, 0.0)
    context = choose("Reference").context(made, openmm.VerletIntegrator(0.001))
    context.setPositions(fractions * edges)
    pairs = len(fractions) / 2
    expected = -1.747565 * 138.935458 * 1.562**2 / (0.42112 / 2) * pairs
    assert context.getState(energy=True).getPotentialEnergy()._value == pytest.approx(expected, rel=1e-4)


def test_the_equation_of_state_finds_volume_and_modulus_of_a_crystal_made_of_one():
    """Birch-Murnaghan, third order: 0.075 nm^3, 160 GPa, K' = 4."""
    volumes, v0, k0, slope = 0.075 * np.linspace(0.92, 1.08, 7), 0.075, 160.0 * 602.214, 4.2
    x = (v0 / volumes) ** (2 / 3)
    energies = 9 * v0 * k0 / 16 * ((x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x))
    volume, stiffness = oxide.equation(volumes, energies)
    assert volume == pytest.approx(v0, rel=1e-6)
    assert stiffness * oxide.GPA == pytest.approx(160.0, rel=1e-6)


def test_an_interrupted_measurement_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "RESULTS", tmp_path)
    measured = []

    def row(name, fails=False):
        def measure():
            measured.append(name)
            if fails:
                raise KeyboardInterrupt
            return len(name)

        return measure

    with pytest.raises(KeyboardInterrupt):
        unfinished.gathered("part", {"one": row("one"), "three": row("three", fails=True)})
    assert unfinished.gathered("part", {"one": row("one"), "three": row("three")}) == {"one": 3, "three": 5}
    assert measured == ["one", "three", "three"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["melts", "crystal", "oxide"])
def test_the_page_shows_every_stored_result(part):
    found = json.loads((validation.RESULTS / f"{part}.json").read_text(encoding="utf-8"))
    section = validation.PARTS[part][1](found)
    assert section in validation.page()
    assert section in validation.PAGE.read_text(encoding="utf-8")
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    names = {name.rpartition(" #")[0] or name for name in found}
    assert len(names) <= len(rows) - 1
    assert not any("nan" in row for row in rows)


def test_the_density_of_the_unit_cell_on_the_page_follows_from_its_edges():
    mass = 2 * sum(atomic_mass(element) for element in "CCHHFF")
    density = mass / 602.214 / np.prod(crystal.CELL)
    found = json.loads((validation.RESULTS / "crystal.json").read_text(encoding="utf-8"))
    assert f"| {density:.3f} |" in crystal.text(found)
