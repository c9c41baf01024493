"""Whether the surface of a design has room for its hydroxyls and ligands, and the charge that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build.decided import decided_by
from oracles.openmm.build.feasible_ligands import anchored, ligand_checks
from oracles.openmm.build.hydroxyls import count, hydroxyl_charge
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import Slab, build_slab
from oracles.openmm.materials import catalogue

DQ_LIMIT = 0.25
"""e per metal; a larger neutralising charge makes another material."""
DQ_FLAG = 0.10
"""e per metal; above it part of a contrast between surfaces is the neutralisation itself."""


@decided_by("oxide", "facet", "termination")
def slab_of(design: Mapping[str, Value], size: Size) -> Slab:
    """The bare slab of a design whose oxide, facet and termination are known."""
    oxide = str(design["oxide"])
    facet = catalogue.facet_name(oxide, design["facet"])
    termination = catalogue.termination_name(oxide, facet, design["termination"])
    return build_slab(oxide, facet, termination, size.lateral, size.slab_thickness)


@cache
def bare_charge(slab: Slab, model: str) -> float:
    """e of a slab that `build_slab` keeps, without hydroxyls, both faces together."""
    return float(slab.charges(model).sum())


def neutral_density(charge: float, area: float, sites: int, model: str) -> float:
    """Hydroxyls per nm^2 of a face that make up for the charge (e) of both, or come nearest to it on so many sites."""
    return min(max(-charge / (2 * hydroxyl_charge(model)), 0.0), sites) / area


def surface_checks(design: Mapping[str, Value], size: Size, model: str) -> list[Check]:
    """Room for ligands and hydroxyls, and the neutralising charge per metal that they leave."""
    slab = slab_of(design, size)
    grafting = ligand_checks(design, slab, size)
    if not all(c.passed for c in grafting):
        return grafting
    anchors, taken = anchored(design, slab)
    density, sites = design["hydroxyl_density"], max(len(slab.upper) - taken, 0)
    room = hydroxyl_room(density, slab.area, sites)
    if not room.passed:
        return [*grafting, room]
    charge = bare_charge(slab, model) + 2 * anchors * hydroxyl_charge(model)
    dq = -(charge + 2 * hydroxyl_charge(model) * count(float(density), slab.area)) / len(slab.metals)
    neutral = neutral_density(charge, slab.area, sites, model)
    return [*grafting, room, dq_check(dq, f"the nearest neutral hydroxyl_density is {neutral:.1f} 1/nm^2")]


def dq_check(dq: float, cure: str) -> Check:
    """Whether the charge (e) that each metal takes so that the surface is neutral is small enough to mean little."""
    detail = ""
    if abs(dq) > DQ_LIMIT:
        detail = f"the neutralising charge is too large; {cure}"
    elif abs(dq) > DQ_FLAG:
        detail = f"above {DQ_FLAG} e: part of any contrast with another surface is this charge"
    passed = abs(dq) <= DQ_LIMIT
    return Check("dq", passed, dq, DQ_LIMIT, "e", detail, flagged=passed and abs(dq) > DQ_FLAG)


def hydroxyl_room(density: Value, area: float, sites: int) -> Check:
    """No more hydroxyls on an area than it has sites; a density that rounds to them is the same surface."""
    most = round(sites / area, 2)
    fits = not isinstance(density, str) and density >= 0 and count(density, area) <= sites
    detail = "" if fits else f"hydroxyl_density must lie in [0, {most:g}] 1/nm^2"
    return Check("hydroxyl_density", fits, density, most, "1/nm^2", detail)
