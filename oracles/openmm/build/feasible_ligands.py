"""Whether the surface of a design has room for its ligands, and the film for their length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build import sites
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.hydroxyls import count
from oracles.openmm.build.ligands import CLEARANCE, contour, layer_height, longest, lowest, room
from oracles.openmm.build.limits import within
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import Slab
from oracles.openmm.materials import catalogue

CRYSTAL = 1.25
"""How much denser than their liquid ligands may stand: organic crystals fill 0.74 of their volume, liquids 0.60."""
STRAIGHT, FLAT = 1.3, 0.5
"""No shape of a ligand stands higher than this many times its contour, and its tallest one is no lower than so many:
where that settles a check, no shape has to be drawn, which takes ten times as long as all else."""
COILED = 2.0
"""How much longer than the gap is high a ligand may be along its bonds: it then has to coil."""


@dataclass(frozen=True)
class Grafting:
    """How many ligands with some head group one face holds, and the most exposed oxygens that one keeps from carrying a
    hydroxyl."""

    capacity: int
    blocked: int


@cache
def grafting(slab: Slab, head: str) -> Grafting:
    both = [site for face in (slab.lower, slab.upper) for site in sites.sites(slab, face, head)]
    return Grafting(sites.capacity(slab, head), max((len(sites.blocked(slab, site)) for site in both), default=0))


def grafts(design: Mapping[str, Value], area: float) -> int:
    """Ligands on one face."""
    return 0 if design["ligand"] == catalogue.NO_LIGAND else count(float(design["ligand_density"]), area)


def anchored(design: Mapping[str, Value], slab: Slab) -> tuple[int, int]:
    """Oxygens of one face that ligands are bound by, and at most as many that carry no hydroxyl for their sake."""
    ligands = grafts(design, slab.area)
    if not ligands:
        return 0, 0
    kind = ligand(design["ligand"])
    return ligands * kind.binds, ligands * grafting(slab, kind.head).blocked


def ligand_atoms(name: object) -> int:
    """Atoms that one ligand adds: its anchors are the slab's."""
    return 0 if name == catalogue.NO_LIGAND else ligand(name).own


def ligand_checks(design: Mapping[str, Value], slab: Slab, size: Size) -> list[Check]:
    """Sites that suit the head group, at least one ligand on a face and no more than there is room for, and a gap for
    its length; nothing where the design has no ligand."""
    name = design["ligand"]
    if name == catalogue.NO_LIGAND:
        return []
    most = grafting(slab, ligand(name).head).capacity
    if not most:
        return [_no_site(name)]
    density = _density(design, most, slab.area)
    if not density.passed:
        return [density]
    gap = room(name, grafts(design, slab.area), slab.area, size.gap)
    length = _at_most("ligand_length", contour(name), COILED * gap, gap)
    if not length.passed:
        return [density, length]
    straight = STRAIGHT * contour(name) + CLEARANCE
    needed = straight if straight <= gap else lowest(name)
    return [_crowding(design, density), length, _at_most("ligand_height", needed, gap, gap)]


def _density(design: Mapping[str, Value], most: int, area: float) -> Check:
    low, high = round(0.5 / area + 0.005, 2), round(most / area, 2)
    check = within("ligand_density", design["ligand_density"], low, high, "1/nm^2")
    if check.passed:
        return check
    return replace(check, detail=f"{check.detail} (one ligand to {most} on each face), or ligand be none")


def _crowding(design: Mapping[str, Value], density: Check) -> Check:
    """The check of the density again, refused where so many ligands do not fit side by side even when upright."""
    name = design["ligand"]
    if float(design["ligand_density"]) <= CRYSTAL * FLAT * contour(name) / layer_height(name, 1.0):
        return density
    most = round(CRYSTAL * longest(name) / layer_height(name, 1.0), 2)
    if float(design["ligand_density"]) <= most:
        return density
    cure = f"ligands this bulky fill the space at {most:g} 1/nm^2 even when upright; use fewer"
    return replace(density, passed=False, limit=most, detail=cure)


def _at_most(check: str, value: float, limit: float, gap: float) -> Check:
    fits = value <= limit
    cure = f"the ligand is too long for a gap of {gap:.2f} nm; use a shorter ligand or a larger fidelity"
    return Check(check, fits, value, limit, "nm", "" if fits else cure)


def _no_site(name: Value) -> Check:
    head = ligand(name).head
    pair = catalogue.heads()[head].get("pair")
    wanted = "an oxygen that lacks a metal" if pair is None else f"two oxygens {pair[0]:g} to {pair[1]:g} nm apart"
    cure = "" if pair is None else " or a ligand that binds by one"
    detail = f"a {head} binds to {wanted} and this surface has none; use another facet or termination{cure}"
    return Check("ligand", False, name, detail=detail)
