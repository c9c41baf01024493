"""Every energy term and all forces of built films, OpenMM against LAMMPS.

Both sum the electrostatics tightly, so that what remains is a difference of force field or topology, not of method. The
production tolerance of the Ewald sum (5e-4) is compared with the tight one beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import openmm

from benchmarks.validation import lammps
from oracles.openmm.build.film import Film, build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.energy import nonbonded
from oracles.openmm.simulate.platforms import Compute, choose
from oracles.openmm.simulate.pushoff import push_off

TIGHT = 1e-6
FACTORS = (0.5, 5 / 6)
"""Coulomb 1-4 factors in use: Byutner-Smith's and Sage's. The Lennard-Jones factor of both is 1/2."""
SEEDS = Seeds(surface=1, chains=2, velocities=3)
BYUTNER_SMITH, SAGE = {"pvdf_model": "byutner-smith"}, {"pvdf_model": "sage"}
FILMS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    "PVDF (Byutner-Smith), magnetite (CLAYFF), 4 OH/nm^2": ({}, BYUTNER_SMITH),
    "PVDF (Byutner-Smith), bare magnetite (111) (MINFF)": (
        {"facet": "111", "hydroxyl_density": 0.0},
        {"oxide_model": "minff", **BYUTNER_SMITH},
    ),
    "PVDF (Sage), hematite (CLAYFF), 4 OH/nm^2": ({"oxide": "hematite"}, SAGE),
    "PEO (Sage), bare rutile (110) (MINFF)": (
        {"oxide": "rutile", "facet": "110", "polymer": "PEO", "hydroxyl_density": 0.0},
        {"oxide_model": "minff"},
    ),
    "PE (Sage), quartz (CLAYFF), 9.6 OH/nm^2": ({"oxide": "quartz", "polymer": "PE", "hydroxyl_density": 9.6}, {}),
    "PE (Sage), corundum (MINFF), 4 OH/nm^2": ({"oxide": "corundum", "polymer": "PE"}, {"oxide_model": "minff"}),
    "P(VDF-TrFE) 70/30 (Sage), bare periclase (CLAYFF)": (
        {"oxide": "periclase", "polymer": "P(VDF-TrFE)", "hydroxyl_density": 0.0},
        {},
    ),
    "PVDF (Byutner-Smith), magnetite grafted with perfluoropropoxide (Sage)": (
        {"ligand": "perfluoropropoxide", "ligand_density": 1.0},
        BYUTNER_SMITH,
    ),
    "PMMA (Sage), hematite grafted with propoxide (Sage)": (
        {"oxide": "hematite", "polymer": "PMMA", "ligand": "propoxide", "ligand_density": 1.0},
        {},
    ),
    "PVDF (Byutner-Smith), magnetite grafted with octylphosphonate (Sage)": (
        {"ligand": "octylphosphonate", "ligand_density": 1.0},
        BYUTNER_SMITH,
    ),
    "PVDF (Sage), magnetite grafted with hexanoate (Sage)": (
        {"ligand": "hexanoate", "ligand_density": 1.0},
        SAGE,
    ),
    "PVDF (Sage), hematite grafted with dopamine, bound by two oxygens (Sage)": (
        {"oxide": "hematite", "ligand": "dopamine", "ligand_density": 1.0},
        SAGE,
    ),
    "PVDF (Byutner-Smith), hematite grafted with a phosphonate bound by two oxygens (Sage)": (
        {"oxide": "hematite", "ligand": "CCCCP(=O)([OH:1])[OH:1]", "ligand_density": 1.0},
        BYUTNER_SMITH,
    ),
    "PVDF (Sage), magnetite grafted with aminopropylsilane (Sage, OPLS-AA)": (
        {"ligand": "aminopropylsilane", "ligand_density": 1.0},
        SAGE,
    ),
}
"""Designs and the models they are built with."""


@dataclass(frozen=True)
class Comparison:
    """energies: kJ/mol of each term by both engines. `force` is the root mean square of the force difference over that
    of the forces, `worst_force` the largest difference over the same, both over mobile atoms; `production` is what the
    Ewald tolerance of production adds to `force`."""

    atoms: int
    energies: Mapping[str, tuple[float, float]]
    force: float
    worst_force: float
    production: float

    def error(self, term: str) -> float:
        """Relative difference of a term."""
        ours, theirs = self.energies[term]
        return abs(ours - theirs) / max(abs(theirs), 1e-6)


def relaxed(values: Mapping[str, Any], models: Mapping[str, str]) -> tuple[Film, np.ndarray]:
    """A smoke-sized film and positions (N, 3) nm pushed off and minimised: where atoms overlap, one pair's force would
    hide every other."""
    film = build_film(values, SIZES["smoke"], SEEDS, **models)
    compute = choose("CPU")
    context = compute.context(film.system, openmm.VerletIntegrator(0.001))
    context.setPositions(push_off(film, 50, 4, compute))
    openmm.LocalEnergyMinimizer.minimize(context, 50.0, 100)
    return film, context.getState(positions=True).getPositions(asNumpy=True)._value


def compare(film: Film, positions: np.ndarray) -> Comparison:
    topology = lammps.read(film.system)
    coulomb14 = factor(topology)
    theirs = lammps.evaluate(topology, positions, film.box, coulomb14, 0.5)
    extra = lammps.pairs(topology, positions, film.box, outside_the_graph(topology, coulomb14))
    tight, forces = terms(film, positions, TIGHT)
    expected = {name: value + extra.energies.get(name, 0.0) for name, value in theirs.energies.items()}
    ours = {name: tight[name] for name in expected}
    mobile = np.setdiff1d(np.arange(len(positions)), film.slab)
    size = rms(forces[mobile])
    apart = (forces - theirs.forces - extra.forces)[mobile]
    return Comparison(
        atoms=len(positions),
        energies={name: (ours[name], expected[name]) for name in expected},
        force=rms(apart) / size,
        worst_force=float(np.linalg.norm(apart, axis=1).max()) / size,
        production=rms((terms(film, positions, None)[1] - forces)[mobile]) / size,
    )


def rms(forces: np.ndarray) -> float:
    return float(np.sqrt((forces**2).sum(axis=1).mean()))


def terms(film: Film, positions: np.ndarray, tolerance: float | None) -> tuple[dict[str, float], np.ndarray]:
    """OpenMM's energies by term (kJ/mol) and forces (kJ/mol/nm), of Reference, in double precision. The dispersion
    correction is that of a plain cut-off: LAMMPS has none for a taper."""
    compute = Compute("Reference", "", "double")
    system = copy.deepcopy(film.system)
    system.setDefaultPeriodicBoxVectors(*np.diag(film.box))
    full = nonbonded(system)
    if tolerance is not None:
        full.setEwaldErrorTolerance(tolerance)
    full.setUseDispersionCorrection(False)
    energies, forces = {}, np.zeros(positions.shape)
    for name in ("bond", "angle", "torsion", "lj", "coulomb"):
        context = compute.context(only(system, name), openmm.VerletIntegrator(0.001))
        context.setPositions(positions)
        state = context.getState(energy=True, forces=True)
        energies[name] = state.getPotentialEnergy()._value
        forces += state.getForces(asNumpy=True)._value
    energies["tail"] = dispersion_correction(film, positions)
    return energies, forces


def only(system: openmm.System, term: str) -> openmm.System:
    """The same particles with one term: a bonded force, or the nonbonded one without charges or without cores."""
    part = copy.deepcopy(system)
    kept = term if term in ("bond", "angle", "torsion") else "nonbonded"
    for k in reversed(range(part.getNumForces())):
        if part.getForce(k).getName() != kept:
            part.removeForce(k)
    if kept != "nonbonded":
        return part
    force = nonbonded(part)
    charged, cored = term == "coulomb", term == "lj"
    for i in range(force.getNumParticles()):
        q, sigma, epsilon = force.getParticleParameters(i)
        force.setParticleParameters(i, q * charged, sigma, epsilon * cored)
    for k in range(force.getNumExceptions()):
        i, j, product, sigma, epsilon = force.getExceptionParameters(k)
        force.setExceptionParameters(k, i, j, product * charged, sigma, epsilon * cored)
    if term == "lj":
        force.setNonbondedMethod(force.CutoffPeriodic)
        force.setReactionFieldDielectric(1.0)
    return part


def dispersion_correction(film: Film, positions: np.ndarray) -> float:
    """kJ/mol that the long-range correction of a plain cut-off adds."""
    energies = []
    for corrected in (True, False):
        system = only(film.system, "lj")
        system.setDefaultPeriodicBoxVectors(*np.diag(film.box))
        force = nonbonded(system)
        force.setUseSwitchingFunction(False)
        force.setUseDispersionCorrection(corrected)
        context = choose("Reference").context(system, openmm.VerletIntegrator(0.001))
        context.setPositions(positions)
        energies.append(context.getState(energy=True).getPotentialEnergy()._value)
    return float(energies[0] - energies[1])


def factor(topology: lammps.Topology) -> float:
    """The Coulomb 1-4 factor that most 1-4 pairs of a film have; the rest is `outside_the_graph`."""
    far = graph_exceptions(topology, 1.0, 1.0)
    near_misses = {
        f: sum(
            abs(topology.exceptions[pair][0] - f * product) < 1e-9
            for pair, (product, _, _) in far.items()
            if pair in topology.exceptions and abs(product) > 1e-9
        )
        for f in FACTORS
    }
    return max(near_misses, key=lambda f: near_misses[f])


def graph_exceptions(
    topology: lammps.Topology, coulomb14: float, lj14: float
) -> dict[tuple[int, int], tuple[float, float, float]]:
    """What follows from the bonds alone: (charge product, sigma, epsilon) of 1-2, 1-3 (nothing) and 1-4 pairs."""
    around: list[set[int]] = [set() for _ in topology.charges]
    for i, j, *_ in topology.bonds:
        around[i].add(j)
        around[j].add(i)
    found: dict[tuple[int, int], tuple[float, float, float]] = {}
    q, kinds = topology.charges, topology.kinds[topology.types]
    for i in range(len(around)):
        second = {k for j in around[i] for k in around[j]} - {i}
        third = {m for k in second for m in around[k]} - {i}
        for j in sorted(third - second - around[i]):
            sigma, epsilon = (kinds[i][0] + kinds[j][0]) / 2, np.sqrt(kinds[i][1] * kinds[j][1])
            found[min(i, j), max(i, j)] = (coulomb14 * q[i] * q[j], sigma, lj14 * epsilon)
        for j in sorted(second | around[i]):
            found[min(i, j), max(i, j)] = (0.0, 0.1, 0.0)
    return found


def outside_the_graph(topology: lammps.Topology, coulomb14: float) -> lammps.Shares:
    """Pairs whose share of the interaction is not what the bonds make it, and by how much it is more: a metal and a
    grafted ligand's first atom, and ligands whose 1-4 factor is not the polymer's."""
    expected = graph_exceptions(topology, coulomb14, 0.5)
    found = {}
    for pair in sorted(set(expected) | set(topology.exceptions)):
        ours, theirs = (_share(topology, pair, known.get(pair)) for known in (topology.exceptions, expected))
        more = round(ours[0] - theirs[0], 12), round(ours[1] - theirs[1], 12)
        if any(more):
            found[pair] = more
    return found


def _share(
    topology: lammps.Topology, pair: tuple[int, int], exception: tuple[float, float, float] | None
) -> tuple[float, float]:
    """Of the Lennard-Jones and of the Coulomb interaction of two atoms, by the exception they have, if any."""
    if exception is None:
        return 1.0, 1.0
    product, _, epsilon = exception
    whole = np.prod(topology.charges[list(pair)])
    core = np.sqrt(np.prod(topology.kinds[topology.types[list(pair)], 1]))
    return (epsilon / core if core else 0.0), (product / whole if whole else 0.0)
