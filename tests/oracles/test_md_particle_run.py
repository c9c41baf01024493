"""A whole particle in a melt, run: rigid, in one piece, and answered like a film."""

from dataclasses import replace

import numpy as np
import pytest

from loop import Design, Task
from oracles.openmm import OpenMMOracle, oracle
from oracles.openmm.build.size import SIZES, Size
from oracles.openmm.simulate.fidelity import FIDELITIES

DESIGN = Design({"particle_radius": 0.9, "chain_length": 6, "hydroxyl_density": 4.0})
TINY = Size(lateral=(0.0, 0.0), slab_thickness=0.0, gap=0.95, cutoff=0.8)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The design at `production` with the size of a few molecules and the stages of `smoke`."""
    folder = tmp_path_factory.mktemp("particle")
    stages = FIDELITIES["smoke"]
    short = replace(stages, production=replace(stages.production, steps=500))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle, "SIZES", {**SIZES, "production": TINY})
        patch.setattr(oracle, "FIDELITIES", {**FIDELITIES, "production": short})
        task = Task("t", DESIGN.id, "openmm", "production", 0, seed=5)
        found = OpenMMOracle(platform="CPU", pvdf_model="byutner-smith").evaluate(DESIGN, task, folder)
    return folder, found


@pytest.mark.slow
def test_a_particle_answers_everything_that_a_film_does(answered):
    _, found = answered
    assert {name: e.unit for name, e in found.items()} == dict(OpenMMOracle.properties)
    assert all(np.isfinite([e.mean, e.se]).all() and e.se >= 0 for e in found.values())
    assert all(check.passed for check in found.checks)
    assert {"temperature", "energy_drift", "slab_rigid", "polymer_outside_slab"} <= {c.name for c in found.checks}
    assert found["adhesion_energy"].mean == pytest.approx(found["adhesion_coulomb"].mean + found["adhesion_lj"].mean)
    assert 20 < found["adhesion_lj"].mean < 150
    assert 0.8 < found["film_density"].mean < 1.7
    assert abs(found["dq"].mean) < 0.1
