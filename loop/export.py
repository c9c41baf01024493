"""A campaign as a table: one row per record or per task, with every unit in a file beside it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop.durable import disk_errors, write_json, write_text
from loop.errors import BadInput
from loop.space import is_text
from loop.store import Reader
from loop.types import Design, Estimate, Failed, Parameter

if TYPE_CHECKING:
    from loop.campaign import Campaign

Cell = str | int | float | None
Row = list[Cell]


def write(campaign: Campaign, out: Path, tasks: bool = False) -> Path:
    """Write `out` (.csv or .parquet) and `out`.units.json, which maps every column that has a unit to it.

    One row per record in the order of decision, or with `tasks` one row per task, open and failed ones included, and
    `superseded` the round that found that a replicate does not count. A
    property that was not reported, or an error that was not given, is an empty cell. Raises BadInput for a campaign
    that was never run, another file ending, or parquet without pyarrow; StorageError where the file cannot be written.
    """
    save = {".csv": save_csv, ".parquet": save_parquet}.get(out.suffix.lower())
    if save is None:
        raise BadInput(f"{out}: cannot tell the format from {out.suffix or 'no ending'!r}; use .csv or .parquet")
    with open_run(campaign) as reader:
        units = property_units(campaign, reader)
        rows = task_rows(campaign, reader, units) if tasks else record_rows(campaign, reader, units)
    columns = column_types(campaign, units, tasks)
    with writing(out):
        save(columns, rows, out)
        write_json(out.with_name(out.name + ".units.json"), column_units(campaign, units))
    return out


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raises BadInput where `out` cannot be a file, StorageError for what the disk refuses inside the block."""
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"{out}: is a folder" if out.is_dir() else f"{out}: there is no folder {out.parent}")
    with disk_errors(out):
        yield


def open_run(campaign: Campaign) -> Reader:
    """The campaign's database; BadInput where it was never run."""
    if not (campaign.run_folder / "campaign.db").exists():
        raise BadInput(f"{campaign.name} has not been run yet: loop run {campaign.path.name}")
    return Reader.open(campaign.run_folder)


def property_units(campaign: Campaign, reader: Reader) -> dict[str, str]:
    """Property -> unit, in the campaign's order of oracles; properties no oracle declares any more come last."""
    units: dict[str, str] = {}
    for spec in campaign.oracles.values():
        for name, unit in spec.oracle.properties.items():
            units.setdefault(name, unit)
    for record in reader.records():
        for name, estimate in record.estimates.items():
            units.setdefault(name, estimate.unit)
    return units


def column_types(campaign: Campaign, units: Mapping[str, str], tasks: bool) -> dict[str, type]:
    """Column name -> str, int or float, in the order of the table."""
    columns: dict[str, type] = {"design_id": str, "kind": str, "oracle": str, "fidelity": str}
    columns |= {"replicate" if tasks else "replicates": int, "round": int}
    columns |= {p.name: parameter_type(p) for p in campaign.space.parameters}
    for name in units:
        columns |= {name: float, f"{name}_se": float}
    return columns | ({"state": str, "cause": str, "reason": str, "superseded": int} if tasks else {})


def parameter_type(p: Parameter) -> type:
    if is_text(p):
        return str
    return int if p.kind == "integer" else float


def column_units(campaign: Campaign, units: Mapping[str, str]) -> dict[str, str]:
    named = {p.name: p.unit for p in campaign.space.parameters if parameter_type(p) is not str}
    return named | {column: unit for name, unit in units.items() for column in (name, f"{name}_se")}


def record_rows(campaign: Campaign, reader: Reader, units: Mapping[str, str]) -> list[Row]:
    return [
        [
            *(record.design.id, record.kind, record.oracle, record.fidelity, record.replicates, record.round),
            *parameter_cells(campaign, record.design),
            *estimate_cells(record.estimates, units),
        ]
        for record in reader.records()
    ]


def task_rows(campaign: Campaign, reader: Reader, units: Mapping[str, str]) -> list[Row]:
    designs = reader.designs()
    rows: list[Row] = []
    for row in reader.tasks():
        task, answer = row.task, reader.observed(row.task.id)
        estimates = {} if answer is None or isinstance(answer, Failed) else answer.estimates
        rows.append(
            [
                *(task.design_id, row.kind, task.oracle, task.fidelity, task.replicate, row.round),
                *parameter_cells(campaign, designs[task.design_id]),
                *estimate_cells(estimates, units),
                *(row.state, row.cause, row.reason, row.superseded),
            ]
        )
    return rows


def parameter_cells(campaign: Campaign, design: Design) -> Row:
    return [design.values.get(name) for name in campaign.space.names]


def estimate_cells(estimates: Mapping[str, Estimate], units: Mapping[str, str]) -> Row:
    cells: Row = []
    for name in units:
        estimate = estimates.get(name)
        cells += [None, None] if estimate is None else [estimate.mean, given_error(estimate)]
    return cells


def given_error(estimate: Estimate) -> float | None:
    """The standard error, or None where none was given (stored as 0 or NaN)."""
    return estimate.se if math.isfinite(estimate.se) and estimate.se > 0 else None


def save_csv(columns: Mapping[str, type], rows: Sequence[Row], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def save_parquet(columns: Mapping[str, type], rows: Sequence[Row], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise BadInput("parquet needs pyarrow: pip install 'nanocomposite-loop[parquet]', or write .csv") from error
    arrow: dict[type, Any] = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, arrow[kind]) for name, kind in columns.items()])
    cells = [[row[i] for row in rows] for i in range(len(columns))]
    draft = path.with_name(f".{path.name}.part")
    pq.write_table(pa.table(cells, schema=schema), draft)
    draft.replace(path)
