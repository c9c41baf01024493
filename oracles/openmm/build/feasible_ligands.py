"""Whether the surface of a design has room for its ligands, and the film for their length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build import sites
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.hydroxyls import count
from oracles.openmm.build.ligands import CLEARANCE, contour, layer_height, longest, lowest, room
from oracles.openmm.build.limits import within
from oracles.openmm.build.perception import mapped
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import Slab
from oracles.openmm.materials import catalogue

CRYSTAL = 1.25
"""How much denser than their liquid ligands may stand: organic crystals fill 0.74 of their volume, liquids 0.60."""
STRAIGHT, FLAT = 1.1, 0.5
"""No shape of a ligand stands higher than this many times its contour, and of one whose bonds all turn the tallest is
no lower than so many: where that settles a check, no shape has to be drawn, which is nine tenths of the time."""
BENT = "[#6,#7]=,#,:[#6,#7]"
"""Bonds that no shape turns: what they join may be folded back in all."""
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


def binding(design: Mapping[str, Value], ligands: int) -> int:
    """Oxygens that so many of a design's ligands are bound by."""
    return ligands * ligand(design["ligand"]).binds if ligands else 0


def anchored(design: Mapping[str, Value], slab: Slab) -> tuple[int, int]:
    """Oxygens of one face that ligands are bound by, and at most as many that carry no hydroxyl for their sake."""
    ligands = grafts(design, slab.area)
    if not ligands:
        return 0, 0
    return binding(design, ligands), ligands * grafting(slab, ligand(design["ligand"]).head).blocked


def ligand_atoms(name: object) -> int:
    """Atoms that one ligand adds: its anchors are the slab's."""
    return 0 if name == catalogue.NO_LIGAND else ligand(name).own


def ligand_checks(design: Mapping[str, Value], slab: Slab, size: Size) -> list[Check]:
    """Sites that suit the head group, at least one ligand on a face and no more than there is room for, and a gap for
    its length; nothing where the design has no ligand."""
    name = design["ligand"]
    if name == catalogue.NO_LIGAND:
        return []
    site = site_check(design, 1, grafting(slab, ligand(name).head).capacity, slab.area, "on each face")
    if not site.passed:
        return [site]
    gap = room(name, grafts(design, slab.area), slab.area, size.gap)
    return room_checks(design, site, lambda height: height, gap)


def site_check(design: Mapping[str, Value], least: int, most: int, area: float, where: str) -> Check:
    """Whether a density means ligands, which come `least` at a time, and no more than the sites that suit their head on
    an area (nm^2)."""
    if not most:
        return _no_site(design["ligand"])
    low, high = round(least / 2 / area + 0.005, 2), round(most / area, 2)
    check = within("ligand_density", design["ligand_density"], low, high, "1/nm^2")
    if check.passed:
        return check
    fewest = "one ligand" if least == 1 else f"{least} ligands"
    return replace(check, detail=f"{check.detail} ({fewest} to {most} {where}), or ligand be none")


def room_checks(
    design: Mapping[str, Value], density: Check, space: Callable[[float], float], gap: float
) -> list[Check]:
    """Whether ligands that have sites (the check of their `density`) have room too: `space(height)` nm^3 per nm^2 of
    surface where they stand so high (nm), and a gap (nm) for their length."""
    name = design["ligand"]
    length = _at_most("ligand_length", contour(name), COILED * gap, gap)
    if not length.passed:
        return [density, length]
    straight = STRAIGHT * contour(name) + CLEARANCE
    needed = straight if straight <= gap else lowest(name)
    return [_crowding(design, density, space), length, _at_most("ligand_height", needed, gap, gap)]


def _crowding(design: Mapping[str, Value], density: Check, space: Callable[[float], float]) -> Check:
    """The check of the density again, refused where so many ligands do not fit side by side even when upright."""
    name = design["ligand"]
    rough = CRYSTAL * space(FLAT * contour(name)) / layer_height(name, 1.0) if _unbends(name) else 0.0
    if float(design["ligand_density"]) <= rough:
        return density
    most = round(CRYSTAL * space(longest(name)) / layer_height(name, 1.0), 2)
    if float(design["ligand_density"]) <= most:
        return density
    cure = f"ligands this bulky fill the space at {most:g} 1/nm^2 even when upright; use fewer"
    return replace(density, passed=False, limit=most, detail=cure)


@cache
def _unbends(name: Value) -> bool:
    """Whether a ligand has an extended shape."""
    from rdkit import Chem

    return not mapped(ligand(name).free.smiles).HasSubstructMatch(Chem.MolFromSmarts(BENT))


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
