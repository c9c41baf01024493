"""The `objectives` of a campaign file: each finds the oracle that reports it and takes that oracle's unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loop import units
from loop.campaign.model import OracleSpec
from loop.campaign.reader import Problems, Where
from loop.campaign.schema import ObjectiveEntry, valid
from loop.plugins import did_you_mean
from loop.types import Objective, goals


def read_objectives(
    section: Sequence[Any],
    oracles: Mapping[str, OracleSpec],
    parameters: Mapping[str, Any],
    problems: Problems,
    *,
    complete: bool,
) -> list[Objective]:
    """`complete` says that every oracle of the file could be built, so that a missing property is a fault."""
    found: list[Objective] = []
    for i, raw in enumerate(section):
        entry = valid(ObjectiveEntry, raw)
        if entry is None:
            continue
        where: Where = ("objectives", i)
        if any(entry.property == other.property for other in found):
            problems.add((*where, "property"), f"{entry.property} is an objective twice")
        if entry.property in parameters:
            problems.add((*where, "property"), f"{entry.property} is a parameter too; names must differ")
        if (entry.goal == "target") != (entry.target is not None):
            fault = "goal target needs the key `target`" if entry.target is None else "only goal target has a target"
            problems.add(where if entry.target is None else (*where, "target"), fault, at_key=True)
        if entry.goal in ("at_least", "at_most") and entry.threshold is None:
            problems.add(where, f"goal {entry.goal} needs the key `threshold`", at_key=True)
        spec = find_reporter(where, entry, oracles, problems, complete=complete)
        if spec is not None and (objective := in_property_unit(where, entry, spec, problems)):
            found.append(objective)
    if found and len(found) == len(section) and not goals(found):
        fault = "at_least and at_most only bound a search; give one property a goal of maximize, minimize or target"
        problems.add(("objectives",), fault, at_key=True)
    return found


def find_reporter(
    where: Where,
    entry: ObjectiveEntry,
    oracles: Mapping[str, OracleSpec],
    problems: Problems,
    *,
    complete: bool,
) -> OracleSpec | None:
    """The oracle whose records count: the one named, or the first in the file that reports the property and is no cheap
    source."""
    candidates = {name: spec for name, spec in oracles.items() if not spec.labels} or dict(oracles)
    if entry.oracle is not None:
        candidates = {entry.oracle: oracles[entry.oracle]} if entry.oracle in oracles else {}
        if not candidates and complete:
            problems.add((*where, "oracle"), f"no oracle has this name{did_you_mean(entry.oracle, oracles)}")
        if not candidates:
            return None
        if (counted := candidates[entry.oracle].cheaper_than) is not None:
            level = candidates[entry.oracle].fidelity
            fault = f"{entry.oracle} only informs the search: write {counted}, or an entry of its own for {level}"
            problems.add((*where, "oracle"), fault)
            return None
    for spec in candidates.values():
        if entry.property in spec.oracle.properties:
            return spec
    if complete or entry.oracle is not None:
        known = {name: None for spec in candidates.values() for name in spec.oracle.properties}
        who = f"oracle {entry.oracle} does not report" if entry.oracle else "no oracle reports"
        hint = did_you_mean(entry.property, known) or f"; there are {', '.join(known)}"
        problems.add((*where, "property"), f"{who} {entry.property!r}{hint}")
    return None


def in_property_unit(where: Where, entry: ObjectiveEntry, spec: OracleSpec, problems: Problems) -> Objective | None:
    """The objective with threshold and target in the unit its oracle reports."""
    unit = spec.oracle.properties[entry.property]
    given = entry.unit or unit
    try:
        units.convert(1.0, given, unit)
        threshold, target = (
            None if value is None else float(f"{units.convert(value, given, unit):.12g}")
            for value in (entry.threshold, entry.target)
        )
    except units.UnitError as error:
        problems.add((*where, "unit"), str(error))
        return None
    return Objective(entry.property, entry.goal, spec.name, unit, threshold, target)
