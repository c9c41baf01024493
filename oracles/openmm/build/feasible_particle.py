"""Whether a whole particle of a design can be cut and made neutral, and whether there is room for chains around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from math import ceil, pi

from loop.types import Check, Value
from oracles.openmm.build.feasible_chains import MIN_CHAINS, atoms_of, chain_mass
from oracles.openmm.build.feasible_ligands import binding, ligand_atoms, room_checks, site_check
from oracles.openmm.build.feasible_surface import dq_check, hydroxyl_room
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.hollow import ball, chains_around
from oracles.openmm.build.hydroxyls import hydroxyl_charge
from oracles.openmm.build.limits import within
from oracles.openmm.build.particle import Particle, build_particle
from oracles.openmm.build.particle_ligands import capacity, layer_thickness, most_blocked
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
    """Hydroxyls on the particle."""
    full = _full(design)
    return min(_even(float(design["hydroxyl_density"]) * full.area), len(full.exposed) // 2 * 2)


def grafts_of(design: Mapping[str, Value]) -> int:
    """Ligands on the particle."""
    if design["ligand"] == catalogue.NO_LIGAND:
        return 0
    return _even(float(design["ligand_density"]) * _full(design).area)


def _even(number: float) -> int:
    """The nearest even number: only so many groups can balance each other about a centre."""
    return 2 * round(number / 2)


def particle_of(design: Mapping[str, Value], model: str) -> Particle:
    """The particle whose stoichiometry comes nearest to neutral with the design's hydroxyls and ligands. Oxygens leave
    in pairs, each with its image through the centre."""
    one = hydroxyl_charge(model)
    charge = _charge(_full(design), model) + _bound(design) * one
    pairs = max(0, round(-charge / (4 * one)))
    return build_particle(str(design["oxide"]), float(design["particle_radius"]), 2 * pairs)


def chains_of(design: Mapping[str, Value], size: Size) -> int:
    """Chains around the particle and its ligands, as far from their image as a film's are from its own."""
    density = polymer(str(design["polymer"])).density(float(design["comonomer_fraction"]))
    outer = float(design["particle_radius"]) + thickness_of(design)
    return chains_around(chain_mass(design), density, 2 * outer + size.gap, outer)


def thickness_of(design: Mapping[str, Value]) -> float:
    """nm that the ligands take about the particle."""
    number = grafts_of(design)
    return layer_thickness(design["ligand"], number, float(design["particle_radius"])) if number else 0.0


def gap_of(design: Mapping[str, Value], size: Size) -> float:
    """nm between the particle and its image."""
    return size.gap + 2 * thickness_of(design)


def particle_atoms(design: Mapping[str, Value], size: Size, model: str) -> int:
    oxide = len(particle_of(design, model).elements) + groups_of(design)
    grafted = grafts_of(design) * ligand_atoms(design["ligand"])
    return oxide + grafted + atoms_of(design, chains_of(design, size))


def particle_checks(design: Mapping[str, Value], size: Size, model: str) -> list[Check]:
    """Coils, room for ligands and hydroxyls, the neutralising charge that is left, and chains enough for a melt."""
    coil = design["start"] == "coil"
    start = Check("start", coil, design["start"], detail="" if coil else "around a particle chains start as coil")
    found = _surface_checks(design, size, model)
    if not all(check.passed for check in found):
        return [start, *found]
    chains = chains_of(design, size)
    detail = "" if chains >= MIN_CHAINS else "there are too few chains of this length; use a smaller chain_length"
    return [start, *found, Check("chains", chains >= MIN_CHAINS, chains, MIN_CHAINS, detail=detail)]


def _surface_checks(design: Mapping[str, Value], size: Size, model: str) -> list[Check]:
    """Sites of the whole ball first, so that there is a cut to be judged; then those of the cut."""
    density, full = design["hydroxyl_density"], _full(design)
    ligands, blocked = _ligand_checks(design, size, full)
    room = hydroxyl_room(density, full.area, len(full.exposed) - blocked)
    if not all(check.passed for check in (*ligands, room)):
        return [*ligands, room]
    cut, (low, high) = particle_of(design, model), neutral_densities(full, model)
    ligands, blocked = _ligand_checks(design, size, cut)
    room = hydroxyl_room(density, full.area, max(len(cut.exposed) - blocked, 0))
    dq = -(_charge(cut, model) + _bound(design) * hydroxyl_charge(model)) / len(cut.metals)
    low, high = (max(0.0, limit - binding(design, grafts_of(design)) / full.area) for limit in (low, high))
    return [*ligands, room, dq_check(dq, f"{low:.1f} to {high:.1f} hydroxyls per nm^2 leave none")]


def _ligand_checks(design: Mapping[str, Value], size: Size, particle: Particle) -> tuple[list[Check], int]:
    """As `feasible_ligands.ligand_checks`, and how many exposed oxygens the ligands keep from carrying hydroxyls."""
    name = design["ligand"]
    if name == catalogue.NO_LIGAND:
        return [], 0
    head = ligand(name).head
    site = site_check(design, 2, capacity(particle, head), particle.area, "on the particle")
    if not site.passed:
        return [site], 0
    checks = room_checks(design, site, lambda height: _shell(particle.radius, height), gap_of(design, size))
    return checks, grafts_of(design) * most_blocked(particle, head)


def _shell(radius: float, height: float) -> float:
    """nm^3 up to a height (nm) above a sphere, per nm^2 of it."""
    return (ball(radius + height) - ball(radius)) / (4 * pi * radius**2)


def _bound(design: Mapping[str, Value]) -> int:
    """Hydroxyls, and oxygens that ligands are bound by: these have the same charge."""
    return groups_of(design) + binding(design, grafts_of(design))


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
