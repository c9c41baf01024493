"""Films with ligands simulated to a record: one of each kind of head."""

import numpy as np
import pytest

from loop import Design, Task
from oracles.openmm import OpenMMOracle


@pytest.mark.slow
@pytest.mark.parametrize(
    ("oxide", "ligand"),
    [
        ("magnetite", "perfluorohexylphosphonate"),
        ("hematite", "dopamine"),
        ("corundum", "aminopropylsilane"),
    ],
)
def test_a_grafted_film_gives_a_record(oxide, ligand, tmp_path):
    values = {
        "oxide": oxide,
        "ligand": ligand,
        "ligand_density": 1.5,
        "hydroxyl_density": 1.5,
        "chain_length": 6,
        "temperature": 400.0,
    }
    design, oracle = Design(values), OpenMMOracle(platform="CPU")
    assert all(check.passed for check in oracle.check(design, "smoke"))
    outcome = oracle.evaluate(design, Task("t", design.id, "openmm", "smoke", 0, seed=7), tmp_path)
    assert all(check.passed for check in outcome.checks)
    assert set(outcome) == set(oracle.properties)
    assert all(np.isfinite([estimate.mean, estimate.se]).all() for estimate in outcome.values())
    assert 10 < outcome["adhesion_lj"].mean < 200
