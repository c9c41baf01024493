"""The `constraints` of a campaign file: every clause must be able to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loop import molecules
from loop.campaign.parameters import Scaled
from loop.campaign.reader import Problems, Where
from loop.campaign.schema import ConstraintEntry, valid
from loop.plugins import did_you_mean
from loop.space import Clause, Constraint, Range, Wanted, canonical_value
from loop.types import Molecules, Value


def read_constraints(
    section: list[Any], parameters: Mapping[str, Scaled], names: Mapping[str, Any], problems: Problems
) -> list[Constraint]:
    """`names` are all parameters of the file; of those not in `parameters` the fault has been told already."""
    found: dict[str, Constraint] = {}
    for i, raw in enumerate(section):
        entry = valid(ConstraintEntry, raw)
        if entry is None:
            continue
        where: Where = ("constraints", i)
        given = [key for key, clause in (("if", entry.when), ("then", entry.then), ("forbid", entry.forbid)) if clause]
        if given not in (["if", "then"], ["forbid"]):
            problems.add(where, f"give `if` and `then`, or `forbid`; this has {' and '.join(given) or 'neither'}")
            continue
        clauses = {
            key: read_clause((*where, key), clause, parameters, names, problems)
            for key, clause in (("if", entry.when), ("then", entry.then), ("forbid", entry.forbid))
            if clause is not None
        }
        name = entry.name or in_words(clauses)
        if name in found:
            problems.add(where, f"the constraint {name!r} is given twice")
        found[name] = Constraint(name, clauses.get("if", clauses.get("forbid", {})), clauses.get("then"))
    return list(found.values())


def in_words(clauses: Mapping[str, Clause]) -> str:
    """`ligand=none => ligand_density=0`, `not (oxide=silica, facet=110)`."""

    def words(clause: Clause) -> str:
        return ", ".join(f"{name}{one(wanted)}" for name, wanted in clause.items())

    def one(wanted: Wanted) -> str:
        if isinstance(wanted, tuple):
            return "=" + "|".join(map(spelled, wanted))
        low, high = ("" if limit is None else spelled(limit) for limit in (wanted.low, wanted.high))
        return f" in {low}..{high}"

    if "forbid" in clauses:
        return f"not ({words(clauses['forbid'])})"
    return f"{words(clauses['if'])} => {words(clauses['then'])}"


def spelled(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def read_clause(
    where: Where,
    clause: Mapping[str, Any],
    parameters: Mapping[str, Scaled],
    names: Mapping[str, Any],
    problems: Problems,
) -> dict[str, Wanted]:
    found: dict[str, Wanted] = {}
    for name, raw in clause.items():
        here = (*where, name)
        if name not in names:
            problems.add(here, f"unknown parameter{did_you_mean(name, names)}", at_key=True)
        elif name in parameters:
            try:
                found[name] = read_wanted(raw, parameters[name])
            except ValueError as error:
                problems.add(here, str(error))
    return found


def read_wanted(raw: Any, scaled: Scaled) -> Wanted:
    """Raises ValueError for what the parameter can never be."""
    if isinstance(raw, Mapping):
        return read_range(raw, scaled)
    values = raw if isinstance(raw, list) else [raw]
    return tuple(read_value(value, scaled) for value in values)


def read_range(raw: Mapping[str, Any], scaled: Scaled) -> Range:
    p = scaled.parameter
    numbers = [c for c in p.choices if not isinstance(c, str)]
    if p.bounds is None and not numbers:
        raise ValueError(f"{p.name} is text and has no limits; list the values wanted")
    low, high = (scaled.canonical(raw[key]) if key in raw else None for key in ("min", "max"))
    wanted = Range(low, high)
    if low is not None and high is not None and low > high:
        raise ValueError(f"min {raw['min']} is above max {raw['max']}")
    lowest, highest = p.bounds or (min(numbers), max(numbers))
    if (low is not None and low > highest) or (high is not None and high < lowest):
        raise ValueError(f"never holds: {p.name} goes from {lowest:g} to {highest:g} {p.unit}")
    return wanted


def read_molecule(smiles: str, allowed: Molecules) -> str:
    canonical = molecules.canonical(smiles)
    if fault := molecules.fault(allowed, canonical):
        raise ValueError(fault)
    return canonical


def read_value(raw: Value, scaled: Scaled) -> Value:
    p = scaled.parameter
    if p.molecules is not None:
        return read_molecule(str(raw), p.molecules)
    value = raw if isinstance(raw, str) else scaled.canonical(raw)
    if p.bounds is None:
        if value in p.choices:
            return p.choices[p.choices.index(value)]
        if str(raw) in p.choices:
            raise ValueError(f'{raw} is a number, but the choices are text; write "{raw}" in quotes')
        offered = ", ".join(map(str, p.choices))
        raise ValueError(f"{raw!r} is not one of {offered}{did_you_mean(str(raw), p.choices)}")
    low, high = p.bounds
    if isinstance(value, str) or not low <= value <= high:
        raise ValueError(f"{raw!r} is not between {low:g} and {high:g} {p.unit}")
    nearest = canonical_value(p, value)
    if nearest != value:
        raise ValueError(f"{raw!r} is not on the grid of {p.name}; the nearest value is {nearest}")
    return nearest
