"""Says, purely and in microseconds, whether a design can be built and what it would need instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from loop.types import Check, OracleFailure, Value
from oracles.openmm.build.chains import grow, torsions
from oracles.openmm.build.hydroxyls import count, hydroxyl_charge
from oracles.openmm.build.ligands import alkoxide, blocked, capacity, ligand_charge
from oracles.openmm.build.molecules import chain
from oracles.openmm.build.packing import chain_count, layer_capacity
from oracles.openmm.build.size import SIZES, Size
from oracles.openmm.build.slab import build_slab
from oracles.openmm.forcefield.assign import assign
from oracles.openmm.materials import catalogue

MODEL = "clayff"
"""Name of the oxide parameter set."""
DQ_LIMIT = 0.25
"""e per metal; a larger neutralising charge makes another material."""
DQ_FLAG = 0.10
"""e per metal; above it part of a contrast between surfaces is the neutralisation itself."""
CHAIN_LENGTHS = (2, 48)
MIN_CHAINS = 2
TEMPERATURES = (200.0, 700.0)
"""K; 4 fs steps and the force fields are tested in this range."""
DEFAULTS: Mapping[str, Value] = {
    "oxide": "magnetite",
    "facet": "001",
    "termination": catalogue.AUTO,
    "hydroxyl_density": 4.0,
    "ligand": catalogue.NO_LIGAND,
    "ligand_density": 0.0,
    "polymer": "PVDF",
    "comonomer_fraction": 0.0,
    "chain_length": 8,
    "start": "coil",
    "temperature": 400.0,
}
"""What a design that does not name a parameter has."""


def with_defaults(values: Mapping[str, Value]) -> dict[str, Value]:
    """The design's values with every parameter the oracle understands."""
    return {**DEFAULTS, **values}


def check(values: Mapping[str, Value], fidelity: str) -> list[Check]:
    """Every named test of a design at a fidelity, passed or not; `detail` of one that failed names the cure."""
    return checks_at(with_defaults(values), SIZES[fidelity])


def checks_at(design: Mapping[str, Value], size: Size) -> list[Check]:
    """As `check`, for a whole design at a size."""
    checks = [*_names(design), *_ranges(design)]
    if all(c.passed for c in checks):
        checks += [*_charge(design, size), *_chains(design, size)]
    return checks


def refuse(design: Mapping[str, Value], size: Size) -> None:
    """Raises OracleFailure("infeasible", ...) with every test that a whole design fails at a size."""
    failed = [c for c in checks_at(design, size) if not c.passed]
    if failed:
        reasons = "; ".join(f"{c.name} {c.value}: {c.detail}" for c in failed)
        raise OracleFailure("infeasible", reasons, checks=failed)


def atoms(values: Mapping[str, Value], fidelity: str) -> int:
    """Atoms of a feasible design's film."""
    design, size = with_defaults(values), SIZES[fidelity]
    face = _face_of(design, size)
    unit = _unit(str(design["polymer"]))
    n = int(design["chain_length"])
    hydrogens = 2 * count(float(design["hydroxyl_density"]), face.area)
    grafted = 2 * _grafts(design, face) * _ligand_atoms(str(design["ligand"]))
    return face.atoms + hydrogens + grafted + _chain_count(design, size) * (n * unit.atoms + unit.end_atoms)


def _names(design: Mapping[str, Value]) -> list[Check]:
    """Everything the design names is in the catalogue."""
    checks = []
    oxide, facet, termination = design["oxide"], design["facet"], design["termination"]
    for name, resolve in (
        ("oxide", lambda: catalogue.oxide(oxide)),
        ("facet", lambda: catalogue.facet_name(oxide, facet)),
        ("termination", lambda: catalogue.termination_name(oxide, facet, termination)),
    ):
        problem = _problem(resolve)
        checks.append(Check(name, problem == "", design[name], detail=problem))
        if problem:
            return checks
    problem = _problem(lambda: catalogue.polymer(design["polymer"]))
    checks.append(Check("polymer", problem == "", design["polymer"], detail=problem))
    if not problem:
        checks.append(_start(design))
    return checks


def _problem(resolve: Any) -> str:
    try:
        resolve()
    except catalogue.UnknownMaterial as error:
        return str(error)
    return ""


def _start(design: Mapping[str, Value]) -> Check:
    offered = ("coil", *catalogue.polymer(design["polymer"])["starts"])
    passed = design["start"] in offered
    detail = "" if passed else f"{design['polymer']} starts as {' or '.join(offered)}"
    return Check("start", passed, design["start"], detail=detail)


def _ranges(design: Mapping[str, Value]) -> list[Check]:
    checks = [
        _within("chain_length", design["chain_length"], *CHAIN_LENGTHS, "1"),
        _within("temperature", design["temperature"], *TEMPERATURES, "K"),
        _within("comonomer_fraction", design["comonomer_fraction"], 0.0, 0.0, "1"),
    ]
    problem = _problem(lambda: catalogue.ligand(design["ligand"]))
    checks.append(Check("ligand", problem == "", design["ligand"], detail=problem))
    if design["ligand"] == catalogue.NO_LIGAND:
        density = _within("ligand_density", design["ligand_density"], 0.0, 0.0, "1/nm^2")
        checks.append(density if density.passed else replace(density, detail=f"{density.detail} where ligand is none"))
    return checks


