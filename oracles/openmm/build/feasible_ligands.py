"""Whether the surface of a design has room for its ligands, and the film for their length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build import sites
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.hydroxyls import count
from oracles.openmm.build.ligands import layer_height, longest, lowest, room
from oracles.openmm.build.limits import within
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import Slab
from oracles.openmm.materials import catalogue

CRYSTAL = 1.25
"""How much denser than their liquid ligands may stand: organic crystals fill 0.74 of their volume, liquids 0.60."""


@dataclass(frozen=True)
class Grafting:
    """How many ligands with some head group one face holds, and the most exposed oxygens that one keeps from carrying a
    hydroxyl."""

    capacity: int
    blocked: int


@cache
def grafting(slab: Slab, head: str) -> Grafting:
    """Of a slab that `build_slab` keeps."""
    both = [site for face in (slab.lower, slab.upper) for site in sites.sites(slab, face, head)]
    return Grafting(sites.capacity(slab, head), max((len(sites.blocked(slab, site)) for site in both), default=0))


def grafts(design: Mapping[str, Value], area: float) -> int:
    """Ligands on one face."""
    return 0 if design["ligand"] == catalogue.NO_LIGAND else count(float(design["ligand_density"]), area)


def ligand_atoms(name: object) -> int:
    """Atoms that one ligand adds: its anchors are the slab's."""
    return 0 if name == catalogue.NO_LIGAND else ligand(name).own


def ligand_checks(design: Mapping[str, Value], slab: Slab, size: Size) -> list[Check]:
    """Sites that suit the head group, at least one ligand on a face and no more than there is room for, and a gap high
    enough for the flattest shape of one; nothing where the design has no ligand."""
    name = design["ligand"]
    if name == catalogue.NO_LIGAND:
        return []
    most = grafting(slab, ligand(name).head).capacity
    if not most:
        return [_no_pair(name, slab)]
    upright = CRYSTAL * longest(name) / layer_height(name, 1.0)
    low, high = round(0.5 / slab.area + 0.005, 2), min(round(most / slab.area, 2), round(upright, 2))
    density = within("ligand_density", design["ligand_density"], low, high, "1/nm^2")
    if not density.passed:
        fill = "" if upright > most / slab.area else f", and {upright:.2f} 1/nm^2 fill the space even when upright"
        reason = f"(one ligand to {most} on each face{fill}), or ligand be none"
        return [replace(density, detail=f"{density.detail} {reason}")]
    height, gap = lowest(name), room(name, grafts(design, slab.area), slab.area, size.gap)
    fits = height <= gap
    cure = f"its flattest shape needs more than the gap of {gap:.2f} nm; use a shorter ligand or a larger fidelity"
    return [density, Check("ligand_height", fits, height, gap, "nm", "" if fits else cure)]


def _no_pair(name: Value, slab: Slab) -> Check:
    head = ligand(name).head
    near, far = catalogue.heads()[head]["pair"]
    cure = (
        f"a {head} binds to two oxygens {near:g} to {far:g} nm apart and this surface has none;"
        " use another facet or a ligand that binds by one"
    )
    return Check("ligand", False, name, detail=cure)
