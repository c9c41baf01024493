"""Whether a whole particle of a design can be cut and made neutral, and whether there is room for chains around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from math import ceil

from loop.types import Check, Value
from oracles.openmm.build.feasible_chains import MIN_CHAINS, atoms_of, chain_mass
from oracles.openmm.build.feasible_surface import dq_check, hydroxyl_room
from oracles.openmm.build.hollow import chains_around
from oracles.openmm.build.hydroxyls import hydroxyl_charge
from oracles.openmm.build.limits import within
from oracles.openmm.build.particle import Particle, build_particle
from oracles.openmm.build.polymers import polymer
from oracles.openmm.build.size import Size
from oracles.openmm.materials import catalogue

RADII = (0.8, 3.0)
"""nm: below, no metal is left inside; above, a box holds more than some 150 000 atoms."""
ALL = 10**9


def whole_particle(design: Mapping[str, Value]) -> bool:
    """Whether a whole design asks for a particle in place of a flat film."""
    return design["particle_radius"] != 0


def radius_check(design: Mapping[str, Value]) -> Check:
    check = within("particle_radius", design["particle_radius"], *RADII, "nm")
    return check if check.passed else replace(check, detail=f"{check.detail}, or be 0 for a flat film")


def groups_of(design: Mapping[str, Value]) -> int:
    """Hydroxyls on the particle, an even number: only such can balance each other about a centre."""
    full = _full(design)
    return 2 * min(round(float(design["hydroxyl_density"]) * full.area / 2), len(full.exposed) // 2)


def particle_of(design: Mapping[str, Value], model: str) -> Particle:
    """The particle whose stoichiometry comes nearest to neutral with the design's hydroxyls. Oxygens leave in pairs,
    each with its image through the centre."""
    one = hydroxyl_charge(model)
    charge = _charge(_full(design), model) + groups_of(design) * one
    pairs = max(0, round(-charge / (4 * one)))
    return build_particle(str(design["oxide"]), float(design["particle_radius"]), 2 * pairs)


def chains_of(design: Mapping[str, Value], size: Size) -> int:
    """Chains around the particle, which is as far from its image as a film's slab is from its own."""
    density = polymer(str(design["polymer"])).density(float(design["comonomer_fraction"]))
    radius = float(design["particle_radius"])
    return chains_around(chain_mass(design), density, 2 * radius + size.gap, radius)


def particle_atoms(design: Mapping[str, Value], size: Size, model: str) -> int:
    oxide = len(particle_of(design, model).elements) + groups_of(design)
    return oxide + atoms_of(design, chains_of(design, size))


def particle_checks(design: Mapping[str, Value], size: Size, model: str) -> list[Check]:
    """Coils, no ligands, room for the hydroxyls, the neutralising charge that is left, and chains enough for a melt."""
    coil, bare = design["start"] == "coil", design["ligand"] == catalogue.NO_LIGAND
    checks = [
        Check("start", coil, design["start"], detail="" if coil else "around a particle chains start as coil"),
        Check("ligand", bare, design["ligand"], detail="" if bare else "whole particles are bare so far; write none"),
        *_surface_checks(design, model),
    ]
    chains = chains_of(design, size)
    detail = "" if chains >= MIN_CHAINS else "there are too few chains of this length; use a smaller chain_length"
    return [*checks, Check("chains", chains >= MIN_CHAINS, chains, MIN_CHAINS, detail=detail)]


def _surface_checks(design: Mapping[str, Value], model: str) -> list[Check]:
    density, full = design["hydroxyl_density"], _full(design)
    room = hydroxyl_room(density, full.area, len(full.exposed))
    if not room.passed:
        return [room]
    cut, (low, high) = particle_of(design, model), neutral_densities(full, model)
    room = hydroxyl_room(density, full.area, len(cut.exposed))
    dq = -(_charge(cut, model) + groups_of(design) * hydroxyl_charge(model)) / len(cut.metals)
    return [room, dq_check(dq, f"{low:.1f} to {high:.1f} hydroxyls per nm^2 leave none")]


def _full(design: Mapping[str, Value]) -> Particle:
    return build_particle(str(design["oxide"]), float(design["particle_radius"]))


@cache
def _charge(particle: Particle, model: str) -> float:
    """e of a bare particle that `build_particle` keeps."""
    return float(particle.charges(model).sum())


@cache
def neutral_densities(full: Particle, model: str) -> tuple[float, float]:
    """Least and most hydroxyls per nm^2 that leaving out some number of the `full` particle's oxygens makes up for."""
    spare = build_particle(full.oxide, full.radius, ALL)
    least, most = (-_charge(particle, model) / hydroxyl_charge(model) for particle in (spare, full))
    return max(0, ceil(round(least, 6))) / full.area, min(most, len(full.exposed)) / full.area
