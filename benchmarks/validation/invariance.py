"""What a film's energy must not depend on, forces as the energy's slope, and surfaces without charge or dipole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import openmm

from benchmarks.validation.engines import SAGE, TIGHT, only, relaxed, rms
from oracles.openmm.build.assemble import Surface
from oracles.openmm.build.feasible_surface import bare_charge, neutral_density
from oracles.openmm.build.film import Film
from oracles.openmm.build.hydroxyls import add_hydroxyls, count
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab
from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue
from oracles.openmm.simulate.energy import nonbonded
from oracles.openmm.simulate.platforms import Compute, choose

GRAFTED: tuple[Mapping[str, Any], Mapping[str, str]] = ({"ligand": "hexanoate", "ligand_density": 1.0}, SAGE)
OFF_FACES = np.array([0.0137, 0.0071, 0.003])
"""nm, added to turned films: the Reference platform loses pairs of atoms at minus zero on a face of the cell."""
SIGNS = {
    "turn by 180 degrees about x": (1, -1, -1),
    "turn by 180 degrees about y": (-1, 1, -1),
    "turn by 180 degrees about z": (-1, -1, 1),
    "mirror in z": (1, 1, -1),
}
TERMS = ("bond", "angle", "torsion", "lj", "coulomb")
DIRECTIONS, REACH = 5, 1e-4
"""Random directions in the space of all coordinates; nm that a coordinate moves by, root mean square."""
STENCIL = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
"""Weights of a first derivative of fourth order."""
PATTERNS = 20
"""Hydroxyl patterns whose dipole is taken."""
THICKNESSES = (0.8, 1.6)
"""nm, those of the fidelities."""


def measure() -> dict[str, Any]:
    film, positions = relaxed(*GRAFTED)
    nonbonded(film.system).setEwaldErrorTolerance(TIGHT)
    return {
        "invariance": invariance(film, positions),
        "slopes": slopes(film, positions),
        "surfaces": list(surfaces()),
    }


def invariance(film: Film, positions: np.ndarray) -> dict[str, dict[str, float]]:
    """By operation: relative change of the energy, and largest change of a force over their root mean square, once
    turned back."""
    energy, forces = evaluate(film.system, film.box, positions)
    found = {}
    for name, (moved, box, back) in operations(film, positions).items():
        other, turned = evaluate(film.system, box, moved)
        found[name] = {
            "energy": abs(other - energy) / abs(energy),
            "force": float(np.abs(back(turned) - forces).max()) / rms(forces),
        }
    return found


Turned = tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]


def operations(film: Film, positions: np.ndarray) -> dict[str, Turned]:
    """Positions (N, 3) nm, box (3,) nm, and what turns forces back. The cell is a rectangle in the plane: its turns are
    those by 180 degrees, and that by 90 which exchanges its edges."""
    images = positions.copy()
    for k, chain in enumerate(film.chains):
        images[chain] += film.box * [k - 1, 1, -k]
    found: dict[str, Turned] = {
        "shift by (0.31, -0.57, 1.23) cells": (positions + film.box * [0.31, -0.57, 1.23], film.box, np.array),
        "every chain in another image": (images, film.box, np.array),
        "turn by 90 degrees about z": (
            positions[:, [1, 0, 2]] * [-1, 1, 1] + OFF_FACES,
            film.box[[1, 0, 2]],
            lambda forces: forces[:, [1, 0, 2]] * [1, -1, 1],
        ),
    }
    for name, signs in SIGNS.items():
        found[name] = (positions * signs + OFF_FACES, film.box, _scaled(np.array(signs)))
    return found


def _scaled(signs: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda forces: forces * signs


def evaluate(system: openmm.System, box: np.ndarray, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """kJ/mol and kJ/mol/nm on the Reference platform."""
    context = _reference().context(system, openmm.VerletIntegrator(0.001))
    context.setPeriodicBoxVectors(*np.diag(box))
    context.setPositions(positions)
    state = context.getState(energy=True, forces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def slopes(film: Film, positions: np.ndarray) -> dict[str, float]:
    """By term: largest difference of the energy's slope along random directions of all mobile coordinates, by finite
    differences, and minus the forces along them, over the forces' size."""
    rng = np.random.default_rng(1)
    mobile = np.setdiff1d(np.arange(len(positions)), film.slab)
    found = {}
    for term in TERMS:
        context = _reference().context(only(film.system, term), openmm.VerletIntegrator(0.001))
        context.setPeriodicBoxVectors(*np.diag(film.box))
        context.setPositions(positions)
        forces = context.getState(forces=True).getForces(asNumpy=True)._value[mobile]
        worst = 0.0
        for _ in range(DIRECTIONS):
            along = np.zeros(positions.shape)
            along[mobile] = rng.normal(size=(len(mobile), 3))
            slope = 0.0
            for steps, weight in STENCIL.items():
                context.setPositions(positions + steps * REACH * along)
                slope += weight * context.getState(energy=True).getPotentialEnergy()._value / REACH
            worst = max(worst, abs(slope + float((forces * along[mobile]).sum())))
        found[term] = worst / float(np.linalg.norm(forces))
    return found


