"""A static scan of adhesion: rigid fragments of the chain, turned and moved over the design's surface, in a second.

The surface is a film's at `smoke` (same builder, same force field), its hydroxyls and ligands relaxed without polymer.
At random places x of both faces a fragment of two units (some conformers) stands in random orientations o at heights z
up to 0.85 nm above the surface or its ligands. With U their energy and kT the design's,

    <U>(x) = sum_{o,z} U exp(-U/kT) / [1 + sum_{o,z} exp(-U/kT)],    adhesion_energy = -mean_x <U> / v^(2/3)

with v the volume of a fragment in the melt, so that v^(2/3) is the area that one covers; Coulomb and Lennard-Jones
energies are averaged with the same weights. Fragments choose freely where a chain in a melt has neighbours, so that
values are larger than a film's; their order is what counts. The error is that of the places on one surface, hydroxyls
and ligands as drawn: replicates draw others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loop.seeds import derive
from loop.types import Check, Design, Estimate, Outcome, Task, Value
from oracles.keys import one_of
from oracles.openmm.build import feasible
from oracles.openmm.build.assemble import Surface, build_system
from oracles.openmm.build.feasible_particle import whole_particle
from oracles.openmm.build.film import layer_of, planes_of, surface_of
from oracles.openmm.build.melt import Melt, melt, shapes
from oracles.openmm.build.packing import volume
from oracles.openmm.build.polymers import PVDF_MODELS
from oracles.openmm.build.size import SIZES
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.forcefield import oxides
from oracles.openmm.simulate.energy import MJ_PER_M2, nonbonded
from oracles.openmm.simulate.landscape import Landscape, Sites
from oracles.openmm.simulate.platforms import choose

SIZE = "smoke"
UNITS, CONFORMERS = 2, 6
"""Repeat units of a fragment, and how many shapes of it."""
PLACES, TURNS = 32, 6
"""Of each face, and orientations of every conformer at each."""
HEIGHTS = np.arange(0.0, 0.85, 0.07)
"""nm of a fragment's centre above the surface's outermost atoms."""
DEEPEST = -0.15
"""nm, lowest place of an atom above the same plane."""
STEP = 0.06
"""nm between nodes of the grid."""
VACUUM = 3.0
"""nm from the highest point looked at to the next image of the surface."""
RELAXATION = 100
"""Steps of the minimiser."""
SECONDS = 4.0


class Energies(NamedTuple):
    """Of fragments, kJ/mol: whole, Coulomb and Lennard-Jones, each (places, orientations, heights)."""

    whole: np.ndarray
    coulomb: np.ndarray
    lj: np.ndarray


class AdhesionScan:
    """Adhesion of chain fragments to a rigid surface, as a cheap source beside simulations.

    Keys of a campaign: `oxide_model`, `pvdf_model` and `cache`, as of `openmm`. Its designs are those of `openmm` at
    `smoke`; `chain_length` and `start` mean nothing to it.
    """

    kind = "simulation"
    isolation = "process"
    execution_keys = ("cache",)
    fidelities = ("scan",)
    properties: Mapping[str, str] = {
        "adhesion_energy": "mJ/m^2",
        "adhesion_coulomb": "mJ/m^2",
        "adhesion_lj": "mJ/m^2",
    }

    def __init__(
        self, oxide_model: str = oxides.DEFAULT, pvdf_model: str = PVDF_MODELS[0], cache: Path | None = None
    ) -> None:
        one_of("oxide_model", oxide_model, oxides.MODELS)
        one_of("pvdf_model", pvdf_model, PVDF_MODELS)
        self.oxide_model, self.pvdf_model, self.cache = oxide_model, pvdf_model, cache

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Whether the film can be built at `smoke`; pure, milliseconds."""
        values = feasible.with_defaults(design.values)
        if whole_particle(values):
            return [Check("flat", False, values["particle_radius"], 0.0, "nm", "a scan is of flat surfaces only")]
        return feasible.check(design.values, SIZE, self.oxide_model, self.pvdf_model)

    def cost(self, design: Design, fidelity: str) -> float:
        """Seconds, imports included."""
        return SECONDS

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Outcome:
        """Scan both faces of one surface. Raises OracleFailure: `infeasible` where the surface or the fragments cannot
        be built."""
        values, size = feasible.with_defaults(design.values), SIZES[SIZE]
        feasible.refuse(values, size, self.oxide_model, self.pvdf_model)
        surface = surface_of(values, size, derive(task.seed, "surface"), self.cache, self.oxide_model)
        fragment = {**values, "chain_length": UNITS}
        chains = melt(fragment, CONFORMERS, self.pvdf_model, derive(task.seed, "chains"), self.cache)
        rng = np.random.default_rng(derive(task.seed, "places"))
        forms = shapes(chains, float(values["temperature"]), derive(task.seed, "shapes"))
        top = layer_of(values, surface)
        faces = [scan(face, chains, forms, top, size.cutoff, rng) for face in both_faces(surface, top, size.cutoff)]
        means = np.concatenate([weighted(energies, float(values["temperature"])) for energies in faces])
        return Outcome(reported(means, area(chains, values)), provenance=self._provenance(chains, means))

    def _provenance(self, chains: Melt, means: np.ndarray) -> dict[str, Any]:
        return {
            "method": f"rigid fragments of {UNITS} units over the relaxed surface",
            "oxide_model": self.oxide_model,
            "places": len(means),
            **chains.provenance(),
        }


