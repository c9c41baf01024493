"""What a film's dynamics must keep: its energy, the temperature of every kind of atom, and its course when killed."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import openmm

from benchmarks.validation.engines import BYUTNER_SMITH, SAGE, SEEDS, relaxed
from benchmarks.validation.unfinished import gathered
from oracles.openmm.build.film import Film, build_film
from oracles.openmm.build.size import SIZES
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.observe.gates import MAX_DRIFT
from oracles.openmm.observe.observer import Thermometer, arrays
from oracles.openmm.observe.statistics import inefficiency
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.fidelity import FIDELITIES, Fidelity
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import MANIFEST, Journal

TEMPERATURE = 400.0
STEP = 0.004
"""ps; production's."""
SETTLING = ((0.0005, 200), (0.001, 200), (0.002, 200), (STEP, 1000))
"""(ps, steps) of strongly damped dynamics after the minimisation."""
CONSTANT_ENERGY, WARM_UP, THERMOSTATTED, EVERY = 5000, 5000, 10_000, 10
"""20 ps without thermostat; 20 ps with production's, in which films just minimised still read one or two per cent
hot; 40 ps of which temperatures are read; all in steps, as is how often a frame is taken."""
FREEDOM_FRAMES = 10
DRIFT = "drift: "
Design = tuple[Mapping[str, Any], Mapping[str, Any]]
FILMS: Mapping[str, Design] = {
    "PVDF (Sage) on hydroxylated magnetite": ({}, SAGE),
    "PVDF (Byutner-Smith) on hydroxylated magnetite": ({}, BYUTNER_SMITH),
    "PVDF (Sage) on magnetite grafted with hexanoate": ({"ligand": "hexanoate", "ligand_density": 1.0}, SAGE),
}


@dataclass(frozen=True)
class Moving:
    """A film at its temperature on the CPU platform: positions (N, 3) nm and velocities (N, 3) nm/ps."""

    film: Film
    positions: np.ndarray
    velocities: np.ndarray


def measure() -> dict[str, Any]:
    first = next(iter(FILMS.values()))
    drifts = {DRIFT + name: partial(_drift, film) for name, film in FILMS.items()}
    return gathered(
        "conservation",
        {**drifts, "temperatures": lambda: temperatures(settled(*first)), "restart": lambda: restart(first)},
    )


def _drift(film: Design) -> dict[str, float]:
    return drift(settled(*film))


def settled(values: Mapping[str, Any], models: Mapping[str, str]) -> Moving:
    """A relaxed film brought to TEMPERATURE."""
    film, positions = relaxed(values, models)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 10.0, SETTLING[0][0])
    integrator.setRandomNumberSeed(SEEDS.velocities)
    context = choose("CPU").context(film.system, integrator)
    context.setPositions(positions)
    context.applyConstraints(1e-6)
    context.setVelocitiesToTemperature(TEMPERATURE, SEEDS.velocities)
    for step, steps in SETTLING:
        integrator.setStepSize(step)
        integrator.step(steps)
    return Moving(film, *arrays(context, "positions", "velocities"))


