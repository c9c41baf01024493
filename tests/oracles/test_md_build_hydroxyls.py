"""Hydroxyls stay on their oxygens at 4 fs on the surfaces where neighbouring oxygens pull hardest."""

import numpy as np
import openmm
import pytest

from oracles.openmm.build.assemble import Surface, build_system
from oracles.openmm.build.hydroxyls import add_hydroxyls, count
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab
from oracles.openmm.materials import catalogue


@pytest.mark.parametrize("oxide", ["periclase", "corundum"])
@pytest.mark.parametrize("seed", [0, 1])
def test_crowded_hydroxyls_hold_at_the_production_step(oxide, seed):
    size = SIZES["smoke"]
    facet = next(iter(catalogue.oxide(oxide)["facets"]))
    slab = build_slab(oxide, facet, "octahedral", size.lateral, size.slab_thickness)
    hydroxyls = add_hydroxyls(slab, count(8.0, slab.area), "clayff", seed)
    surface = Surface(slab, hydroxyls, "clayff")
    box = np.array([*slab.lateral, 2.4])
    integrator = openmm.LangevinMiddleIntegrator(400.0, 2.0, 0.001)
    integrator.setRandomNumberSeed(seed + 1)
    system = build_system(surface, [], box, size.cutoff)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})
    context.setPositions(surface.positions)
    openmm.LocalEnergyMinimizer.minimize(context, 20, 200)
    context.setVelocitiesToTemperature(400.0, seed + 1)
    integrator.step(200)
    integrator.setStepSize(0.004)
    oxygens = np.array([i for i, site in enumerate(slab.sites) if site == "oxygen"])
    for _ in range(20):
        integrator.step(20)
        x = context.getState(positions=True).getPositions(asNumpy=True)._value
        apart = x[len(slab.elements) :, None] - x[None, oxygens]
        apart -= np.round(apart / box) * box
        distances = np.sort(np.linalg.norm(apart, axis=-1), axis=1)
        assert distances[:, 0].max() < 0.118  # its own oxygen, at 0.1 nm
        assert distances[:, 1].min() > 0.135  # the next one
