"""Each gate between a value that is normal and one that is not."""

import numpy as np
import pytest

from oracles.openmm.observe import gates
from oracles.openmm.observe.statistics import Equilibration

SETTLED = Equilibration(0.0, 0.0, 50.0)


@pytest.mark.parametrize(
    ("mean", "samples", "passed"),
    [(402, 48, True), (412, 48, False), (412, 4, True), (450, 4, False), (360, 48, False), (2400, 1, False)],
)
def test_temperature_is_judged_by_how_well_the_run_knows_it(mean, samples, passed):
    assert gates.temperature(np.full(50, float(mean)), 400.0, 1500, samples).passed is passed


def test_charges_name_the_gate_that_refuses():
    by_name = {check.name: check for check in gates.charges(0.0, 0.30, 0.01)}
    assert [name for name, check in by_name.items() if not check.passed] == ["dq"]
    assert by_name["dq_small"].flagged
    assert not {c.name: c for c in gates.charges(0.2, 0.0, 0.01)}["total_charge"].passed
    assert not {c.name: c for c in gates.charges(0.0, 0.0, -0.2)}["slab_dipole"].passed


def test_flags_are_recorded_as_passed_either_way():
    for stretch in (1.1, 1.22):
        hard, flagged = gates.bond_stretch(np.array([1.0, stretch]))
        assert hard.passed
        assert flagged.passed
        assert flagged.flagged is (stretch > 1.2)
    assert not gates.bond_stretch(np.array([1.0, 1.45]))[0].passed


def test_slab_may_move_but_not_change_shape():
    slab = np.random.default_rng(2).random((20, 3))
    assert gates.slab_rigid(slab, slab + np.array([0.0, 0.0, 0.7])).passed
    bent = slab.copy()
    bent[3, 2] += 0.001
    assert not gates.slab_rigid(slab, bent).passed


def test_energy_drift_in_kt_per_nanosecond_and_degree_of_freedom():
    times = np.linspace(0, 2, 50)
    drift = gates.energy_drift(times, -5000 + 0.9 * 3.3 * 1500 * times / 1000, 1500, 3.3)
    assert drift.value == pytest.approx(0.9)
    assert drift.passed
    assert not gates.energy_drift(times, 100 * times, 1500, 3.3).passed


def test_polymer_inside_the_slab_is_refused_but_not_among_ligands():
    assert gates.polymer_outside_slab(np.array([0.3, -0.1]), ligands=False).passed
    assert not gates.polymer_outside_slab(np.array([0.3, -0.25]), ligands=False).passed
    assert gates.polymer_outside_slab(np.array([0.3, -0.25]), ligands=True).passed


def test_an_empty_first_layer_is_a_failure_not_a_number():
    check = gates.first_layer(np.zeros(10))
    assert not check.passed
    assert gates.CAUSES[check.name] == "unconverged"


def test_a_value_that_is_not_a_number_passes_no_gate():
    assert not gates.max_force(float("nan")).passed


def test_every_gate_has_a_cause():
    checks = [
        *gates.charges(0, 0, 0),
        gates.max_force(1),
        gates.temperature(np.full(4, 400.0), 400.0, 10, 5),
        *gates.bond_stretch(np.ones(2)),
        gates.slab_rigid(np.zeros((2, 3)), np.zeros((2, 3))),
        gates.energy_drift(np.arange(4.0), np.zeros(4), 10, 3.3),
        gates.polymer_outside_slab(np.ones(3), False),
        gates.first_layer(np.ones(3)),
    ]
    assert {check.name for check in checks} - {"dq_small", "bond_strain"} <= set(gates.CAUSES)


def test_two_interfaces_that_disagree_are_flagged():
    rng = np.random.default_rng(3)
    near, far = rng.normal(0, 1, 100), rng.normal(5, 1, 100)
    assert gates.interfaces_agree("dipole", gates.Interfaces(near, far)).flagged
    assert not gates.interfaces_agree("dipole", gates.Interfaces(near, -near)).flagged
