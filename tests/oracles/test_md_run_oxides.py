"""Films on every surface at its neutral density: the energy minimum is a sane one, and dynamics give a record."""

import numpy as np
import openmm
import pytest

from loop import Design, Task
from oracles.openmm import OpenMMOracle
from oracles.openmm.build.assemble import Surface, build_system
from oracles.openmm.build.hydroxyls import add_hydroxyls
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab
from oracles.openmm.forcefield import oxides
from oracles.openmm.listing import materials
from oracles.openmm.materials import catalogue

ROWS = {(row["oxide"], row["facet"], row["termination"]): row for row in materials()["oxides"]["rows"]}
MODELLED = [(s, model) for s in ROWS for model in oxides.MODELS if s[0] in catalogue.data(model)["metals"]]


def neutral_design(surface, model):
    oxide, facet, termination = surface
    density = ROWS[surface][f"neutral_{model}"]
    return {"oxide": oxide, "facet": facet, "termination": termination, "hydroxyl_density": density}


@pytest.mark.parametrize("fidelity", ["smoke", "screen"])
@pytest.mark.parametrize(("surface", "model"), MODELLED)
def test_every_surface_can_be_built_at_its_neutral_density(surface, model, fidelity):
    design = Design(neutral_design(surface, model))
    refused = [c for c in OpenMMOracle(oxide_model=model).check(design, fidelity) if not c.passed]
    assert not refused


@pytest.mark.parametrize(("surface", "model"), MODELLED)
def test_hydroxyls_come_to_rest_on_their_own_oxygens(surface, model):
    size = SIZES["smoke"]
    slab = build_slab(*surface, size.lateral, size.slab_thickness)
    per_face = round(ROWS[surface][f"neutral_{model}"] * slab.area)
    made = Surface(slab, add_hydroxyls(slab, per_face, model, 3), model)
    system = build_system(made, [], np.array([*slab.lateral, slab.height + 1.5]), size.cutoff)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, {"Threads": "1"})
    context.setPositions(made.positions)
    openmm.LocalEnergyMinimizer.minimize(context, 20, 300)
    state = context.getState(positions=True, forces=True)
    x, forces = state.getPositions(asNumpy=True)._value, state.getForces(asNumpy=True)._value
    hydrogens, oxygens = x[len(slab.sites) :], x[made.hydroxyls.oxygens]
    bond = catalogue.data(model)["hydroxyl_bond"]["length"]
    assert np.linalg.norm(forces[len(slab.sites) :], axis=1).max(initial=0.0) < 1000
    assert np.linalg.norm(hydrogens - oxygens, axis=1) == pytest.approx(np.full(2 * per_face, bond), rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("surface", "model"),
    [
        (("magnetite", "001", "half-tetrahedral"), "minff"),
        (("quartz", "0001", "oxygen"), "clayff"),
        (("rutile", "110", "oxygen"), "minff"),
    ],
)
def test_a_smoke_replica_gives_a_record(surface, model, tmp_path):
    design = Design({**neutral_design(surface, model), "chain_length": 6})
    oracle = OpenMMOracle(oxide_model=model, platform="CPU")
    outcome = oracle.evaluate(design, Task("t", design.id, "openmm", "smoke", 0, seed=5), tmp_path)
    assert all(check.passed for check in outcome.checks)
    assert outcome["dq"].mean == pytest.approx(0.0, abs=0.01)
    assert 20 < outcome["adhesion_lj"].mean < 100
    assert outcome["adhesion_energy"].mean > 0
    assert outcome.provenance["oxide_model"] == model
