"""What the surrogate learns of materials by: numbers that describe a choice, and which molecules have a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from loop import molecules
from loop.types import Value
from oracles.openmm.build.ligands import contour
from oracles.openmm.build.polymers import polymer
from oracles.openmm.build.repeat_units import BadUnit
from oracles.openmm.materials import catalogue

OXYGEN_CHARGE = -2
PER_NM3 = 602.214076
"""1/nm^3 of a mol/cm^3."""

Describer = Callable[[str], Mapping[str, float]]


def describe(parameter: str, value: Value) -> Mapping[str, float]:
    """Numbers that describe an oxide, ligand or polymer; empty for any other parameter, or what is none of them.

    Oxide: formal charge per metal (e), metals per volume (1/nm^3), mass density (g/cm^3). Ligand: what
    `molecules.describe` says of the free molecule and its length along the bonds (nm); zeros for none. Polymer: the
    first of the repeat unit, of a copolymer their mean in its own composition.
    """
    describers: Mapping[str, Describer] = {"oxide": _oxide, "ligand": _ligand, "polymer": _polymer}
    try:
        return describers[parameter](str(value)) if parameter in describers else {}
    except (catalogue.UnknownMaterial, BadUnit, molecules.BadMolecule):
        return {}


def heads(parameter: str) -> Mapping[str, str]:
    """Heads of generated ligands and polymers, name -> SMILES with R."""
    known: Mapping[str, Mapping[str, str]] = catalogue.data("heads")
    return known.get(parameter, {})


def named(parameter: str) -> Mapping[str, str]:
    """SMILES of the ligands, or repeat units of the polymers, that have a name."""
    if parameter == "ligand":
        return {name: entry["smiles"] for name, entry in catalogue.ligands().items()}
    if parameter == "polymer":
        units = catalogue.data("polymers")
        return {name: entry["repeat_unit"] for name, entry in units.items() if "repeat_unit" in entry}
    return {}


@cache
def _oxide(name: str) -> Mapping[str, float]:
    from rdkit import Chem

    crystal, table = catalogue.oxide(name), Chem.GetPeriodicTable()
    counts = {element: int(count or 1) for element, count in re.findall(r"([A-Z][a-z]?)(\d*)", crystal["formula"])}
    metals = sum(count for element, count in counts.items() if element != "O")
    mass = sum(count * table.GetAtomicWeight(element) for element, count in counts.items())
    density = float(crystal["density"]["value"])
    return {
        "metal_charge": -OXYGEN_CHARGE * counts["O"] / metals,
        "metal_density": PER_NM3 * density * metals / mass,
        "density": density,
    }


def _ligand(name: str) -> Mapping[str, float]:
    if name == catalogue.NO_LIGAND:
        return dict.fromkeys((*molecules.describe("C"), "length"), 0.0)
    listed = catalogue.ligands()
    return {**molecules.describe(listed[name]["smiles"] if name in listed else name), "length": contour(name)}


def _polymer(name: str) -> Mapping[str, float]:
    kind = polymer(name)
    shares = (1.0 - kind.comonomer_fraction, kind.comonomer_fraction)[: len(kind.units)]
    told = [molecules.describe(unit.repeat.smiles) for unit in kind.units]
    if len(told) == 1:
        return told[0]
    return {key: sum(share * unit[key] for share, unit in zip(shares, told, strict=True)) for key in told[0]}
