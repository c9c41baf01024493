"""Whether the surface of a design has room for its hydroxyls and ligands, and the charge that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build.hydroxyls import count, hydroxyl_charge
from oracles.openmm.build.ligands import alkoxide, blocked, capacity, ligand_charge
from oracles.openmm.build.limits import within
from oracles.openmm.build.size import Size
from oracles.openmm.build.slab import build_slab
from oracles.openmm.materials import catalogue

MODEL = "clayff"
"""Name of the oxide parameter set."""
DQ_LIMIT = 0.25
"""e per metal; a larger neutralising charge makes another material."""
DQ_FLAG = 0.10
"""e per metal; above it part of a contrast between surfaces is the neutralisation itself."""


@dataclass(frozen=True)
class Face:
    """What the charge of a surface depends on; areas nm^2, `sites` exposed oxygens of one face, `anchors` the most
    ligands on it and `blocked` the most sites that one of them takes from hydroxyls."""

    lateral: tuple[float, float]
    area: float
    atoms: int
    metals: int
    charge: float
    sites: int
    anchors: int
    blocked: int


def face_of(design: Mapping[str, Value], size: Size) -> Face:
    facet = catalogue.facet_name(design["oxide"], design["facet"])
    termination = catalogue.termination_name(design["oxide"], facet, design["termination"])
    return _face(str(design["oxide"]), facet, termination, size)


@cache
def _face(oxide: str, facet: str, termination: str, size: Size) -> Face:
    slab = build_slab(oxide, facet, termination, size.lateral, size.slab_thickness, MODEL)
    charge = float(slab.charges.sum())
    exposed = (*slab.lower.tolist(), *slab.upper.tolist())
    taken = max(len(blocked(slab, [oxygen])) for oxygen in exposed)
    metals, sites = len(slab.metals), len(slab.upper)
    return Face(slab.lateral, slab.area, len(slab.elements), metals, charge, sites, capacity(slab), taken)


@cache
def ligand_atoms(ligand: str) -> int:
    """Atoms that one ligand adds: its oxygen is the slab's."""
    return 0 if ligand == catalogue.NO_LIGAND else len(alkoxide(ligand).elements) - 1


def grafts(design: Mapping[str, Value], face: Face) -> int:
    """Ligands on one face."""
    return 0 if design["ligand"] == catalogue.NO_LIGAND else count(float(design["ligand_density"]), face.area)


def _ligand_room(design: Mapping[str, Value], face: Face) -> list[Check]:
    """At least one ligand on a face, where there are to be any, and no more than their spacing allows."""
    if design["ligand"] == catalogue.NO_LIGAND:
        return []
    low, high = (round(n / face.area + up, 2) for n, up in ((0.5, 0.005), (face.anchors, 0.0)))
    room = within("ligand_density", design["ligand_density"], low, high, "1/nm^2")
    if room.passed:
        return [room]
    return [replace(room, detail=f"{room.detail} (one ligand to {face.anchors} on each face), or ligand be none")]


def surface_checks(design: Mapping[str, Value], size: Size) -> list[Check]:
    """Room for ligands and hydroxyls, and the neutralising charge per metal that they leave."""
    face = face_of(design, size)
    grafting = _ligand_room(design, face)
    if not all(c.passed for c in grafting):
        return grafting
    density, ligands = design["hydroxyl_density"], grafts(design, face)
    most = max(face.sites - ligands * face.blocked, 0) / face.area
    room = within("hydroxyl_density", density, 0.0, round(most, 2), "1/nm^2")
    if not room.passed:
        return [*grafting, room]
    added = hydroxyl_charge(MODEL)
    charge = face.charge + 2 * ligand_charge(MODEL) * ligands
    dq = -(charge + 2 * added * count(float(density), face.area)) / face.metals
    neutral = min(max(-charge / (2 * added * face.area), 0.0), most)
    detail = ""
    if abs(dq) > DQ_LIMIT:
        detail = f"the neutralising charge is too large; the nearest neutral hydroxyl_density is {neutral:.1f} 1/nm^2"
    elif abs(dq) > DQ_FLAG:
        detail = f"above {DQ_FLAG} e: part of any contrast with another surface is this charge"
    passed = abs(dq) <= DQ_LIMIT
    return [*grafting, room, Check("dq", passed, dq, DQ_LIMIT, "e", detail, flagged=passed and abs(dq) > DQ_FLAG)]
