"""What a design's polymer is: repeat units, ends, density and conformations, by catalogue name or from SMILES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from oracles.openmm.build.molecules import Molecule, chain
from oracles.openmm.build.perception import stereocentres, turning
from oracles.openmm.build.repeat_units import BadUnit, RepeatUnit, read
from oracles.openmm.build.rotors import Rotors
from oracles.openmm.materials import catalogue
from oracles.openmm.materials.volume import molar_volume

PVDF_MODELS = ("sage", "byutner-smith")
STIFF = 1e4
"""kJ/mol of gauche over trans for a bond that does not turn."""
UNKNOWN_COIL: Mapping[str, Any] = {
    "gauche": 0.0,
    "clash": 8.4,
    "side_clash": 8.4,
    "gauche_angle": 65.0,
    "width": 10.0,
}
"""Of a repeat unit without published states: trans, gauche+ and gauche- alike on every bond that turns, ends of five
atoms against each other as rarely as in polyethylene (2.0 kcal/mol: Abe, Jernigan, Flory, J. Am. Chem. Soc. 1966, 88,
631), side groups included. A start only."""


@dataclass(frozen=True, eq=False)
class Unit:
    """A repeat unit with its mass (g/mol), atoms, density (g/cm^3) and the states of its backbone bonds, the one to
    the next unit last; `chiral` where one of its backbone atoms carries two different side groups."""

    repeat: RepeatUnit
    mass: float
    atoms: int
    density: float
    rotors: Rotors
    chiral: bool


@dataclass(frozen=True, eq=False)
class Polymer:
    """Units A and, of a copolymer, B; what a design leaves open; backbone torsions (degrees) of each extended start
    and the height of one unit in it (nm)."""

    name: str
    units: tuple[Unit, ...]
    head: str
    tail: str
    force_field: str
    comonomer_fraction: float
    tacticity: str
    starts: Mapping[str, Mapping[str, Any]]

    @property
    def chiral(self) -> bool:
        return any(unit.chiral for unit in self.units)

    @property
    def residue(self) -> str:
        """Three letters for its units in a topology."""
        letters = "".join(letter for letter in self.name if letter.isalpha())
        return "POL" if "*" in self.name else letters[:3].upper()

    def by_letter(self) -> list[tuple[str, Unit]]:
        """Each unit with the letter that names it."""
        return list(zip("AB", self.units, strict=False))

    @property
    def end_atoms(self) -> int:
        return len(_ends(self.head, self.tail))

    def chain(self, sequence: str) -> Molecule:
        """The chain whose units, in order, `sequence` names (see `molecules.chain`)."""
        return chain([unit.repeat for unit in self.units], sequence, self.head, self.tail)

    def rotors(self, sequence: str) -> Rotors:
        """The states of a chain's backbone bonds that have a torsion: all but the first and the last."""
        parts = [_reversed(self.units["AB".index(letter.upper())].rotors, letter.islower()) for letter in sequence]
        whole = (np.concatenate([getattr(part, name) for part in parts])[1:-2] for name in _FIELDS)
        return Rotors(*whole)

    def mass(self, sequence: str) -> float:
        """g/mol of a chain, its ends included."""
        return sum(self.units["AB".index(letter.upper())].mass for letter in sequence) + end_mass(self.head, self.tail)

    def density(self, fraction: float) -> float:
        """g/cm^3 to pack for, the volumes of the units being additive; `fraction` of them are B."""
        shares = np.array([1.0 - fraction, fraction])[: len(self.units)]
        masses = shares * [unit.mass for unit in self.units]
        return float(masses.sum() / (masses / [unit.density for unit in self.units]).sum())


_FIELDS = ("gauche", "clash", "side_clash", "gauche_angle", "width")


