"""Whether a design's polymer can be built, and whether a film holds enough chains of its length."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from loop.types import Check, Value
from oracles.openmm.build.decided import decided_by
from oracles.openmm.build.feasible_surface import slab_of
from oracles.openmm.build.limits import within
from oracles.openmm.build.melt import order_of
from oracles.openmm.build.packing import chain_count, layer_capacity
from oracles.openmm.build.perception import turning_runs
from oracles.openmm.build.polymers import Polymer, end_mass, polymer
from oracles.openmm.build.repeat_units import BadUnit
from oracles.openmm.build.sequences import ARRANGEMENTS, TACTICITIES
from oracles.openmm.build.size import Size
from oracles.openmm.materials import catalogue

MIN_CHAINS = 2
CHAIN_LENGTHS = (2, 48)
MOST_INVERTED = 0.5
"""Beyond it the chain is the same, read from its other end."""


@decided_by("polymer", "start", "arrangement", "tacticity", "comonomer_fraction", "head_to_head", "chain_length")
def polymer_checks(design: Mapping[str, Value], pvdf_model: str) -> tuple[Check, ...]:
    """The polymer is known or a sound SMILES, and what the design asks of it fits it."""
    try:
        kind = polymer(str(design["polymer"]), pvdf_model)
    except (catalogue.UnknownMaterial, BadUnit) as error:
        cure = "" if "*" in str(design["polymer"]) else "; or write a repeat unit as SMILES with two *"
        return (Check("polymer", False, design["polymer"], detail=f"{error}{cure}"),)
    checks = (
        Check("polymer", True, design["polymer"]),
        _one_of("start", design, ("coil", *kind.starts)),
        _one_of("arrangement", design, ARRANGEMENTS if len(kind.units) == 2 else ARRANGEMENTS[:1]),
        _one_of("tacticity", design, (catalogue.AUTO, *(TACTICITIES if kind.chiral else ()))),
        _fraction(design, kind),
        _inverted(design, kind),
        within("chain_length", design["chain_length"], *CHAIN_LENGTHS, "1"),
    )
    return checks if not all(c.passed for c in checks) else (*checks, _dihedrals(design))


def own_fraction(name: Value) -> dict[str, Value]:
    """The comonomer fraction of a polymer whose design does not say it."""
    try:
        return {"comonomer_fraction": polymer(str(name)).comonomer_fraction}
    except (catalogue.UnknownMaterial, BadUnit):
        return {}


def _one_of(name: str, design: Mapping[str, Value], offered: tuple[str, ...]) -> Check:
    passed = design[name] in offered
    detail = "" if passed else f"{name} of {design['polymer']} is {' or '.join(offered)}"
    return Check(name, passed, design[name], detail=detail)


def _fraction(design: Mapping[str, Value], kind: Polymer) -> Check:
    low, high = (0.0, 1.0) if len(kind.units) == 2 else (0.0, 0.0)
    if len(kind.units) == 2 and design["arrangement"] == "alternating":
        low = high = 0.5
    return within("comonomer_fraction", design["comonomer_fraction"], low, high, "1")


def _inverted(design: Mapping[str, Value], kind: Polymer) -> Check:
    wanted = design["head_to_head"]
    check = within("head_to_head", wanted, 0.0, MOST_INVERTED, "1")
    if check.passed and wanted and kind.force_field == "byutner-smith":
        detail = "byutner-smith has no F-C-C-F torsion, which head-to-head units need; choose pvdf_model: sage, or 0"
        return Check("head_to_head", False, wanted, 0.0, detail=detail)
    return check


def _dihedrals(design: Mapping[str, Value]) -> Check:
    """At least two neighbouring backbone dihedrals that turn: below that the trans fractions say nothing."""
    fraction, units = float(design["comonomer_fraction"]), min(int(design["chain_length"]), 4)
    present = [letter for letter, share in (("A", 1.0 - fraction), ("B", fraction)) if share > 0]
    longest = max(_longest_run(str(design["polymer"]), letter * units) for letter in present)
    detail = "" if longest > 1 else "its backbone needs two neighbouring bonds that turn; use a longer or other chain"
    return Check("dihedrals", longest > 1, longest, 2, detail=detail)


@cache
def _longest_run(name: str, sequence: str) -> int:
    """Dihedrals in a row that turn."""
    return max((len(run) - 3 for run in turning_runs(polymer(name).chain(sequence))), default=0)


@decided_by("oxide", "facet", "termination", "polymer", "comonomer_fraction", "chain_length")
def chains_of(design: Mapping[str, Value], size: Size) -> int:
    """Chains of a film, as many for the one force field of a polymer as for the other."""
    density = polymer(str(design["polymer"])).density(float(design["comonomer_fraction"]))
    return chain_count(chain_mass(design), density, slab_of(design, size).area, size.gap)


def chain_mass(design: Mapping[str, Value]) -> float:
    """g/mol of one chain, on average."""
    kind, fraction = polymer(str(design["polymer"])), float(design["comonomer_fraction"])
    shares = (1.0 - fraction, fraction)[: len(kind.units)]
    unit = sum(share * unit.mass for share, unit in zip(shares, kind.units, strict=True))
    return int(design["chain_length"]) * unit + end_mass(kind.head, kind.tail)


def chain_atoms(design: Mapping[str, Value], size: Size) -> int:
    """Atoms of all chains of a film."""
    return atoms_of(design, chains_of(design, size))


def atoms_of(design: Mapping[str, Value], chains: int) -> int:
    """Atoms of so many chains."""
    kind = polymer(str(design["polymer"]))
    letters = "".join(order_of(design, chains, 0)).upper()
    return chains * kind.end_atoms + sum(letters.count(letter) * unit.atoms for letter, unit in kind.by_letter())


def chain_checks(design: Mapping[str, Value], size: Size) -> list[Check]:
    """Enough chains to be a melt and, where they are extended, each short enough for one layer."""
    chains = chains_of(design, size)
    enough = chains >= MIN_CHAINS
    detail = "" if enough else "the film holds too few chains of this length; use a smaller chain_length"
    checks = [Check("chains", enough, chains, MIN_CHAINS, detail=detail)]
    if design["start"] != "coil":
        rise = polymer(str(design["polymer"])).starts[str(design["start"])]["rise"]
        length = rise * int(design["chain_length"])
        fits = layer_capacity(length, slab_of(design, size).lateral) >= 1
        detail = "" if fits else "an extended chain does not fit in one layer; use a smaller chain_length or coil"
        checks.append(Check("extended_length", fits, length, unit="nm", detail=detail))
    return checks
