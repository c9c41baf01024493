"""The GPU code path, run on PoCL (OpenCL emulated on the CPU), which only ever runs when it is named.

Continuous integration installs PoCL and sets REQUIRE_POCL, so that there a missing one is a failure; elsewhere these
tests are skipped without it.
"""

import locale
import os

import numpy as np
import openmm
import pytest

from loop import OracleFailure
from oracles.openmm.build.film import build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.platforms import POCL_VENDOR, choose, force_error
from oracles.openmm.simulate.pushoff import push_off
from oracles.openmm.simulate.replica import PREPARED, machine
from oracles.openmm.simulate.segments import Journal

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def pocl():
    try:
        return choose("PoCL")
    except OracleFailure as failure:
        if os.environ.get("REQUIRE_POCL"):
            raise
        pytest.skip(f"{failure.reason}; apt-get install pocl-opencl-icd ocl-icd-libopencl1")


@pytest.fixture(scope="module")
def film():
    return build_film({}, SIZES["smoke"], Seeds(surface=1, chains=2, velocities=3))


@pytest.fixture(scope="module")
def positions(film):
    """Without overlaps, by the CPU: the minimiser's OpenCL kernels crash in PoCL."""
    return push_off(film, 50, 4, choose("CPU"))


def test_automatic_choice_passes_pocl_over(pocl):
    assert POCL_VENDOR in pocl.device and pocl.platform == "OpenCL"
    assert POCL_VENDOR not in choose("auto").device


def test_opencl_means_a_real_device(pocl):
    try:
        device = choose("OpenCL").device
    except OracleFailure as failure:
        assert failure.cause == "infrastructure" and "name PoCL" in failure.reason
    else:
        assert POCL_VENDOR not in device


@pytest.mark.slow
def test_a_film_has_the_forces_of_reference(pocl, film, positions):
    encoding = locale.getencoding()
    check = force_error(film.system, positions, pocl, seed=3)
    assert check.passed and 0 < check.value < 5e-5
    assert locale.getencoding() == encoding, "creating the Context left the process in another locale"
    assert "OpenCL against Reference" in check.detail


@pytest.mark.slow
def test_a_run_and_its_checkpoint_belong_to_their_platform(pocl, film, positions, tmp_path):
    context = pocl.context(film.system, openmm.LangevinMiddleIntegrator(400.0, 1.0, 0.0005))
    context.setPositions(positions)
    context.setVelocitiesToTemperature(400.0, 1)
    context.getIntegrator().step(10)
    moved = context.getState(positions=True).getPositions(asNumpy=True)._value
    assert np.isfinite(moved).all()
    assert np.abs(moved[film.slab] - positions[film.slab]).max() < 1e-6  # nm
    checkpoint = context.createCheckpoint()
    context.loadCheckpoint(checkpoint)

    cpu = choose("CPU")
    elsewhere = cpu.context(film.system, openmm.LangevinMiddleIntegrator(400.0, 1.0, 0.0005))
    with pytest.raises(openmm.OpenMMException, match="different Platform"):
        elsewhere.loadCheckpoint(checkpoint)
    journal = Journal(tmp_path, {"design": "reference film"})
    journal.resume(machine(film, pocl))
    journal.commit(PREPARED, 0, checkpoint, {}, height=float(film.box[2]))
    resumed = Journal(tmp_path, {"design": "reference film"})
    resumed.resume(machine(film, cpu))
    assert resumed.entries == [] and "platform changed" in resumed.notes[0]