@cache
def polymer(name: str, pvdf_model: str = PVDF_MODELS[0]) -> Polymer:
    """The polymer of a catalogue name or of SMILES: a repeat unit with two `*`, or two of them joined by a dot.

    `pvdf_model` is the force field of plain PVDF. Raises UnknownMaterial or BadUnit.
    """
    if "*" in name:
        return _from_smiles(name)
    entry = catalogue.polymer(name)
    members = [catalogue.polymer(member) for member in entry.get("copolymer", [name])]
    return Polymer(
        name=name,
        units=tuple(_unit(member["repeat_unit"], member["density"]["value"], member["coil"]) for member in members),
        head=entry["head"],
        tail=entry["tail"],
        force_field=pvdf_model if pvdf_model in entry["force_fields"] else entry["force_fields"][0],
        comonomer_fraction=entry.get("comonomer_fraction", 0.0),
        tacticity=entry.get("tacticity", "atactic"),
        starts=entry["starts"],
    )


def _from_smiles(smiles: str) -> Polymer:
    units = tuple(_unit(part) for part in smiles.split("."))
    if len(units) > 2:
        raise BadUnit(f"polymer {smiles}: {len(units)} repeat units; a copolymer here has two")
    return Polymer(
        name=smiles,
        units=units,
        head=_end(units, 0),
        tail=_end(units, -1),
        force_field="sage",
        comonomer_fraction=0.5 if len(units) == 2 else 0.0,
        tacticity="atactic",
        starts={},
    )


def _end(units: tuple[Unit, ...], which: int) -> str:
    """Hydrogen on carbon, methyl on anything else: a hydroxyl end would bind to the oxide."""
    ends = {unit.repeat.graph.GetAtomWithIdx(unit.repeat.backbone[which]).GetSymbol() for unit in units}
    return "[H]" if ends == {"C"} else "C"


def _unit(smiles: str, density: float | None = None, coil: Mapping[str, Any] | None = None) -> Unit:
    repeat = read(smiles)
    bonds = len(repeat.backbone)
    trimer = chain([repeat], "AAA")
    mass = (_mass(trimer.elements) - end_mass("[H]", "[H]")) / 3
    states = _unknown_states(trimer, bonds) if coil is None else coil
    chiral = any(stereocentres(trimer.smiles, tuple(trimer.backbone.tolist()))[bonds : 2 * bonds])
    if not chiral:  # its side groups are against each other as much in every state
        states = {**states, "side_clash": 0.0}
    return Unit(
        repeat=repeat,
        mass=mass,
        atoms=(len(trimer.elements) - 2) // 3,
        density=mass / molar_volume(smiles) if density is None else density,
        rotors=Rotors(*(np.resize(np.array(states[name], dtype=float), bonds) for name in _FIELDS)),
        chiral=chiral,
    )


def _unknown_states(trimer: Molecule, bonds: int) -> dict[str, Any]:
    free = turning(trimer.smiles)
    path = trimer.backbone[bonds : 2 * bonds + 1].tolist()
    turns = [(min(pair), max(pair)) in free for pair in pairwise(path)]
    return {**UNKNOWN_COIL, "gauche": [UNKNOWN_COIL["gauche"] if free else STIFF for free in turns]}


def _reversed(rotors: Rotors, inverted: bool) -> Rotors:
    """The states of a unit built in tail first; the bond to the next unit stays last."""
    if not inverted:
        return rotors
    return Rotors(*(np.append(getattr(rotors, name)[-2::-1], getattr(rotors, name)[-1]) for name in _FIELDS))


def end_mass(head: str, tail: str) -> float:
    """g/mol of both end groups."""
    return _mass(_ends(head, tail))


@cache
def _ends(head: str, tail: str) -> tuple[str, ...]:
    """Elements of both end groups."""
    from rdkit import Chem

    joined = Chem.AddHs(Chem.MolFromSmiles(head + tail))  # with the hydrogens that they have on a chain
    return tuple(atom.GetSymbol() for atom in joined.GetAtoms())


@cache
def _mass(elements: tuple[str, ...]) -> float:
    from oracles.openmm.build.assemble import atomic_mass

    return sum(atomic_mass(element) for element in elements)
