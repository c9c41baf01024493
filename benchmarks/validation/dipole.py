"""Dipole of a vinylidene fluoride unit inside an all-trans chain, relaxed in free space."""

from __future__ import annotations

from typing import Any

import numpy as np
import openmm

from oracles.openmm.build.assemble import atomic_mass, build_isolated
from oracles.openmm.build.chains import grow
from oracles.openmm.build.polymers import polymer
from oracles.openmm.forcefield.assign import assign
from oracles.openmm.observe.dipoles import Units
from oracles.openmm.simulate.platforms import choose

UNITS = 8
FIELDS = {"Byutner-Smith": "byutner-smith", "Sage": "sage"}


def measure() -> dict[str, Any]:
    """D per unit, the end units left out, by force field: the mean of the units' dipoles, as a vector."""
    chain = polymer("PVDF").chain("A" * UNITS)
    groups = [np.flatnonzero(chain.monomer == k) for k in range(1, UNITS - 1)]
    masses = np.array([atomic_mass(element) for element in chain.elements])
    found = {}
    for name, field in FIELDS.items():
        parameters = assign(chain, field)
        context = choose("Reference").context(build_isolated(chain, parameters), openmm.VerletIntegrator(0.001))
        context.setPositions(grow(chain, parameters, np.full(len(chain.backbone) - 3, 180.0)))
        openmm.LocalEnergyMinimizer.minimize(context, 1.0)
        relaxed = context.getState(positions=True).getPositions(asNumpy=True)._value
        moments = Units(groups, masses, parameters.charges).dipoles(relaxed[None])[0]
        found[name] = round(float(np.linalg.norm(moments.mean(axis=0))), 3)
    return found


def text(found: dict[str, float]) -> str:
    rows = [f"| {name} | {value:.2f} |" for name, value in found.items()]
    return "\n".join(
        [
            "## Dipole of a VDF unit\n",
            f"Units inside an all-trans chain of {UNITS}, relaxed in free space; D per unit.\n",
            "| source | D |",
            "|---|---|",
            *rows,
            "| DFT, CH2-CF(CF3) in an isolated chain, the nearest that was read (10.1039/c8sm00262b) | 2.3 |",
            "| as cited for a monomer in vacuum (10.1155/2019/5961563) | 2.1 |",
        ]
    )
