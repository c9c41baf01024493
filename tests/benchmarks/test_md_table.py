"""The tables of real simulations are what their campaigns, their page and the `table` oracle say they are."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from loop.campaign import load
from loop.types import Task
from oracles.table import TableOracle

DATA = Path(__file__).parents[2] / "benchmarks" / "data"
LEVELS = "smoke", "screen"
GOALS = {"surface_field": "V/nm", "adhesion_energy": "mJ/m^2"}


def rows(level: str) -> list[dict[str, str]]:
    with (DATA / f"md_{level}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("level", LEVELS)
def test_the_campaign_asks_for_160_designs_and_searches_for_nothing(level: str) -> None:
    campaign = load(DATA / f"md_{level}.yaml", thorough=False)
    assert campaign.oracles[level].fidelity == level
    assert campaign.initial == campaign.stop.evaluations == 160
    assert campaign.acquisition.kind == "random"
    assert {o.property: o.unit for o in campaign.objectives} == GOALS


@pytest.mark.parametrize("level", LEVELS)
def test_the_table_oracle_answers_every_design_of_the_table(level: str, tmp_path: Path) -> None:
    campaign = load(DATA / f"md_{level}.yaml", thorough=False)
    oracle = TableOracle(DATA / f"md_{level}.csv", GOALS, "simulation")
    units = json.loads((DATA / f"md_{level}.csv.units.json").read_text())
    films = rows(level)
    assert 150 <= len(films) <= 160 and len({row["design_id"] for row in films}) == len(films)
    assert {name: units[name] for name in GOALS} == GOALS
    for row in films:
        numbers = {p.name: row[p.name] if p.bounds is None else float(row[p.name]) for p in campaign.space.free}
        design = campaign.space.canonicalise(numbers)
        assert design.id == row["design_id"] and not campaign.space.violations(design)
        answer = oracle.evaluate(design, Task("t", design.id, "md", "table", 0, 1), tmp_path)
        for name in GOALS:
            assert answer[name].mean == float(row[name]) and answer[name].se == float(row[f"{name}_se"]) > 0


@pytest.mark.parametrize("goal", GOALS)
def test_smoke_tells_of_screen(goal: str) -> None:
    """The same designs, one replica each at two fidelities: they agree, and are not one another's copy."""
    smoke, screen = ({row["design_id"]: float(row[goal]) for row in rows(level)} for level in LEVELS)
    both = sorted(smoke.keys() & screen.keys())
    assert len(both) == 159
    agreement = np.corrcoef([[values[key] for key in both] for values in (smoke, screen)])[0, 1]
    assert 0.8 < agreement < 0.99
