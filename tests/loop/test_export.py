"""`loop export`: every record or task is one row, in the order of decision, with its units beside it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from loop import export
from loop.errors import BadInput

COLUMNS = [
    "design_id",
    "kind",
    "oracle",
    "fidelity",
    "replicates",
    "round",
    "oxide",
    "density",
    "chains",
    "temperature",
]
COLUMNS += ["dipole", "dipole_se", "adhesion", "adhesion_se", "beta_fraction", "beta_fraction_se"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def told(story):
    """Two rounds of two replicates, the second answered backwards, one failure, one measurement."""
    told = story(replicates=2)
    told.simulate(0, [(1.25, 20.0), (2.0, 30.0)])
    told.measure(told.design(0.1), 0.4)
    tasks = told.decide(1, [told.design(5), told.design(4, "hematite"), told.design(6)])
    for task in reversed(tasks[:4]):
        told.answer(task, dipole=3.0, adhesion=15.0)
    for task in tasks[4:]:
        told.fail(task, reason='it blew up, "badly"')
    return told


def test_one_row_per_record_in_the_order_of_decision(told, tmp_path) -> None:
    out = tmp_path / "out.csv"
    assert export.write(told.campaign, out) == out
    found = rows(out)
    assert list(found[0]) == COLUMNS
    assert [(row["round"], row["oracle"], row["density"]) for row in found] == [
        ("0", "md", "0.0"),
        ("0", "md", "0.1"),
        ("0", "lab", "0.1"),
        ("1", "md", "5.0"),
        ("1", "md", "4.0"),
    ]
    first, _, measured, *_ = found
    assert first["design_id"] == told.design(0).id
    assert (first["kind"], first["fidelity"], first["replicates"]) == ("simulation", "table", "2")
    assert (first["oxide"], first["chains"], first["temperature"]) == ("magnetite", "3", "400")
    assert float(first["dipole"]) == 1.25 and float(first["dipole_se"]) == pytest.approx(0.1 / 2**0.5)
    assert first["beta_fraction"] == first["beta_fraction_se"] == ""
    assert (measured["kind"], measured["beta_fraction"], measured["dipole"]) == ("measurement", "0.4", "")


def test_units_lie_beside_it(told, tmp_path) -> None:
    export.write(told.campaign, tmp_path / "out.csv")
    units = json.loads((tmp_path / "out.csv.units.json").read_text())
    assert units["density"] == "1/nm^2" and units["temperature"] == "K"
    assert units["adhesion"] == units["adhesion_se"] == "mJ/m^2" and units["beta_fraction"] == "1"
    assert "oxide" not in units


def test_one_row_per_task(told, tmp_path) -> None:
    out = export.write(told.campaign, tmp_path / "tasks.csv", tasks=True)
    found = rows(out)
    keys = [(row["design_id"], row["oracle"], row["fidelity"], row["replicate"]) for row in found]
    assert len(keys) == len(set(keys)) == 11
    assert "replicates" not in found[0]
    assert [row["replicate"] for row in found[:2]] == ["0", "1"]
    failed = [row for row in found if row["state"] == "failed"]
    assert [(row["cause"], row["reason"], row["dipole"]) for row in failed] == [
        ("unphysical", 'it blew up, "badly"', "")
    ] * 2


def test_an_error_that_was_not_given_is_an_empty_cell(story, tmp_path) -> None:
    told = story()
    told.measure(told.design(1), 0.5, se=0.0)
    (row,) = rows(export.write(told.campaign, tmp_path / "out.csv"))
    assert row["beta_fraction"] == "0.5" and row["beta_fraction_se"] == ""


def test_parquet_holds_the_same_with_types(told, tmp_path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = export.write(told.campaign, tmp_path / "out.parquet")
    table = parquet.read_table(out)
    assert table.column_names == COLUMNS
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["oxide"], types["chains"], types["density"], types["dipole_se"]) == (
        "string",
        "int64",
        "double",
        "double",
    )
    plain = rows(export.write(told.campaign, tmp_path / "out.csv"))
    for a, b in zip(table.to_pylist(), plain, strict=True):
        assert {name: "" if value is None else str(value) for name, value in a.items()} == {**b, "temperature": "400.0"}


def test_no_records_is_a_header_only(story, tmp_path) -> None:
    told = story()
    out = export.write(told.campaign, tmp_path / "out.csv")
    assert out.read_text() == ",".join(COLUMNS) + "\n"


def test_bad_requests_say_what_to_do(told, tmp_path, monkeypatch) -> None:
    with pytest.raises(BadInput, match=r"use \.csv or \.parquet"):
        export.write(told.campaign, tmp_path / "out.xlsx")
    with pytest.raises(BadInput, match=r"out\.csv: there is no folder .*missing"):
        export.write(told.campaign, tmp_path / "missing" / "out.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"pip install 'nanocomposite-loop\[parquet\]'"):
        export.write(told.campaign, tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out.*"))


def test_a_campaign_that_was_never_run_is_bad_input(story, tmp_path) -> None:
    told = story()
    told.store.close()
    (told.campaign.run_folder / "campaign.db").unlink()
    with pytest.raises(BadInput, match=r"not been run yet: loop run campaign\.yaml"):
        export.write(told.campaign, tmp_path / "out.csv")
