"""The static scan of adhesion: energies as OpenMM's, Boltzmann's weights, the plug-in's contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loop.types import Design, Task
from oracles.openmm.build.assemble import build_system
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.film import surface_of
from oracles.openmm.build.melt import melt, shapes
from oracles.openmm.build.packing import random_rotation
from oracles.openmm.build.size import SIZES
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.scan import UNITS, AdhesionScan, Energies, reported, weighted
from oracles.openmm.simulate.dispersion import DispersionTail
from oracles.openmm.simulate.energy import InteractionEnergy, nonbonded
from oracles.openmm.simulate.landscape import OVERLAP, Landscape, Sites
from oracles.openmm.simulate.platforms import Compute

PVDF = {"oxide": "corundum", "hydroxyl_density": 5.2, "polymer": "PVDF"}


def scanned(values: dict, seed: int = 1):
    design = Design(values)
    return AdhesionScan().evaluate(design, Task("t", design.id, "scan", "scan", 0, seed), Path())


@pytest.fixture(scope="module")
def pvdf():
    return scanned(PVDF)


def test_a_placed_fragment_has_the_energy_of_the_assembled_system():
    values, cutoff = with_defaults(PVDF), 0.8
    surface = surface_of(values, SIZES["smoke"], 3, None, "clayff")
    chains = melt({**values, "chain_length": UNITS}, 1, "sage", 1)
    ((molecule, own),) = chains.members
    cell = np.array([*surface.slab.lateral, 8.0])
    system = build_system(surface, [(molecule, own)], cell, cutoff)
    force, first = nonbonded(system), len(surface.elements)
    assert force.getCutoffDistance()._value == cutoff
    force.setUseSwitchingFunction(False)
    fragment = np.arange(first, first + len(molecule.elements))
    energy = InteractionEnergy(system, fragment, cell, Compute("Reference", "", "double"))
    tail = DispersionTail(system, fragment, cell)
    table = np.array([[v._value for v in force.getParticleParameters(i)] for i in range(first)]).T
    top = surface.positions[:, 2].max()
    kinds = sorted(set(zip(own.sigma, own.epsilon, strict=True)))
    numbers = np.array([kinds.index(kind) for kind in zip(own.sigma, own.epsilon, strict=True)])
    landscape = Landscape(Sites(surface.positions - (0, 0, top), *table), cell, kinds, -0.15, 1.6, cutoff, 0.06)
    rng = np.random.default_rng(0)
    (form,) = shapes(chains, 400.0, 1)
    told, right = [], []
    for _ in range(25):
        x = form @ random_rotation(rng).T + np.array([*(rng.random(2) * cell[:2] * 3), rng.uniform(0.3, 0.6)])
        told.append(landscape(x, own.charges, numbers))
        whole = np.concatenate([surface.positions, x + np.array([0, 0, top])])
        right.append((energy(whole).coulomb, energy(whole).lj + tail(whole)))
    told, right = np.array(told), np.array(right)
    bound = right.sum(axis=1) < 0
    off = np.sqrt(((told - right)[bound] ** 2).mean(axis=0))
    assert bound.sum() > 10 and np.abs(right[bound]).mean() > 5
    assert off[0] < 0.3 and off[1] < 1.0  # kJ/mol
    deep = form + np.array([0.0, 0.0, -0.2 - form[:, 2].min()])
    assert landscape(deep, own.charges, numbers)[1] == OVERLAP


def test_places_are_averaged_by_boltzmanns_weights():
    # kT = 1 kJ/mol: -ln 2 and -ln 3 have weights 2 and 3, an overlap none, and a fragment elsewhere 1
    temperature = 1 / GAS_CONSTANT
    open_, blocked = [[-np.log(2.0)], [-np.log(3.0)], [1e5]], [[1e5], [1e5], [2e5]]
    whole = np.array([open_, blocked])
    energies = Energies(whole, whole * 2, -whole)
    mean = -(2 * np.log(2.0) + 3 * np.log(3.0)) / 6
    right = np.array([[mean, 2 * mean, -mean], [0.0, 0.0, 0.0]])
    assert weighted(energies, temperature) == pytest.approx(right, rel=1e-5)


def test_energies_per_area_become_adhesion():
    found = reported(np.array([[-10.0, -8.0, -2.0], [-14.0, -10.0, -4.0]]), area=0.5)
    # 12 kJ/mol over 0.5 nm^2 is 24 * 1.66054 mJ/m^2; the two places are 4 apart, so that the error is 2
    assert found["adhesion_energy"].mean == pytest.approx(24 * 1.66053906660)
    assert found["adhesion_energy"].se == pytest.approx(4 * 1.66053906660)
    assert found["adhesion_coulomb"].mean + found["adhesion_lj"].mean == pytest.approx(found["adhesion_energy"].mean)


def test_a_seed_gives_one_answer_and_another_seed_one_near_it(pvdf):
    again, other = scanned(PVDF), scanned(PVDF, seed=2)
    assert {name: e.mean for name, e in again.items()} == {name: e.mean for name, e in pvdf.items()}
    first, second = pvdf["adhesion_energy"], other["adhesion_energy"]
    assert first.mean != second.mean and abs(first.mean - second.mean) < 0.3 * first.mean
    assert 0 < first.se < 0.1 * first.mean
    assert pvdf["adhesion_coulomb"].mean + pvdf["adhesion_lj"].mean == pytest.approx(first.mean)


def test_only_polar_chains_are_held_by_charges(pvdf):
    polyethylene = scanned({**PVDF, "polymer": "PE"})
    assert polyethylene["adhesion_energy"].mean < 0.6 * pvdf["adhesion_energy"].mean
    assert abs(polyethylene["adhesion_coulomb"].mean) < 0.1 * polyethylene["adhesion_lj"].mean
    assert pvdf["adhesion_coulomb"].mean > pvdf["adhesion_lj"].mean


def test_ligands_keep_chains_from_the_oxide(pvdf):
    """In films of PVDF on corundum too: 144 mJ/m^2 under perfluorohexylphosphonate, 200 to 280 without."""
    grafted = scanned({**PVDF, "hydroxyl_density": 4.0, "ligand": "hexanoate", "ligand_density": 2.0})
    assert 0 < grafted["adhesion_coulomb"].mean < pvdf["adhesion_coulomb"].mean


@pytest.mark.slow
def test_the_plug_in_keeps_its_contract():
    """In a process of its own: one that has used OpenMM cannot fork."""
    code = (
        "from loop import Design; from loop.testing import check_oracle; from oracles.openmm.scan import AdhesionScan\n"
        "designs = [Design({'polymer': 'PE'}), Design({'hydroxyl_density': 99.0})]\n"
        "AdhesionScan().check(designs[0], 'scan')  # reads the catalogue\n"
        "check_oracle(AdhesionScan(), designs)"
    )
    shown = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=240)
    assert shown.returncode == 0, shown.stderr


def test_designs_are_checked_as_films_are():
    scan = AdhesionScan()
    assert all(check.passed for check in scan.check(Design(PVDF), "scan"))
    (flat,) = scan.check(Design({"particle_radius": 2.0}), "scan")
    assert not flat.passed
    (unknown,) = (check for check in scan.check(Design({"polymer": "PVFD"}), "scan") if not check.passed)
    assert unknown.name == "polymer"
    with pytest.raises(ValueError, match="clayff"):
        AdhesionScan(oxide_model="clay")
