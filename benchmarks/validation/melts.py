"""Densities of polymer melts at 1 bar, from bulks that the films' own code builds and prepares."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import openmm

from benchmarks.validation.unfinished import gathered
from loop.seeds import derive
from loop.types import Value
from oracles.openmm.build.assemble import atomic_mass
from oracles.openmm.build.away import away
from oracles.openmm.build.film import Film, build_film
from oracles.openmm.build.packing import AVOGADRO
from oracles.openmm.build.polymers import polymer
from oracles.openmm.build.size import Seeds, Size
from oracles.openmm.observe.observer import arrays, element_masses
from oracles.openmm.simulate.equilibrate import MINIMISE_TOLERANCE
from oracles.openmm.simulate.fidelity import FIDELITIES, ramp
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.pushoff import push_off, seed32

UNITS = 16
SLAB: Mapping[str, Value] = {"oxide": "rutile", "facet": "110", "hydroxyl_density": 0.0}
SIZE = Size(lateral=(1.9, 1.9), slab_thickness=0.4, gap=2.1, cutoff=0.9)
"""Of the film whose slab is then left out: 590 to 800 atoms remain, in a box that holds the cut-off."""
BOXES = 2
"""Independent packings of each melt."""
RECIPE = FIDELITIES["screen"]
"""Push-off and minimisation are those of a film."""
STEP, FRICTION, BAROSTAT_EVERY = 4.0, 2.0, 10
"""fs, 1/ps, steps."""
SAMPLE = 50
"""Steps between samples of the box."""
HOT, PRESSED = 600.0, 1000.0
"""K and bar of the compression."""


@dataclass(frozen=True)
class Schedule:
    """Steps of 4 fs: hot under pressure, hot at 1 bar, at the melt's own temperature, and in each of the windows that
    count."""

    ramp: int = 200
    compress: int = 2000
    melt: int = 1000
    settle: int = 2500
    window: int = 1500
    windows: int = 3


@dataclass(frozen=True)
class Case:
    """A polymer of 16 units, its force field, temperature (K), and the experiment: g/cm^3 of long chains, with its
    source."""

    polymer: str
    field: str
    temperature: float
    experiment: float
    source: str


TAIT = "Tait fit, Danner and High 1993"
CASES: Mapping[str, Case] = {
    "PVDF": Case("PVDF", "sage", 500.0, 1.475, "1.45 to 1.50 as commonly quoted; no measurement was read"),
    "PE": Case("PE", "sage", 450.0, 0.7674, f"{TAIT}, HDPE"),
    "PEO": Case("PEO", "sage", 360.0, 1.0735, "Sanchez-Lacombe fit, Danner and High 1993"),
    "PMMA": Case("PMMA", "sage", 430.0, 1.1248, TAIT),
    "PP": Case("PP", "sage", 470.0, 0.7529, f"{TAIT}, isotactic"),
    "PVDF (Byutner-Smith)": Case("PVDF", "byutner-smith", 500.0, 1.475, "as for PVDF above"),
    "PS": Case("PS", "sage", 460.0, 0.9773, TAIT),
}
"""Danner, High, Handbook of Polymer Solution Thermodynamics, DIPPR and AIChE 1993, as tabulated by polykin. Tait, zero
pressure, v = A0 + A1 t + A2 t^2 in 1e-3 cm^3/g and t in Celsius: HDPE (415 to 472 K) 1156.7, 0.62888, 1.1268e-3; PMMA
(387 to 432 K) 823.96, 0.3049, 0.70201e-3; isotactic PP (447 to 571 K) 1203.3, 0.48182, 0.77589e-3; PS (389 to 469 K)
938.05, 0.33086, 0.6691e-3. PEO (361 to 497 K), Sanchez-Lacombe: P* 492.2 MPa, v* 0.8492 cm^3/g, T* 656 K."""
HDPE = (1.1567, 6.2888e-4, 1.1268e-6)
OCTADECANE = (204.48, 0.23474, 747.0, 0.28571)
"""n-Octadecane, liquid: mol/m^3 = C1/C2^(1 + (1 - T/C3)^C4), Perry's Chemical Engineers' Handbook, 8th ed., 2008, table
2-32 (as tabulated by chemicals 1.5.2)."""
CARBONS = 18


def ends_volume(temperature: float) -> float:
    """cm^3/mol that the two ends (H) of a chain add to its units: of n-octadecane over as many CH2 of polyethylene."""
    c1, c2, c3, c4 = OCTADECANE
    molar = 1e6 / (c1 / float(c2 ** (1 + (1 - temperature / c3) ** c4)))
    return molar - CARBONS * methylene_volume(temperature)


def methylene_volume(temperature: float) -> float:
    """cm^3/mol of CH2 in molten high-density polyethylene."""
    celsius = temperature - 273.15
    return (atomic_mass("C") + 2 * atomic_mass("H")) * float(np.polynomial.polynomial.polyval(celsius, HDPE))


def expected(case: Case) -> float:
    """g/cm^3 of chains of 16 units: the experiment's units, and ends that add as much as those of an alkane. An end
    that is a methyl counts as a CH2 more, one of fluorine as hydrogen."""
    kind = polymer(case.polymer)
    volume = UNITS * kind.units[0].mass / case.experiment + ends_volume(case.temperature)
    volume += [kind.head, kind.tail].count("C") * methylene_volume(case.temperature)
    return kind.mass("A" * UNITS) / volume


def bulk(case: Case, size: Size, seed: int, units: int = UNITS) -> Film:
    """Coils of a case's polymer alone in a periodic box, as a film's code packs them; overlaps are left."""
    chains: dict[str, Value] = {"polymer": case.polymer, "chain_length": units, "temperature": case.temperature}
    seeds = Seeds(surface=1, chains=derive(seed, "chains"), velocities=derive(seed, "velocities"))
    return away(build_film({**SLAB, **chains}, size, seeds, oxide_model="minff", pvdf_model=case.field))


def densities(film: Film, temperature: float, seed: int, schedule: Schedule) -> np.ndarray:
    """(windows, samples) g/cm^3 at 1 bar, after compression hot; the box scales alike in all directions."""
    compute = choose("CPU")
    with compute.core():
        positions = push_off(film, RECIPE.push_off, derive(seed, "push_off"), compute)
        system = copy.deepcopy(film.system)
        system.setDefaultPeriodicBoxVectors(*np.diag(film.box))
        barostat = openmm.MonteCarloBarostat(PRESSED, HOT, BAROSTAT_EVERY)
        barostat.setRandomNumberSeed(seed32(seed, "barostat"))
        system.addForce(barostat)
        integrator = openmm.LangevinMiddleIntegrator(HOT, FRICTION, 0.001)
        integrator.setRandomNumberSeed(seed32(seed, "thermostat"))
        context = compute.context(system, integrator)
        context.setPositions(positions)
        openmm.LocalEnergyMinimizer.minimize(context, MINIMISE_TOLERANCE, RECIPE.minimise)
        context.applyConstraints(1e-6)
        context.setVelocitiesToTemperature(HOT, seed32(seed, "velocities"))
        for stage in ramp(schedule.ramp):
            integrator.setStepSize(stage.step_fs * 1e-3)
            integrator.step(stage.steps)
        integrator.setStepSize(STEP * 1e-3)
        integrator.step(schedule.compress)
        context.setParameter(barostat.Pressure(), 1.0)
        integrator.step(schedule.melt)
        context.setParameter(barostat.Temperature(), temperature)
        integrator.setTemperature(temperature)
        integrator.step(schedule.settle)
        mass = float(element_masses(film).sum())
        return np.array([_window(context, integrator, mass, schedule.window) for _ in range(schedule.windows)])


def _window(context: openmm.Context, integrator: openmm.Integrator, mass: float, steps: int) -> list[float]:
    found = []
    for _ in range(steps // SAMPLE):
        integrator.step(SAMPLE)
        found.append(mass / AVOGADRO / float(np.prod(arrays(context, "box")[0])))
    return found


def box(case: Case, number: int) -> dict[str, Any]:
    """One packing: atoms, chains, g/cm^3 of each window, and what it cost."""
    began = time.process_time()
    seed = derive(2026, case.polymer, case.field, number)
    film = bulk(case, SIZE, seed)
    found = densities(film, case.temperature, seed, Schedule())
    return {
        "atoms": len(film.positions),
        "chains": len(film.chains),
        "picoseconds": found.size * SAMPLE * STEP * 1e-3,
        "windows": [round(float(value), 4) for value in found.mean(axis=1)],
        "cpu_seconds": round(time.process_time() - began),
    }


def measure() -> dict[str, Any]:
    """Boxes of every case, the first packings of all before the second of any."""
    rows = {f"{name} #{k}": partial(box, case, k) for k in range(1, BOXES + 1) for name, case in CASES.items()}
    return gathered("melts", rows)


def summary(windows: np.ndarray) -> tuple[float, float]:
    """Mean and standard error of (boxes, windows) g/cm^3: of boxes, but never below that of all windows."""
    means = windows.mean(axis=1)
    of_windows = float(windows.std(axis=1, ddof=1).mean() / np.sqrt(windows.size))
    of_boxes = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else 0.0
    return float(means.mean()), max(of_windows, of_boxes)


COLUMNS = (
    *("melt", "force field", "K", "atoms", "boxes x ps", "simulated", "drift", "experiment", "short chains"),
    *("difference", "source"),
)
HEAD = f"""## Densities of polymer melts

