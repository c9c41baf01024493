"""The table of real simulations is what its campaign, its page and the `table` oracle say it is."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from loop.campaign import load
from loop.types import Task
from oracles.table import TableOracle

DATA = Path(__file__).parents[2] / "benchmarks" / "data"
CSV = DATA / "md_smoke.csv"
GOALS = {"surface_field": "V/nm", "adhesion_energy": "mJ/m^2"}


def test_the_campaign_asks_for_160_designs_and_searches_for_nothing() -> None:
    campaign = load(DATA / "md_smoke.yaml", thorough=False)
    assert campaign.initial == campaign.stop.evaluations == 160
    assert campaign.acquisition.kind == "random"
    assert {o.property: o.unit for o in campaign.objectives} == GOALS


def test_the_table_oracle_answers_every_design_of_the_table(tmp_path: Path) -> None:
    campaign = load(DATA / "md_smoke.yaml", thorough=False)
    oracle = TableOracle(CSV, GOALS, "simulation")
    units = json.loads(CSV.with_name("md_smoke.csv.units.json").read_text())
    with CSV.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 150 <= len(rows) <= 160 and len({row["design_id"] for row in rows}) == len(rows)
    assert {name: units[name] for name in GOALS} == GOALS
    for row in rows:
        numbers = {p.name: row[p.name] if p.bounds is None else float(row[p.name]) for p in campaign.space.free}
        design = campaign.space.canonicalise(numbers)
        assert design.id == row["design_id"] and not campaign.space.violations(design)
        answer = oracle.evaluate(design, Task("t", design.id, "md", "table", 0, 1), tmp_path)
        for name in GOALS:
            assert answer[name].mean == float(row[name]) and answer[name].se == float(row[f"{name}_se"]) > 0
