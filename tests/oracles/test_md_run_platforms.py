"""Which platform runs: the order, the hard requirement, the proof."""

import numpy as np
import openmm
import pytest

from loop import OracleFailure
from loop.campaign import load
from loop.errors import BadInput
from oracles.openmm import OpenMMOracle
from oracles.openmm.simulate.platforms import AUTOMATIC, available, choose, force_error

CAMPAIGN = """name: gpu
seed: 1
space: {{temperature: {{real: [350, 450]}}}}
objectives: [{{property: adhesion_energy, goal: maximize}}]
oracles:
  md:
    {{kind: openmm, platform: {}, fidelity: smoke}}
generator: {{kind: uniform}}
acquisition: {{kind: random}}
stop: {{evaluations: 8}}
"""


def test_automatic_choice_is_the_first_that_works():
    chosen = choose("auto")
    working = [name for name in AUTOMATIC if works(name)]
    assert chosen.platform == working[0]
    assert chosen.device


def works(name):
    try:
        choose(name)
    except OracleFailure:
        return False
    return True


def test_a_cpu_runs_on_one_thread():
    chosen = choose("CPU")
    system = openmm.System()
    system.addParticle(1.0)
    context = chosen.context(system, openmm.VerletIntegrator(0.001))
    assert context.getPlatform().getPropertyValue(context, "Threads") == "1"


@pytest.mark.parametrize("name", ["CUDA", "HIP", "OpenCL", "PoCL"])
def test_a_named_platform_that_is_missing_is_an_infrastructure_failure(name):
    if works(name):
        pytest.skip(f"{name} works here")
    with pytest.raises(OracleFailure) as caught:
        choose(name)
    assert caught.value.cause == "infrastructure"
    assert name in caught.value.reason
    assert "CPU" in caught.value.reason


@pytest.mark.parametrize("name", ["CUDA", "HIP"])
def test_a_missing_gpu_is_refused_before_a_campaign_starts(name, tmp_path):
    if works(name):
        pytest.skip(f"{name} works here")
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN.format(name))
    with pytest.raises(BadInput) as caught:
        load(path)
    (line,) = caught.value.problems
    assert f"campaign.yaml:7:30: oracles.md.platform: platform {name} does not work on this machine" in line
    assert "name one of these, or auto" in line
    assert load(path, thorough=False).name == "gpu"  # a report needs no GPU


def test_what_every_machine_has_is_ready():
    for name in ("auto", "CPU", "Reference"):
        OpenMMOracle(platform=name).ready()


def test_an_unknown_name_is_refused_with_its_key():
    for key, value in (("platform", "cuda"), ("precision", "half"), ("oxide_model", "clay")):
        with pytest.raises(ValueError, match=key) as caught:
            OpenMMOracle(**{key: value})
        assert caught.value.key == key


def test_forces_are_compared_with_reference():
    system = openmm.System()
    force = openmm.NonbondedForce()
    rng = np.random.default_rng(1)
    positions = np.stack(np.meshgrid(*[np.arange(4) * 0.4] * 3), -1).reshape(-1, 3) + rng.normal(0, 0.03, (64, 3))
    for k in range(64):
        system.addParticle(12.0)
        force.addParticle(0.3 * (-1) ** k, 0.3, 0.4)
    system.addForce(force)
    check = force_error(system, positions, choose("CPU"), seed=1)
    assert check.passed
    assert 0 < check.value < 1e-4
    assert "CPU" in available()
