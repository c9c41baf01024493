"""What a row says was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from loop.campaign import OracleSpec
from loop.plugins import did_you_mean
from loop.sheets.cells import CellError, is_nothing, read_date, read_error, read_quantity
from loop.sheets.heading import Row
from loop.sheets.layout import OPTIONAL, STATES
from loop.types import Estimate


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of a row in the oracle's units, or why there are none."""

    outcome: Literal["done", "failed", "skip"]
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    reason: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)


def untouched(row: Row) -> bool:
    """Nothing was measured yet: no value, no error, no status."""
    return not any(text for column, text in row.cells.items() if column.role in ("value", "error", "status"))


def read_answer(row: Row, spec: OracleSpec) -> Answer | None:
    """The answer, or None where faults were noted."""
    before = len(row.faults)
    estimates = {}
    for name, unit in spec.oracle.properties.items():
        estimate = read_estimate(row, name, unit)
        if estimate is not None:
            estimates[name] = estimate
    for column, text in row.cells.items():
        foreign = column.role in ("value", "error") and column.name not in spec.oracle.properties
        if foreign and not is_nothing(text):
            row.fault(f"{text!r}, but oracle {spec.name} does not measure {column.name}", column)
    outcome = read_status(row, bool(estimates))
    meta = read_meta(row)
    if outcome is None or len(row.faults) > before:
        return None
    return Answer(outcome, estimates, "" if outcome == "done" else row.text("notes"), meta)


def read_estimate(row: Row, name: str, unit: str) -> Estimate | None:
    """The value of one property with its error; None where there is none, or a fault was noted."""
    value_column, error_column = row.column("value", name), row.column("error", name)
    value_text, error_text = row.text("value", name), row.text("error", name)
    if value_column is None or is_nothing(value_text):
        if error_column is not None and not is_nothing(error_text):
            row.fault(f"{error_text!r} is an error without a value", error_column)
        return None
    try:
        quantity = read_quantity(value_text, value_column.unit or unit, unit, decimal_comma=row.decimal_comma)
    except CellError as fault:
        row.fault(str(fault), value_column)
        return None
    error = quantity.error
    if error_column is not None and not is_nothing(error_text):
        try:
            error = read_error(error_text, error_column.unit or unit, unit, decimal_comma=row.decimal_comma)
        except CellError as fault:
            row.fault(str(fault), error_column)
            return None
        if quantity.error is not None and error != quantity.error:
            row.fault(f"{value_text!r} and {error_text!r} give two different errors", value_column)
            return None
    return Estimate(quantity.value, error or 0.0, unit)


def read_status(row: Row, has_values: bool) -> Literal["done", "failed", "skip"] | None:
    column, text = row.column("status"), row.text("status").lower()
    if text and text not in STATES:
        row.fault(f"{row.text('status')!r} is not one of {', '.join(STATES)}{did_you_mean(text, STATES)}", column)
        return None
    if text in ("failed", "skip") and has_values:
        row.fault(f"says {text}, but values are given; clear one of them", column)
        return None
    if text in ("", "done") and not has_values:
        if not row.faults:
            row.fault("no value is given; if there is none, write failed or skip into the status", column)
        return None
    return "failed" if text == "failed" else "skip" if text == "skip" else "done"


def read_meta(row: Row) -> dict[str, str]:
    """Who, when and notes; a date that cannot be read is a fault."""
    meta: dict[str, str] = {role: row.text(role) for role in OPTIONAL if row.text(role)}
    if "measured_on" in meta:
        try:
            meta["measured_on"] = read_date(meta["measured_on"])
        except CellError as fault:
            row.fault(str(fault), row.column("measured_on"))
    return meta
