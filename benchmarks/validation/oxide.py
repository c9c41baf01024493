"""Lattice constant and bulk modulus of MgO under both oxide sets, from energies of strained crystals.

Every ion of rock salt sits on a centre of symmetry: no force acts on it at any volume, and nothing is left to relax.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import openmm

from oracles.openmm.build.crystal import SurfaceCell, surface_cell
from oracles.openmm.build.packing import AVOGADRO
from oracles.openmm.forcefield.oxides import MODELS, OXYGEN, core, metals
from oracles.openmm.simulate.platforms import choose

OXIDE = "periclase"
REPEATS = 4
"""Conventional cells along each edge: 512 ions, an edge of 1.7 nm."""
CUTOFF = 0.75
TIGHT = 1e-6
"""nm, and the tolerance of the Ewald sum (charges and dispersion)."""
STRAINS = np.arange(-0.03, 0.0301, 0.01)
GPA = 1.0 / AVOGADRO
"""GPa of 1 kJ/mol/nm^3."""
EXPERIMENT = {"a": 0.4212, "bulk_modulus": 160.2}
"""nm (74.71 A^3 a cell) and GPa (isothermal) at 300 K: Speziale et al., J. Geophys. Res. 2001, 106, 515."""


def cell() -> SurfaceCell:
    """The conventional cubic cell."""
    return surface_cell(OXIDE, np.eye(3).tolist())


def lattice(model: str) -> tuple[openmm.System, np.ndarray, np.ndarray]:
    """System, fractional coordinates (n, 3) and box (3,) nm of the supercell at the lattice constant of experiment."""
    unit = cell()
    edges = np.array([*unit.edges, unit.period])
    shifts = np.array(list(product(range(REPEATS), repeat=3)))
    fractions = ((unit.positions / edges)[None] + shifts[:, None]).reshape(-1, 3) / REPEATS
    metal = metals(model, OXIDE)
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.LJPME)
    force.setCutoffDistance(CUTOFF)
    force.setEwaldErrorTolerance(TIGHT)
    made = openmm.System()
    made.setDefaultPeriodicBoxVectors(*np.diag(REPEATS * edges))
    opposite = -next(iter(metal.values()))["charge"]
    for site in unit.sites * len(shifts):
        made.addParticle(1.0)
        kind = core(model, OXIDE, site)
        charge = opposite if site == OXYGEN else metal[site]["charge"]
        force.addParticle(charge, kind["sigma"], kind["epsilon"])
    made.addForce(force)
    return made, fractions, REPEATS * edges


def energies(model: str, strains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """nm^3 and kJ/mol of a conventional cell at linear strains from the experimental lattice."""
    made, fractions, box = lattice(model)
    context = choose("Reference").context(made, openmm.VerletIntegrator(0.001))
    volumes, found = [], []
    for strain in strains:
        edges = box * (1 + strain)
        context.setPeriodicBoxVectors(*np.diag(edges))
        context.setPositions(fractions * edges)
        volumes.append(np.prod(edges) / REPEATS**3)
        found.append(context.getState(energy=True).getPotentialEnergy()._value / REPEATS**3)
    return np.array(volumes), np.array(found)


def equation(volumes: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Volume and V d2E/dV2 (in the units given) where the energy is lowest: a cubic in V^(-2/3), Birch 1947."""
    x = volumes ** (-2 / 3)
    fit = np.polynomial.Polynomial.fit(x, found, 3)
    slope = fit.deriv()
    lowest = next(float(r.real) for r in slope.roots() if abs(r.imag) < 1e-9 and slope.deriv()(r.real) > 0)
    volume = float(lowest**-1.5)
    return volume, float(4 / 9 * fit.deriv(2)(lowest) * volume ** (-7 / 3))


def measure() -> dict[str, Any]:
    """nm and GPa by oxide set; strains are laid anew about the minimum once it is known."""
    rows = {}
    for model in MODELS:
        start = float(np.prod([*cell().edges, cell().period]))
        volume, _ = equation(*energies(model, STRAINS))
        volume, stiffness = equation(*energies(model, (volume / start) ** (1 / 3) * (1 + STRAINS) - 1))
        rows[model] = {"a": round(volume ** (1 / 3), 4), "bulk_modulus": round(stiffness * GPA, 1)}
    return rows


def text(found: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "## Bulk modulus of MgO\n",
        "Static, from energies of 512 ions at seven volumes about the lowest (Ewald sums of charges and dispersion).\n",
        "| source | a, nm | bulk modulus, GPa |",
        "|---|---|---|",
        *(f"| {model} | {row['a']:.4f} | {row['bulk_modulus']:.0f} |" for model, row in found.items()),
        f"| experiment, 300 K (Speziale et al., J. Geophys. Res. 2001, 106, 515) | {EXPERIMENT['a']:.4f} "
        f"| {EXPERIMENT['bulk_modulus']:.0f} |",
        "\nCLAYFF was made for clays and their water; its magnesium here is that of a hydroxide, of charge 1.05, and",
        "MgO comes out wide and soft. MINFF's set is tailored to MgO and gives the lattice constant, but with charges",
        "of 1.56 against 12-6 cores it is twice too stiff. Films hold their slabs rigid at the experimental structure,",
        "so that neither miss enters a film; it says that a slab must not be let go.",
    ]
    return "\n".join(lines)
