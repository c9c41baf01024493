"""The `space` of a campaign file, in canonical units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loop import units
from loop.campaign.generated import read_molecules
from loop.campaign.reader import Problems, Where
from loop.campaign.schema import ParameterEntry, valid
from loop.types import Oracle, Parameter

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
TAKEN = ("design_id", "kind", "oracle", "fidelity", "replicate", "replicates", "round", "status", "notes",
         "task", "operator", "measured_on", "check")  # fmt: skip
"""Column names of exports and sheets, which a parameter may not have."""

CANONICAL_UNITS = ("1", "nm", "1/nm", "nm^2", "1/nm^2", "nm^3", "1/nm^3", "K", "e", "D", "kJ/mol")
"""What oracles count in. Quantities of other dimensions (a bench's hours, bar and rpm) keep the unit they are written
in, which no molecular oracle reads."""

Kind = Literal["choices", "integer", "real", "fixed", "smiles"]
KINDS: tuple[Kind, ...] = ("choices", "integer", "real", "fixed", "smiles")


@dataclass(frozen=True)
class Scaled:
    """A parameter and the unit its values are written in."""

    parameter: Parameter
    unit: str

    def canonical(self, value: float) -> float:
        """A number written in the file's unit, in the canonical one. Twelve digits, so that 1 degC steps stay round."""
        if self.unit == self.parameter.unit:
            return value
        return float(f"{units.convert(value, self.unit, self.parameter.unit):.12g}")


def canonical_unit(unit: str) -> str:
    """The unit the system counts in for quantities written in `unit`; itself where there is no canonical one.

    Raises UnitError for an unknown unit.
    """
    if unit in CANONICAL_UNITS:
        return unit
    units.convert(1.0, unit, f"({unit})")
    for wanted in CANONICAL_UNITS:
        try:
            units.convert(1.0, unit, wanted)
        except units.UnitError:
            continue
        return wanted
    return unit


def read_parameters(section: Mapping[str, Any], oracles: Sequence[Oracle], problems: Problems) -> dict[str, Scaled]:
    """The parameters that are fit for use; the faults of the others are noted. The oracles know the heads of generated
    molecules by name."""
    found = {}
    for name, raw in section.items():
        entry = valid(ParameterEntry, raw)
        if entry is not None and (scaled := read_parameter(name, entry, oracles, problems)):
            found[name] = scaled
    return found


def read_parameter(name: str, entry: ParameterEntry, oracles: Sequence[Oracle], problems: Problems) -> Scaled | None:
    where: Where = ("space", name)
    before = len(problems.found)
    if not NAME.fullmatch(name):
        problems.add(where, "a parameter is named by letters, digits and underscores", at_key=True)
    if name in TAKEN:
        problems.add(where, "this name is a column of sheets and exports; choose another", at_key=True)
    given = [kind for kind in KINDS if getattr(entry, kind) is not None]
    if len(given) != 1:
        said = f"this has {' and '.join(given)}" if given else "this has none"
        problems.add(where, f"give exactly one of {', '.join(KINDS)}; {said}", at_key=True)
        return None
    kind = given[0]
    if kind == "smiles":
        return read_smiles(name, entry, oracles, problems)
    unit = read_unit(where, entry, kind, problems)
    if kind in ("choices", "fixed"):
        judge_choices(where, entry, problems)
    else:
        judge_bounds(where, kind, entry, problems)
    if entry.step is not None and kind != "real":
        problems.add((*where, "step"), "only a real has a step", at_key=True)
    if unit is None or len(problems.found) > before:
        return None
    return in_canonical_unit(name, kind, entry, unit, problems)


def read_smiles(name: str, entry: ParameterEntry, oracles: Sequence[Oracle], problems: Problems) -> Scaled | None:
    """A parameter whose values are generated molecules."""
    assert entry.smiles is not None
    before = len(problems.found)
    for key in ("unit", "step"):
        if getattr(entry, key) is not None:
            problems.add(("space", name, key), f"molecules have no {key}", at_key=True)
    molecules = read_molecules(name, entry.smiles, oracles, problems)
    if molecules is None or len(problems.found) > before:
        return None
    return Scaled(Parameter(name, "smiles", molecules=molecules), "1")


def read_unit(where: Where, entry: ParameterEntry, kind: Kind, problems: Problems) -> str | None:
    """The canonical unit, or None where the unit given cannot be used."""
    unit = entry.unit or "1"
    values = entry.choices if kind == "choices" else [entry.fixed] if kind == "fixed" else []
    if any(isinstance(value, str) for value in values or []) and unit != "1":
        problems.add((*where, "unit"), f"text has no unit, but {unit!r} is given", at_key=True)
        return None
    try:
        canonical = canonical_unit(unit)
    except units.UnitError as error:
        problems.add((*where, "unit"), str(error))
        return None
    if kind == "integer" and canonical != unit:
        problems.add((*where, "unit"), f"whole numbers are counted in {canonical}, not {unit}; convert them")
        return None
    return canonical


def judge_choices(where: Where, entry: ParameterEntry, problems: Problems) -> None:
    choices = entry.choices
    if choices is None:
        return
    if not choices:
        problems.add((*where, "choices"), "is empty; give at least one value")
    numbers = [c for c in choices if not isinstance(c, str)]
    if numbers and len(numbers) < len(choices):
        problems.add(
            (*where, "choices"),
            f'mixes text and numbers ({numbers[0]}); write each in quotes, "{numbers[0]}", if they are names',
        )
    for i, choice in enumerate(choices):
        if choice in choices[:i]:
            problems.add((*where, "choices", i), f"{choice!r} is given twice")


def judge_bounds(where: Where, kind: Kind, entry: ParameterEntry, problems: Problems) -> None:
    low, high = getattr(entry, kind)
    if low >= high:
        problems.add(
            (*where, kind), f"the lower limit {low} is not below the upper limit {high}; one value is {{fixed: {low}}}"
        )
    elif entry.step is not None and entry.step > high - low:
        problems.add((*where, "step"), f"{entry.step} is wider than the range from {low} to {high}")


def in_canonical_unit(name: str, kind: Kind, entry: ParameterEntry, unit: str, problems: Problems) -> Scaled | None:
    """The parameter, its numbers converted from the file's unit."""
    scale = Scaled(Parameter(name, kind, unit=unit), entry.unit or unit)

    try:
        if kind in ("choices", "fixed"):
            values: list[Any] = [entry.fixed] if entry.choices is None else entry.choices
            converted = tuple(value if isinstance(value, str) else scale.canonical(value) for value in values)
            return Scaled(Parameter(name, kind, choices=converted, unit=unit), scale.unit)
        low, high = (scale.canonical(v) for v in getattr(entry, kind))
        step = entry.step
        if step is not None and scale.unit != unit:
            start = getattr(entry, kind)[0]
            step = float(f"{scale.canonical(start + step) - scale.canonical(start):.9g}")
        low, high = min(low, high), max(low, high)
        return Scaled(Parameter(name, kind, bounds=(low, high), unit=unit, step=step), scale.unit)
    except units.UnitError as error:
        problems.add(("space", name, "unit"), str(error))
        return None
