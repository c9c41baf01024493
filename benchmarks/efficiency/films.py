"""Real molecular dynamics as a problem: the designs of a table, and what it says of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.efficiency.cases import Case, corner
from loop.campaign import load
from loop.pareto import hypervolume
from loop.replay.pool import TableSpace
from loop.space import Space
from loop.types import Design, Value

CAMPAIGN = Path(__file__).parents[1] / "data" / "md_smoke.yaml"
"""With the CSV of its records, as `loop export` writes it, beside it."""


def films(seed: int, campaign: Path = CAMPAIGN) -> Case:
    """The records of a campaign of two goals, hypervolume above their medians. Nothing is added to the values;
    they count as the truth, and their standard errors are told. Every seed is the same table."""
    made = load(campaign, thorough=False)
    found = records(campaign.with_suffix(".csv"), made.space, [o.property for o in made.objectives])
    middle = np.median([means for means, _ in found.values()], axis=0)
    objectives = tuple(
        replace(o, oracle="md", threshold=float(m)) for o, m in zip(made.objectives, middle, strict=True)
    )
    describers = [d for spec in made.oracles.values() if (d := getattr(spec.oracle, "describe", None))]

    def truth(designs: Sequence[Design]) -> np.ndarray:
        return np.array([found[design][0] for design in designs])

    def errors(designs: Sequence[Design]) -> np.ndarray:
        return np.array([found[design][1] for design in designs])

    def best() -> float:
        utilities = [[o.utility(v) for o, v in zip(objectives, means, strict=True)] for means, _ in found.values()]
        return hypervolume(utilities, corner(objectives))

    space = TableSpace(made.space, found, describers)
    return Case(space, objectives, truth, best, describe=describers[0] if describers else None, errors=errors)


def records(file: Path, space: Space, properties: Sequence[str]) -> dict[Design, tuple[list[float], list[float]]]:
    """(means, standard errors) of the properties, by design; those that lack one are left out."""
    found = {}
    with file.open(newline="", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            if all(row[name] for name in properties):
                means = [float(row[name]) for name in properties]
                errors = [float(row[f"{name}_se"] or 0) for name in properties]
                found[design(space, row)] = means, errors
    return found


def design(space: Space, row: Mapping[str, str]) -> Design:
    """That of a line of the CSV, whose cells are text."""
    values: dict[str, Value] = {}
    for p in space.parameters:
        written = {str(choice): choice for choice in p.choices}
        values[p.name] = float(row[p.name]) if p.bounds is not None else written.get(row[p.name], row[p.name])
    return space.canonicalise(values)
