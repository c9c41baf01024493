"""The oracle on a real film: numbers, continuation after kill -9, and dynamics that run away."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from loop import Design, OracleFailure, Task
from loop.report.profiles import read
from oracles.openmm import OpenMMOracle, oracle
from oracles.openmm.simulate import fidelity
from oracles.openmm.simulate.segments import MANIFEST

DESIGN = Design({"oxide": "magnetite", "polymer": "PVDF", "chain_length": 6, "temperature": 400.0})
TASK = Task("t", DESIGN.id, "openmm", "smoke", 0, seed=11)
SCRIPT = """
import sys
from pathlib import Path
from loop import Design, Task
from oracles.openmm import OpenMMOracle
design = Design({values!r})
OpenMMOracle(platform="CPU").evaluate(design, Task("t", design.id, "openmm", "smoke", 0, 11), Path(sys.argv[1]))
"""


def start(folder):
    script = SCRIPT.format(values=dict(DESIGN.values))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", script, str(folder)], env=environment, start_new_session=True)


def manifest(folder):
    path = folder / MANIFEST
    return json.loads(path.read_text()) if path.exists() else {"segments": [], "answer": None}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """One uninterrupted smoke replica: its folder and Outcome."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, OpenMMOracle(platform="CPU").evaluate(DESIGN, TASK, folder)


@pytest.mark.slow
def test_a_smoke_replica_answers_everything_it_promises(answered):
    folder, outcome = answered
    assert {name: e.unit for name, e in outcome.items()} == dict(OpenMMOracle.properties)
    assert all(np.isfinite([e.mean, e.se]).all() and e.se >= 0 for e in outcome.values())
    parts = outcome["adhesion_coulomb"].mean + outcome["adhesion_lj"].mean
    assert outcome["adhesion_energy"].mean == pytest.approx(parts)
    assert 20 < outcome["adhesion_lj"].mean < 100
    assert 0.9 < outcome["film_density"].mean < 1.6
    assert all(check.passed for check in outcome.checks)
    assert {"temperature", "energy_drift", "slab_rigid", "forces_agree"} <= {check.name for check in outcome.checks}
    assert outcome.provenance["platform"] == "CPU"
    assert all((folder / name).stat().st_size > 0 for name in outcome.artifacts)


@pytest.mark.slow
def test_the_trajectory_opens_and_has_every_atom(answered):
    import mdtraj

    folder, outcome = answered
    trajectory = mdtraj.load(str(folder / outcome.artifacts[0]), top=str(folder / outcome.artifacts[1]))
    production = fidelity.FIDELITIES["smoke"].production
    frames = production.steps // production.sample // fidelity.FIDELITIES["smoke"].view_every
    assert trajectory.n_frames == frames
    assert trajectory.unitcell_lengths[0, 2] > 1.5


@pytest.mark.slow
def test_the_profiles_can_be_read_and_hold_the_whole_film(answered):
    import mdtraj

    folder, outcome = answered
    found = {one.name: one for one in read(folder / "profiles.json", folder)}
    assert list(found) == ["density", "dipole", "dipole_density", "order", "trans_fraction"]
    assert "profiles.json" in outcome.artifacts
    top = mdtraj.load(str(folder / "topology.pdb"))
    mass = sum(atom.element.mass for atom in top.top.atoms if atom.residue.name == "PVD")
    area = float(np.prod(top.unitcell_lengths[0, :2]))
    seen = 0.05 * 2 * area * sum(found["density"].values) / 1.66053906660e-3
    # all but what lies in the narrower bin in the middle of the gap
    assert 0.9 * mass < seen < 1.0001 * mass
    assert all(0 <= value <= 1 for value in found["trans_fraction"].values)
    assert all(-0.5 <= value <= 1 for value in found["order"].values)
    assert found["density"].values[0] == 0 < max(found["density"].errors)


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_equals_uninterrupted(answered, tmp_path):
    rng = np.random.default_rng(int.from_bytes(os.urandom(4), "big"))
    total = len(list(oracle.FIDELITIES["smoke"].stages))
    kills = 0
    while manifest(tmp_path)["answer"] is None:
        process = start(tmp_path)
        had = len(manifest(tmp_path)["segments"])
        if kills < 4:
            while len(manifest(tmp_path)["segments"]) < min(had + 2, total) and process.poll() is None:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.8))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
        else:
            assert process.wait(timeout=120) == 0
    resumed = OpenMMOracle(platform="CPU").evaluate(DESIGN, TASK, tmp_path)
    assert kills >= 2
    assert dict(resumed.estimates) == dict(answered[1].estimates)
    assert resumed.checks == answered[1].checks
    assert resumed.provenance["notes"] == []
    series = [np.load(folder / "observables.npz") for folder in (tmp_path, answered[0])]
    assert all(np.array_equal(series[0][name], series[1][name]) for name in series[1].files)
    assert (tmp_path / "profiles.json").read_bytes() == (answered[0] / "profiles.json").read_bytes()


@pytest.mark.slow
def test_a_finished_folder_answers_at_once_and_the_same(answered):
    folder, outcome = answered
    begin = time.process_time()
    again = OpenMMOracle(platform="CPU").evaluate(DESIGN, TASK, folder)
    assert time.process_time() - begin < 0.5
    assert again == outcome


def violent(push_off=20, minimise=20):
    """The smoke fidelity with steps of 60 fs: real dynamics that must run away."""
    smoke = fidelity.FIDELITIES["smoke"]
    ramp = dataclasses.replace(smoke.equilibration[0], step_fs=60.0)
    return dataclasses.replace(smoke, push_off=push_off, minimise=minimise, equilibration=(ramp,))


def test_dynamics_that_run_away_are_tried_thrice_then_a_typed_failure_with_evidence(monkeypatch, tmp_path):
    monkeypatch.setattr(oracle, "FIDELITIES", {"smoke": violent()})
    with pytest.raises(OracleFailure) as caught:
        OpenMMOracle(platform="CPU").evaluate(DESIGN, TASK, tmp_path)
    assert caught.value.cause == "unphysical"
    assert "3 times" in caught.value.reason
    assert len(caught.value.evidence) == 3
    evidence = (tmp_path / caught.value.evidence[-1]).read_text()
    assert "HETATM" in evidence
    assert "nan" not in evidence.lower()
    assert len(manifest(tmp_path)["tries"]) == 3
    with pytest.raises(OracleFailure, match="3 times"):
        OpenMMOracle(platform="CPU").evaluate(DESIGN, TASK, tmp_path)


def test_price_grows_with_fidelity_and_is_told_without_openmm():
    code = (
        "import sys; from loop import Design; from oracles.openmm import OpenMMOracle; "
        "assert 'openmm' not in sys.modules and 'scipy' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    smoke, screen = (OpenMMOracle().cost(DESIGN, name) for name in ("smoke", "screen"))
    assert 4 < smoke < 20
    assert 30 < screen < 120


def test_replicas_and_fidelities_of_the_contract():
    assert OpenMMOracle.fidelities == ("smoke", "screen", "standard", "production")
    assert OpenMMOracle.isolation == "process"
    assert OpenMMOracle.kind == "simulation"
    assert OpenMMOracle().default_replicates("screen") == 3