def surfaces() -> Iterator[dict[str, Any]]:
    """Every termination of the catalogue: the largest dipole along z of its bare slab over oxide models and
    thicknesses, the range of that of its hydroxylated one over hydroxyl patterns (e nm), at the hydroxyl density that
    is neutral or nearest to it, and the largest charge left once it is spread (e)."""
    for oxide in catalogue.data("oxides"):
        for facet, surface in catalogue.oxide(oxide)["facets"].items():
            for termination in surface["ends"]:
                yield {
                    "oxide": oxide,
                    "facet": facet,
                    "termination": termination,
                    **_surface(oxide, facet, termination),
                }


def _surface(oxide: str, facet: str, termination: str) -> dict[str, float]:
    bare, left, patterns = [], [], []
    for thickness in THICKNESSES:
        slab = build_slab(oxide, facet, termination, SIZES["smoke"].lateral, thickness)
        for model in oxides.MODELS:
            if oxide not in catalogue.data(model)["metals"]:
                continue
            bare.append(slab.dipole(model))
            density = neutral_density(bare_charge(slab, model), slab.area, len(slab.upper), model)
            for seed in range(PATTERNS):
                whole = Surface(slab, add_hydroxyls(slab, count(density, slab.area), model, seed), model)
                left.append(whole.charges.sum())
                patterns.append(float(whole.charges @ (whole.positions[:, 2] - slab.height / 2)))
    return {
        "bare": float(np.abs(bare).max()),
        "lowest": min(patterns),
        "highest": max(patterns),
        "charge": float(np.abs(left).max()),
    }


def text(found: Mapping[str, Any]) -> str:
    lines = [
        "## Invariance, slopes, neutrality\n",
        "PVDF (Sage) on magnetite grafted with hexanoate, pushed off and minimised; Reference platform, Ewald sums to",
        f"{TIGHT:.0e}. Relative change of the energy, and largest change of a force over their root mean square:\n",
        "| operation | energy | force |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {row['energy']:.0e} | {row['force']:.0e} |" for name, row in found["invariance"].items()]
    slopes = ", ".join(f"{term} {error:.0e}" for term, error in found["slopes"].items())
    lines += [
        f"\nSlope of the energy along {DIRECTIONS} random directions of all mobile atoms at once, by finite",
        f"differences of fourth order, against the forces, largest difference over their size: {slopes}.\n",
        "Dipole along z about the slab's middle, e nm: of the bare slab (largest over oxide models and thicknesses),",
        f"and its range over {PATTERNS} hydroxyl patterns at the hydroxyl density that is neutral or nearest to it.",
        "That is 0 where every site or none is taken, else part of the scatter of replicas. Charge: what is left, e,",
        "once the rest is spread over the metals.\n",
        "| oxide | facet | termination | bare slab | lowest | highest | charge |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["surfaces"]:
        lines.append(
            f"| {row['oxide']} | {row['facet']} | {row['termination']} | {row['bare']:.0e} "
            f"| {round(row['lowest'], 3) + 0.0:.3f} | {round(row['highest'], 3) + 0.0:.3f} | {row['charge']:.0e} |"
        )
    return "\n".join(lines)


def _reference() -> Compute:
    return choose("Reference")