class Face(NamedTuple):
    """A surface seen from one side: its atoms with the outermost plane at z = 0, and the edges of its cell, nm."""

    sites: Sites
    lateral: tuple[float, float]
    thickness: float


def both_faces(surface: Surface[Any], top: float, cutoff: float) -> list[Face]:
    """The relaxed surface from above and, turned about the x axis, from below."""
    low, high = planes_of(surface)
    box = np.array([*surface.slab.lateral, high - low + 2 * (top + VACUUM)])
    system = build_system(surface, [], box, cutoff)
    force = nonbonded(system)
    count = len(surface.elements)
    table = np.array([[value._value for value in force.getParticleParameters(i)] for i in range(count)]).T
    x = relaxed(system, surface.positions)
    below = x * (1.0, -1.0, -1.0)
    lateral = surface.slab.lateral
    return [
        Face(Sites(seen - (0.0, 0.0, plane), *table), lateral, high - low) for seen, plane in ((x, high), (below, -low))
    ]


def relaxed(system: Any, positions: np.ndarray) -> np.ndarray:
    """The positions after some steps of the minimiser; slab atoms stay."""
    import openmm

    compute = choose("CPU")
    with compute.core():
        context = compute.context(system, openmm.VerletIntegrator(0.001))
        context.setPositions(positions)
        openmm.LocalEnergyMinimizer.minimize(context, maxIterations=RELAXATION)
        return np.asarray(context.getState(positions=True).getPositions(asNumpy=True)._value)


def scan(
    face: Face, chains: Melt, forms: Sequence[np.ndarray], top: float, cutoff: float, rng: np.random.Generator
) -> Energies:
    """Energies of every fragment at random places of a face; `top` is where its ligands end, nm."""
    from scipy.spatial.transform import Rotation

    kinds = sorted({kind for _, own in chains.members for kind in zip(own.sigma, own.epsilon, strict=True)})
    heights = np.concatenate([np.arange(0.0, top, HEIGHTS[1]), top + HEIGHTS])
    high = float(heights[-1]) + max(float(np.linalg.norm(x, axis=1).max()) for x in forms)
    cell = np.array([*face.lateral, face.thickness + high + VACUUM])
    landscape = Landscape(face.sites, cell, kinds, DEEPEST, high, cutoff, STEP)
    places = rng.random((PLACES, 1, 1, 1, 2)) * face.lateral
    found = []
    for (_, own), x in zip(chains.members, forms, strict=True):
        turned = Rotation.random(PLACES * TURNS, random_state=rng).as_matrix() @ x.T
        points = np.swapaxes(turned, 1, 2).reshape(PLACES, TURNS, 1, len(x), 3).repeat(len(heights), axis=2)
        points[..., :2] += places
        points[..., 2] += heights[:, None]
        numbers = np.array([kinds.index(kind) for kind in zip(own.sigma, own.epsilon, strict=True)])
        coulomb, lj = landscape(points, own.charges, numbers)
        found.append((coulomb + lj, coulomb, lj))
    return Energies(*(np.concatenate(part, axis=1) for part in zip(*found, strict=True)))


def weighted(energies: Energies, temperature: float) -> np.ndarray:
    """(places, 3) kJ/mol: energy and its parts at each place, over orientations and heights by Boltzmann's weights.

    One more state is that of a fragment elsewhere, without energy: where an upright ligand stands none fits.
    """
    kt = GAS_CONSTANT * temperature
    least = np.minimum(energies.whole.min(axis=(1, 2), keepdims=True), 0.0)
    weights = np.exp((least - energies.whole) / kt)
    weights /= weights.sum(axis=(1, 2), keepdims=True) + np.exp(least / kt)
    return np.stack([(weights * part).sum(axis=(1, 2)) for part in energies], axis=1)


def area(chains: Melt, values: Mapping[str, Value]) -> float:
    """nm^2 that a fragment covers."""
    density = chains.polymer.density(float(values["comonomer_fraction"]))
    return float(volume(chains.mass / len(chains.members), density) ** (2 / 3))


def reported(means: np.ndarray, area: float) -> dict[str, Estimate]:
    """The properties from the energies (places, 3) kJ/mol of fragments that each cover an `area` nm^2."""
    adhesion = -MJ_PER_M2 * means / area
    n, how = float(len(adhesion)), "independent places on one surface"
    return {
        name: Estimate(float(each.mean()), float(each.std(ddof=1) / np.sqrt(n)), unit, n, how)
        for (name, unit), each in zip(AdhesionScan.properties.items(), adhesion.T, strict=True)
    }
