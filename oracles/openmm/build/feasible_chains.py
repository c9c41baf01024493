"""Whether a film holds enough chains of a design's length, and whether they fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from loop.types import Check, Value
from oracles.openmm.build.chains import grow, torsions
from oracles.openmm.build.feasible_surface import face_of
from oracles.openmm.build.molecules import chain
from oracles.openmm.build.packing import chain_count, layer_capacity
from oracles.openmm.build.size import Size
from oracles.openmm.forcefield.assign import assign
from oracles.openmm.materials import catalogue

MIN_CHAINS = 2


@dataclass(frozen=True)
class Unit:
    """Mass (g/mol) and atoms of a chain: n units and the ends."""

    mass: float
    end_mass: float
    atoms: int
    end_atoms: int


@cache
def unit(polymer: str) -> Unit:
    from oracles.openmm.build.assemble import atomic_mass

    two, three = (chain(catalogue.polymer(polymer), n).elements for n in (2, 3))
    mass_two, mass_three = (sum(atomic_mass(element) for element in elements) for elements in (two, three))
    mass, size = mass_three - mass_two, len(three) - len(two)
    return Unit(mass, mass_two - 2 * mass, size, len(two) - 2 * size)


@cache
def _extended_length(polymer: str, start: str, n: int) -> float:
    """End-to-end extent (nm) of an extended chain."""
    material = catalogue.polymer(polymer)
    molecule = chain(material, n)
    angles = torsions(material, len(molecule.backbone) - 3, start, 0.0, 0)
    x = grow(molecule, assign(molecule, material["force_field"]), angles)
    return float(np.linalg.norm(x[molecule.backbone[-1]] - x[molecule.backbone[0]]))


def chains_of(design: Mapping[str, Value], size: Size) -> int:
    repeat = unit(str(design["polymer"]))
    mass = int(design["chain_length"]) * repeat.mass + repeat.end_mass
    density = catalogue.polymer(design["polymer"])["density"]["value"]
    return chain_count(mass, density, face_of(design, size).area, size.gap)


def chain_checks(design: Mapping[str, Value], size: Size) -> list[Check]:
    """Enough chains to be a melt and, where they are extended, each short enough for one layer."""
    chains = chains_of(design, size)
    enough = chains >= MIN_CHAINS
    detail = "" if enough else "the film holds too few chains of this length; use a smaller chain_length"
    checks = [Check("chains", enough, chains, MIN_CHAINS, detail=detail)]
    if design["start"] != "coil":
        length = _extended_length(str(design["polymer"]), str(design["start"]), int(design["chain_length"]))
        fits = layer_capacity(length, face_of(design, size).lateral) >= 1
        detail = "" if fits else "an extended chain does not fit in one layer; use a smaller chain_length or coil"
        checks.append(Check("extended_length", fits, length, unit="nm", detail=detail))
    return checks