def _within(name: str, value: Value, low: float, high: float, unit: str) -> Check:
    passed = not isinstance(value, str) and low <= value <= high
    limit = low if not isinstance(value, str) and value < low else high
    detail = "" if passed else f"{name} must lie in [{low:g}, {high:g}] {'' if unit == '1' else unit}".rstrip()
    return Check(name, passed, value, limit, unit, detail)


@dataclass(frozen=True)
class _Face:
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


def _face_of(design: Mapping[str, Value], size: Size) -> _Face:
    facet = catalogue.facet_name(design["oxide"], design["facet"])
    termination = catalogue.termination_name(design["oxide"], facet, design["termination"])
    return _face(str(design["oxide"]), facet, termination, size)


@cache
def _face(oxide: str, facet: str, termination: str, size: Size) -> _Face:
    slab = build_slab(oxide, facet, termination, size.lateral, size.slab_thickness, MODEL)
    charge = float(slab.charges.sum())
    exposed = (*slab.lower.tolist(), *slab.upper.tolist())
    taken = max(len(blocked(slab, [oxygen])) for oxygen in exposed)
    metals, sites = len(slab.metals), len(slab.upper)
    return _Face(slab.lateral, slab.area, len(slab.elements), metals, charge, sites, capacity(slab), taken)


@cache
def _ligand_atoms(ligand: str) -> int:
    """Atoms that one ligand adds: its oxygen is the slab's."""
    return 0 if ligand == catalogue.NO_LIGAND else len(alkoxide(ligand).elements) - 1


def _grafts(design: Mapping[str, Value], face: _Face) -> int:
    """Ligands on one face."""
    return 0 if design["ligand"] == catalogue.NO_LIGAND else count(float(design["ligand_density"]), face.area)


def _ligand_room(design: Mapping[str, Value], face: _Face) -> list[Check]:
    """At least one ligand on a face, where there are to be any, and no more than their spacing allows."""
    if design["ligand"] == catalogue.NO_LIGAND:
        return []
    low, high = (round(n / face.area + up, 2) for n, up in ((0.5, 0.005), (face.anchors, 0.0)))
    room = _within("ligand_density", design["ligand_density"], low, high, "1/nm^2")
    if room.passed:
        return [room]
    return [replace(room, detail=f"{room.detail} (one ligand to {face.anchors} on each face), or ligand be none")]


def _charge(design: Mapping[str, Value], size: Size) -> list[Check]:
    """Room for ligands and hydroxyls, and the neutralising charge per metal that they leave."""
    face = _face_of(design, size)
    grafting = _ligand_room(design, face)
    if not all(c.passed for c in grafting):
        return grafting
    density, ligands = design["hydroxyl_density"], _grafts(design, face)
    most = max(face.sites - ligands * face.blocked, 0) / face.area
    room = _within("hydroxyl_density", density, 0.0, round(most, 2), "1/nm^2")
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


@dataclass(frozen=True)
class _Unit:
    """Mass (g/mol) and atoms of a chain: n units and the ends."""

    mass: float
    end_mass: float
    atoms: int
    end_atoms: int


@cache
def _unit(polymer: str) -> _Unit:
    from oracles.openmm.build.assemble import atomic_mass

    two, three = (chain(catalogue.polymer(polymer), n).elements for n in (2, 3))
    mass_two, mass_three = (sum(atomic_mass(element) for element in elements) for elements in (two, three))
    mass, size = mass_three - mass_two, len(three) - len(two)
    return _Unit(mass, mass_two - 2 * mass, size, len(two) - 2 * size)


@cache
def _extended_length(polymer: str, start: str, n: int) -> float:
    """End-to-end extent (nm) of an extended chain."""
    material = catalogue.polymer(polymer)
    molecule = chain(material, n)
    angles = torsions(material, len(molecule.backbone) - 3, start, 0.0, 0)
    x = grow(molecule, assign(molecule, material["force_field"]), angles)
    return float(np.linalg.norm(x[molecule.backbone[-1]] - x[molecule.backbone[0]]))


def _chain_count(design: Mapping[str, Value], size: Size) -> int:
    unit = _unit(str(design["polymer"]))
    mass = int(design["chain_length"]) * unit.mass + unit.end_mass
    density = catalogue.polymer(design["polymer"])["density"]["value"]
    return chain_count(mass, density, _face_of(design, size).area, size.gap)


def _chains(design: Mapping[str, Value], size: Size) -> list[Check]:
    """Enough chains to be a melt and, where they are extended, each short enough for one layer."""
    chains = _chain_count(design, size)
    enough = chains >= MIN_CHAINS
    detail = "" if enough else "the film holds too few chains of this length; use a smaller chain_length"
    checks = [Check("chains", enough, chains, MIN_CHAINS, detail=detail)]
    if design["start"] != "coil":
        length = _extended_length(str(design["polymer"]), str(design["start"]), int(design["chain_length"]))
        fits = layer_capacity(length, _face_of(design, size).lateral) >= 1
        detail = "" if fits else "an extended chain does not fit in one layer; use a smaller chain_length or coil"
        checks.append(Check("extended_length", fits, length, unit="nm", detail=detail))
    return checks