Bulks of chains of {UNITS} units at 1 bar, built, packed and pushed off by the films' own code, PME and Lennard-Jones
cut at {SIZE.cutoff} nm with the correction for the tail, {STEP:.0f} fs; compressed at {HOT:.0f} K, {PRESSED:.0f} bar,
then 10 to 16 ps at the temperature before the ps that count, in three windows. g/cm^3; the error is that of packings,
or of windows where that is larger. Drift: last window over the first. Experiment: long chains; beside it what is
expected of these short ones, whose ends take the room of those of n-octadecane (Perry's Chemical Engineers' Handbook,
8th ed., table 2-32), worth 1 % or so. The difference is from that.

| {" | ".join(COLUMNS)} |
{"|---" * len(COLUMNS)}|"""


def text(found: Mapping[str, Any]) -> str:
    lines = [HEAD]
    for name, case in CASES.items():
        boxes = [value for key, value in found.items() if key.rpartition(" #")[0] == name]
        if not boxes:
            continue
        windows = np.array([box["windows"] for box in boxes])
        mean, error = summary(windows)
        drift = float((windows[:, -1] / windows[:, 0]).mean() - 1)
        short = expected(case)
        cells = [
            f"{case.polymer} | {case.field} | {case.temperature:.0f}",
            f"{boxes[0]['atoms']} | {len(boxes)} x {boxes[0]['picoseconds']:.0f}",
            f"{mean:.3f} +- {error:.3f} | {100 * drift:+.1f} % | {case.experiment:.3f}",
            f"{short:.3f} | {100 * (mean / short - 1):+.1f} % | {case.source}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