def drift(moving: Moving) -> dict[str, float]:
    """kT per ns and degree of freedom of the total energy without thermostat: least squares slope and its error."""
    integrator = openmm.VerletIntegrator(STEP)
    context = _context(moving, integrator)
    energies = []
    for _ in range(CONSTANT_ENERGY // EVERY):
        integrator.step(EVERY)
        state = context.getState(energy=True)
        energies.append((state.getPotentialEnergy() + state.getKineticEnergy())._value)
    times = STEP * EVERY * np.arange(len(energies))
    slope, start = np.polyfit(times, energies, 1)
    residual = np.array(energies) - (slope * times + start)
    error = residual.std() * np.sqrt(inefficiency(residual) / len(times)) / times.std()
    unit = 1000 / (GAS_CONSTANT * TEMPERATURE * Thermometer(moving.film.system).freedom)
    return {"drift": float(slope) * unit, "se": float(error) * unit, "ps": float(times[-1])}


def temperatures(moving: Moving) -> dict[str, dict[str, float]]:
    """K of groups of atoms, and of the chains as wholes, under the production thermostat, each with its error."""
    film, system = moving.film, moving.film.system
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, STEP)
    integrator.setRandomNumberSeed(SEEDS.velocities + 1)
    context = _context(moving, integrator)
    integrator.step(WARM_UP)
    frames = []
    for _ in range(THERMOSTATTED // EVERY):
        integrator.step(EVERY)
        frames.append(arrays(context, "positions", "velocities"))
    positions, velocities = (np.array(each) for each in zip(*frames, strict=True))
    masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
    sampled = positions[:: len(positions) // FREEDOM_FRAMES]
    freedom = np.mean([atomic_freedom(system, masses, x) for x in sampled], axis=0)
    twice = masses * (velocities**2).sum(axis=2)
    found = {}
    for name, atoms in groups(film).items():
        found[name] = kelvin(twice[:, atoms].sum(axis=1), float(freedom[atoms].sum()))
    momenta = [(masses[chain, None] * velocities[:, chain]).sum(axis=1) for chain in film.chains]
    parts = np.hstack([p**2 / masses[chain].sum() for p, chain in zip(momenta, film.chains, strict=True)])
    whole = kelvin(parts.sum(axis=1), parts.shape[1])
    # so few degrees of freedom know their own correlation badly: they are also so many independent samples
    apart = float(parts.mean(axis=0).std(ddof=1) / GAS_CONSTANT / np.sqrt(parts.shape[1]))
    found["chains' centres of mass"] = {**whole, "se": max(whole["se"], apart)}
    return found


def groups(film: Film) -> dict[str, np.ndarray]:
    """Mobile atoms by what they are."""
    hydrogen = np.array([atom.element.symbol == "H" for atom in film.topology.atoms()])
    organic = np.concatenate([film.polymer, ligand_atoms(film)])
    return {
        "hydrogens of chains and ligands": organic[hydrogen[organic]],
        "heavy atoms of chains and ligands": organic[~hydrogen[organic]],
        "hydroxyl hydrogens": np.setdiff1d(film.surface, np.concatenate([film.slab, ligand_atoms(film)])),
    }


def ligand_atoms(film: Film) -> np.ndarray:
    """Ligands' own atoms: the surface's that come after slab and hydroxyls."""
    hydroxyls = int(film.provenance["atoms"]["hydroxyl_hydrogens"])
    return np.asarray(film.surface[len(film.slab) + hydroxyls :])


def atomic_freedom(system: openmm.System, masses: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(N,) degrees of freedom of each atom: 3, less its share of the constraints.

    At equilibrium velocities have the covariance kT (M^-1 - M^-1 G' (G M^-1 G')^-1 G M^-1), G being the constraints'
    gradients (Fixman, PNAS 1974, 71, 3050), which fixes how much kinetic energy each atom has.
    """
    rows = [system.getConstraintParameters(k)[:2] for k in range(system.getNumConstraints())]
    gradients = np.zeros((len(rows), len(masses), 3))
    for k, (i, j) in enumerate(rows):
        apart = positions[i] - positions[j]
        gradients[k, i], gradients[k, j] = apart, -apart
    flat = gradients.reshape(len(rows), -1)
    inverse = np.where(masses > 0, 1 / np.maximum(masses, 1e-9), 0.0)
    weighted = flat * np.repeat(inverse, 3)
    share = (flat * np.linalg.solve(weighted @ flat.T, weighted)).sum(axis=0).reshape(-1, 3).sum(axis=1)
    return np.asarray(3.0 * (masses > 0) - share)


def kelvin(twice: np.ndarray, freedom: float) -> dict[str, float]:
    """Mean temperature of a series of twice the kinetic energy, and its error from the series' own correlation."""
    series = twice / (freedom * GAS_CONSTANT)
    error = series.std() * np.sqrt(inefficiency(series) / len(series))
    return {"K": float(series.mean()), "se": float(error), "freedom": freedom}


def restart(film: Design) -> dict[str, float]:
    """A short replica killed (SIGKILL) in the middle of its production and gone on with, against one left alone:
    largest difference of positions (nm) and velocities (nm/ps), and whether the checkpoints are the same bytes."""
    with tempfile.TemporaryDirectory() as at:
        alone, killed = Path(at) / "alone", Path(at) / "killed"
        _run(film, alone)
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(film, killed))
        process.start()
        while process.is_alive() and _segments(killed) < len(short().equilibration) + 2:
            time.sleep(0.05)
        process.kill()
        process.join()
        left = _segments(killed)
        _run(film, killed)
        ends = [_end(film, folder) for folder in (alone, killed)]
    (x, v, checkpoint), (x2, v2, checkpoint2) = ends
    return {
        "killed_after": left,
        "segments": sum(len(stage.lengths()) for stage in short().stages) + 1,
        "position": float(np.abs(x - x2).max()),
        "velocity": float(np.abs(v - v2).max()),
        "same_bytes": checkpoint == checkpoint2,
    }


def short() -> Fidelity:
    """The smoke fidelity with a shorter production, in many segments."""
    smoke = FIDELITIES["smoke"]
    production = replace(smoke.production, steps=600, segment=100)
    return replace(smoke, push_off=50, minimise=50, production=production)


def _replica(film: Design, folder: Path) -> Replica:
    values, models = film
    built = build_film(values, SIZES["smoke"], SEEDS, **models)
    return Replica(built, short(), TEMPERATURE, SEEDS.velocities, choose("CPU"), _journal(film, folder))


def _journal(film: Design, folder: Path) -> Journal:
    return Journal(folder, {"design": dict(film[0]), "settings": asdict(short())})


def _run(film: Design, folder: Path) -> None:
    _replica(film, folder).run()


def _segments(folder: Path) -> int:
    path = folder / MANIFEST
    return len(json.loads(path.read_text(encoding="utf-8"))["segments"]) if path.exists() else 0


def _end(film: Design, folder: Path) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Positions, velocities and checkpoint that a replica ended with."""
    replica, journal = _replica(film, folder), _journal(film, folder)
    engine = Engine(replica.film, TEMPERATURE, replica.compute, SEEDS.velocities)
    checkpoint = journal.checkpoint()
    engine.begin(short().production, SEEDS.velocities, checkpoint, journal.entries[-1]["height"])
    return (*arrays(engine.context, "positions", "velocities"), checkpoint)


def _context(moving: Moving, integrator: openmm.Integrator) -> openmm.Context:
    context = choose("CPU").context(moving.film.system, integrator)
    context.setPositions(moving.positions)
    context.setVelocities(moving.velocities)
    return context


def text(found: Mapping[str, Any]) -> str:
    drifts = {name.removeprefix(DRIFT): row for name, row in found.items() if name.startswith(DRIFT)}
    one = next(iter(drifts.values()))
    lines = [
        "## Conservation, equipartition, restart\n",
        f"Smoke-sized films at {TEMPERATURE:.0f} K and {1000 * STEP:.0f} fs, CPU platform, Ewald sums as in films.\n",
        f"Drift of the total energy over {one['ps']:.0f} ps without thermostat, kT per ns and degree of freedom (the",
        f"gate refuses beyond {MAX_DRIFT:g}):\n",
        "| film | drift |",
        "|---|---|",
        *(f"| {name} | {row['drift']:+.2f} +- {row['se']:.2f} |" for name, row in drifts.items()),
        f"\nTemperatures over {THERMOSTATTED * STEP:.0f} ps of the first film under production's thermostat, from the",
        "degrees of freedom that the constraints leave to those atoms:\n",
        "| | degrees of freedom | K | off by, in errors |",
        "|---|---|---|---|",
    ]
    for name, row in found["temperatures"].items():
        off = (row["K"] - TEMPERATURE) / row["se"]
        lines.append(f"| {name} | {row['freedom']:.0f} | {row['K']:.0f} +- {row['se']:.0f} | {off:+.1f} |")
    again = found["restart"]
    lines += [
        f"\nA replica killed (SIGKILL) after {again['killed_after']} of {again['segments']} segments and gone on with,",
        f"against one left alone: largest difference of positions {again['position']:g} nm, of velocities",
        f"{again['velocity']:g} nm/ps; last checkpoints {'the same bytes' if again['same_bytes'] else 'not the same'}.",
    ]
    return "\n".join(lines)
