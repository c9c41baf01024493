"""Whole smoke runs of polymers with rings, stereocentres and two kinds of units."""

import numpy as np
import pytest

from loop.types import Design, Task
from oracles.openmm import OpenMMOracle
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import stereocentres
from oracles.openmm.build.polymers import polymer
from oracles.openmm.files import TOPOLOGY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "density"),
    [
        ({"polymer": "PS", "tacticity": "syndiotactic", "chain_length": 6}, (0.7, 1.05)),
        ({"polymer": "*CC(F)(F)*.*CC(*)C(=O)OC", "comonomer_fraction": 0.3, "chain_length": 6}, (0.9, 1.5)),
    ],
)
def test_a_smoke_run_ends_in_a_record(values, density, tmp_path):
    oracle = OpenMMOracle(platform="CPU")
    design = Design(values)
    assert all(check.passed for check in oracle.check(design, "smoke"))
    outcome = oracle.evaluate(design, Task("t", design.id, "md", "smoke", 0, 7), tmp_path)
    assert all(check.passed for check in outcome.checks)
    assert all(np.isfinite([estimate.mean, estimate.se]).all() for estimate in outcome.estimates.values())
    assert density[0] < outcome.estimates["film_density"].mean < density[1]
    if values["polymer"] == "PS":
        assert _alternating(
            polymer("PS").chain("A" * 6), _last_frame(tmp_path / TOPOLOGY), outcome.provenance["chains"]
        )


def _last_frame(path):
    """(N, 3) A of a PDB file."""
    lines = [line for line in path.read_text().splitlines() if line.startswith(("ATOM", "HETATM"))]
    return np.array([[float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines])


def _alternating(made: Molecule, x: np.ndarray, chains: int) -> bool:
    """Whether the stereocentres of every chain still alternate."""
    n = len(made.elements)
    centres = np.flatnonzero(stereocentres(made.smiles, tuple(made.backbone.tolist())))
    for whole in x[-n * chains :].reshape(chains, n, 3):
        signs = []
        for k in centres:
            before, atom, after = (int(made.backbone[k + step]) for step in (-1, 0, 1))
            sides = [j for j in made.neighbours[atom] if j not in (before, after)]
            signs.append(np.sign(np.linalg.det([whole[j] - whole[atom] for j in (after, *sides)])))
        if (np.diff(signs) == 0).any():
            return False
    return True
