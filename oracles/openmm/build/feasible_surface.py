"""Whether the surface of a design has room for its hydroxyls and ligands, and the charge that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build.feasible_ligands import anchored, ligand_checks
from oracles.openmm.build.hydroxyls import count, hydroxyl_charge
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import Slab, build_slab
from oracles.openmm.materials import catalogue

DQ_LIMIT = 0.25
"""e per metal; a larger neutralising charge makes another material."""
DQ_FLAG = 0.10
"""e per metal; above it part of a contrast between surfaces is the neutralisation itself."""


@dataclass(frozen=True)
class Face:
    """What there is room for on a surface; area nm^2, `sites` exposed oxygens of one face."""

    lateral: tuple[float, float]
    area: float
    atoms: int
    metals: int
    sites: int
    slab: Slab


def face_of(design: Mapping[str, Value], size: Size) -> Face:
    return _face(*_cut(design), size)


@cache
def _face(oxide: str, facet: str, termination: str, size: Size) -> Face:
    slab = build_slab(oxide, facet, termination, size.lateral, size.slab_thickness)
    return Face(slab.lateral, slab.area, len(slab.elements), len(slab.metals), len(slab.upper), slab)


def _cut(design: Mapping[str, Value]) -> tuple[str, str, str]:
    """Oxide, facet and termination by their catalogue names."""
    facet = catalogue.facet_name(design["oxide"], design["facet"])
    return str(design["oxide"]), facet, catalogue.termination_name(design["oxide"], facet, design["termination"])


@cache
def bare_charge(oxide: str, facet: str, termination: str, size: Size, model: str) -> float:
    """e of the slab without hydroxyls, both faces together."""
    slab = build_slab(oxide, facet, termination, size.lateral, size.slab_thickness)
    return float(slab.charges(model).sum())


def neutral_density(charge: float, area: float, sites: int, model: str) -> float:
    """Hydroxyls per nm^2 of a face that make up for the charge (e) of both, or come nearest to it on so many sites."""
    return min(max(-charge / (2 * hydroxyl_charge(model)), 0.0), sites) / area


def surface_checks(design: Mapping[str, Value], size: Size, model: str) -> list[Check]:
    """Room for ligands and hydroxyls, and the neutralising charge per metal that they leave."""
    face = face_of(design, size)
    grafting = ligand_checks(design, face.slab, size)
    if not all(c.passed for c in grafting):
        return grafting
    anchors, taken = anchored(design, face.slab)
    density, sites = design["hydroxyl_density"], max(face.sites - taken, 0)
    room = _hydroxyl_room(density, face, sites)
    if not room.passed:
        return [*grafting, room]
    charge = bare_charge(*_cut(design), size, model) + 2 * anchors * hydroxyl_charge(model)
    dq = -(charge + 2 * hydroxyl_charge(model) * count(float(density), face.area)) / face.metals
    neutral = neutral_density(charge, face.area, sites, model)
    detail = ""
    if abs(dq) > DQ_LIMIT:
        detail = f"the neutralising charge is too large; the nearest neutral hydroxyl_density is {neutral:.1f} 1/nm^2"
    elif abs(dq) > DQ_FLAG:
        detail = f"above {DQ_FLAG} e: part of any contrast with another surface is this charge"
    passed = abs(dq) <= DQ_LIMIT
    return [*grafting, room, Check("dq", passed, dq, DQ_LIMIT, "e", detail, flagged=passed and abs(dq) > DQ_FLAG)]


def _hydroxyl_room(density: Value, face: Face, sites: int) -> Check:
    """No more hydroxyls on a face than it has sites; a density that rounds to them is the same surface."""
    most = round(sites / face.area, 2)
    fits = not isinstance(density, str) and density >= 0 and count(density, face.area) <= sites
    detail = "" if fits else f"hydroxyl_density must lie in [0, {most:g}] 1/nm^2"
    return Check("hydroxyl_density", fits, density, most, "1/nm^2", detail)
