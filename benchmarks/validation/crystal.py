"""The beta crystal of PVDF at 300 K and 1 bar: cell, density and spontaneous polarisation.

Chains run along z through the periodic boundary and back into themselves: to its force field such a chain is a ring.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import openmm

from benchmarks.validation.unfinished import gathered
from loop.seeds import derive
from oracles.openmm.build.assemble import EWALD_TOLERANCE, SWITCH_WIDTH, add_bonded, add_nonbonded, atomic_mass
from oracles.openmm.build.molecules import Molecule, molecule
from oracles.openmm.build.packing import AVOGADRO
from oracles.openmm.forcefield.assign import assign
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.observe.observer import arrays
from oracles.openmm.simulate.equilibrate import BAROSTAT_EVERY, MINIMISE_TOLERANCE
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.pushoff import seed32

CELL = np.array([0.858, 0.491, 0.256])
"""nm: a, b (the polar axis), c (the chains'), two chains of one unit each: Hasegawa, Takahashi, Chatani, Tadokoro,
Polym. J. 1972, 3, 600, 10.1295/polymj.3.600."""
CELLS = (2, 4)
"""Cells along a and b; a chain has `UNITS` units."""
UNITS = 7
CUTOFF = 0.8
"""nm, below half of every edge."""
TEMPERATURE, FRICTION, STEP = 300.0, 2.0, 4.0
"""K, 1/ps, fs."""
SETTLING, SAMPLES, SAMPLE = 3000, 100, 50
"""Steps before sampling, samples, and steps between them: 12 ps and 20 ps."""
BLOCKS = 5
C_M2 = 0.1602176634
"""C/m^2 of 1 e/nm^2."""
FIELDS = {"Sage": "sage", "Byutner-Smith": "byutner-smith"}


@dataclass(frozen=True)
class Crystal:
    """A supercell: `chain` and its parameters, (chains, atoms, 3) nm, the box (3,) nm."""

    chain: Molecule
    parameters: Parameters
    positions: np.ndarray
    box: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        return self.positions.reshape(-1, 3)

    @property
    def mass(self) -> float:
        """g/mol of the supercell."""
        return len(self.positions) * sum(atomic_mass(element) for element in self.chain.elements)

    def polarisation(self, positions: np.ndarray, box: np.ndarray) -> np.ndarray:
        """(3,) C/m^2 of `positions` (N, 3) nm, chains whole: dipole per volume."""
        dipole = np.tile(self.parameters.charges, len(self.positions)) @ positions
        return np.asarray(C_M2 * dipole / np.prod(box))


def chain() -> Molecule:
    """The ring of CH2-CF2 units that an infinite chain is."""
    smiles = "C1C(F)(F)" + "CC(F)(F)" * (UNITS - 2) + "CC1(F)F"
    heavy = 4  # atoms of a unit besides hydrogen: C, C, F, F
    backbone = [heavy * unit + atom for unit in range(UNITS) for atom in (0, 1)]
    return molecule(smiles, np.repeat(np.arange(UNITS), heavy), backbone)


def build(field: str, cell: np.ndarray | None = None) -> Crystal:
    """All-trans chains on the two sites of `cell` (3,) nm, CF2 towards +b, with a force field's lengths and angles; by
    default a and b of experiment, and the c that those lengths and angles give."""
    kind = chain()
    parameters = assign(kind, field)
    if cell is None:
        cell = np.array([*CELL[:2], repeat(kind, parameters)])
    one = straight(kind, parameters, float(cell[2]))
    sites = [(i + half, j + half, 0.0) * cell for i in range(CELLS[0]) for j in range(CELLS[1]) for half in (0.0, 0.5)]
    return Crystal(kind, parameters, np.array([one + site for site in sites]), cell * (*CELLS, UNITS))


def repeat(kind: Molecule, parameters: Parameters) -> float:
    """nm per unit of a planar zigzag with the force field's bond and mean backbone angle."""
    length, angles = _backbone(kind, parameters)
    return float(2 * length * np.sin(np.mean(angles) / 2))


def straight(kind: Molecule, parameters: Parameters, c: float) -> np.ndarray:
    """(n, 3) nm of one planar zigzag in the yz plane that repeats every `c` nm, CF2 above CH2 along y."""
    lengths = {frozenset(bond[:2]): bond[2] for bond in parameters.bonds}
    spread = {(j, frozenset((i, k))): theta for i, j, k, theta, _ in parameters.angles}
    amplitude = np.sqrt(_backbone(kind, parameters)[0] ** 2 - (c / 2) ** 2)
    x = np.empty((len(kind.elements), 3))
    for k, carbon in enumerate(kind.backbone.tolist()):
        up = 1.0 if k % 2 else -1.0
        x[carbon] = (0.0, up * amplitude / 2, k * c / 2)
        sides = [i for i in kind.neighbours[carbon] if kind.elements[i] != "C"]
        half = spread[carbon, frozenset(sides)] / 2
        for sign, side in zip((1.0, -1.0), sides, strict=True):
            length = lengths[frozenset((carbon, side))]
            x[side] = x[carbon] + length * np.array([sign * np.sin(half), up * np.cos(half), 0.0])
    return x


def _backbone(kind: Molecule, parameters: Parameters) -> tuple[float, list[float]]:
    """nm of a backbone bond and radians of the angles between two."""
    carbons = set(kind.backbone.tolist())
    length = next(r for i, j, r, _ in parameters.bonds if {i, j} <= carbons)
    return length, [theta for i, j, k, theta, _ in parameters.angles if {i, j, k} <= carbons]


def system(crystal: Crystal) -> openmm.System:
    """The force field in the supercell, as films have it, with bonded terms through the boundary."""
    made = openmm.System()
    made.setDefaultPeriodicBoxVectors(*np.diag(crystal.box))
    bonded = {
        "bond": openmm.HarmonicBondForce(),
        "angle": openmm.HarmonicAngleForce(),
        "torsion": openmm.PeriodicTorsionForce(),
    }
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(CUTOFF)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(CUTOFF - SWITCH_WIDTH)
    force.setUseDispersionCorrection(True)
    force.setEwaldErrorTolerance(EWALD_TOLERANCE)
    force.setExceptionsUsePeriodicBoundaryConditions(True)
    for _ in crystal.positions:
        add_bonded(made, bonded, crystal.chain, crystal.parameters, constrain=True)
        add_nonbonded(force, crystal.chain, crystal.parameters)
    for term in bonded.values():
        term.setUsesPeriodicBoundaryConditions(True)
        made.addForce(term)
    made.addForce(force)
    return made


def run(crystal: Crystal, seed: int, settling: int = SETTLING, samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Box edges (samples, 3) nm and polarisation (samples, 3) C/m^2 at 300 K and 1 bar, each edge free."""
    made = system(crystal)
    barostat = openmm.MonteCarloAnisotropicBarostat(
        openmm.Vec3(1.0, 1.0, 1.0), TEMPERATURE, True, True, True, BAROSTAT_EVERY
    )
    barostat.setRandomNumberSeed(seed32(seed, "barostat"))
    made.addForce(barostat)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, STEP * 1e-3)
    integrator.setRandomNumberSeed(seed32(seed, "thermostat"))
    compute = choose("CPU")
    with compute.core():
        context = compute.context(made, integrator)
        context.setPositions(crystal.flat)
        openmm.LocalEnergyMinimizer.minimize(context, MINIMISE_TOLERANCE, 300)
        context.applyConstraints(1e-6)
        context.setVelocitiesToTemperature(TEMPERATURE, seed32(seed, "velocities"))
        integrator.step(settling)
        boxes, moments = [], []
        for _ in range(samples):
            integrator.step(SAMPLE)
            positions, box = arrays(context, "positions", "box")
            boxes.append(box)
            moments.append(crystal.polarisation(positions, box))
    return np.array(boxes), np.array(moments)


def row(field: str) -> dict[str, Any]:
    """Means with standard errors of blocks: cell nm, density g/cm^3, polarisation along b C/m^2."""
    began = time.process_time()
    crystal = build(field)
    boxes, moments = run(crystal, derive(2026, "beta crystal", field))
    series = {axis: boxes[:, k] / n for k, (axis, n) in enumerate(zip("abc", (*CELLS, UNITS), strict=True))}
    series["density"] = crystal.mass / AVOGADRO / boxes.prod(axis=1)
    series["polarisation"] = -moments[:, 1]
    found: dict[str, Any] = {name: blocked(values) for name, values in series.items()}
    ideal = build(field, CELL)
    found["ideal"] = round(-float(ideal.polarisation(ideal.flat, ideal.box)[1]), 4)
    found["picoseconds"] = len(boxes) * SAMPLE * STEP * 1e-3
    return {**found, "atoms": len(crystal.flat), "cpu_seconds": round(time.process_time() - began)}


def blocked(values: np.ndarray) -> list[float]:
    """Mean and its standard error from blocks."""
    means = [block.mean() for block in np.array_split(values, BLOCKS)]
    return [round(float(np.mean(means)), 5), round(float(np.std(means, ddof=1) / np.sqrt(BLOCKS)), 5)]


def measure() -> dict[str, Any]:
    return gathered("crystal", {name: partial(row, field) for name, field in FIELDS.items()})


def text(found: Mapping[str, Any]) -> str:
    volume, units = float(np.prod(CELL)), 2
    experiment = units * (2 * atomic_mass("C") + 2 * atomic_mass("H") + 2 * atomic_mass("F")) / AVOGADRO / volume
    first = next(iter(found.values()))
    lines = [
        "## Beta crystal of PVDF\n",
        f"{first['atoms']} atoms: {2 * CELLS[0] * CELLS[1]} parallel chains of {UNITS} units that run through the",
        f"boundary into themselves, so that there are no ends. 300 K and 1 bar, each edge free, cut-off {CUTOFF} nm;",
        f"the ps shown, after 12 to 16 ps, errors from {BLOCKS} blocks. Polarisation along b: of the fixed charges,",
        "without that which chains induce in one another. Ideal: the same charges on planar zigzags at 0 K in the",
        "experimental cell.\n",
        "| source | ps | a, nm | b, nm | c, nm | g/cm^3 | polarisation, C/m^2 | ideal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        edges = " | ".join(f"{row[axis][0]:.4f} +- {row[axis][1]:.4f}" for axis in "abc")
        density = f"{row['density'][0]:.3f} +- {row['density'][1]:.3f}"
        moment = f"{row['polarisation'][0]:.4f} +- {row['polarisation'][1]:.4f}"
        lines.append(f"| {name} | {row['picoseconds']:.0f} | {edges} | {density} | {moment} | {row['ideal']:.3f} |")
    lines += [
        "| X-ray, 10.1295/polymj.3.600 | | "
        + " | ".join(f"{edge:.3f}" for edge in CELL)
        + f" | {experiment:.3f} | | |",
        "| DFT, 10.1039/c8sm00262b | | | | | | 0.18 | |",
        "| model with effective dipoles, 10.1103/PhysRevB.69.235106 | | | | | | 0.087 | |",
        "| remanent, annealed cast film (Satapathy et al., Bull. Mater. Sci. 2011, 34, 727) | | | | | | 0.049 | |",
    ]
    return "\n".join(lines)
