"""The heading of a sheet: which column is what, in which unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loop import units
from loop.campaign import Campaign
from loop.errors import BadInput
from loop.plugins import did_you_mean
from loop.sheets.cells import spelled
from loop.sheets.layout import Column, Role, columns, split_header


@dataclass
class Row:
    """One row under its heading. Faults are noted where the cell is, in the words of the sheet."""

    sheet: str
    number: int
    cells: Mapping[Column, str]
    decimal_comma: bool = False
    faults: list[str] = field(default_factory=list)

    def text(self, role: Role, name: str | None = None) -> str:
        """The cell of that role (and parameter or property); empty where there is no such column."""
        column = self.column(role, name)
        return "" if column is None else self.cells[column]

    def column(self, role: Role, name: str | None = None) -> Column | None:
        wanted = (c for c in self.cells if c.role == role and (name is None or c.name == name))
        return next(wanted, None)

    def fault(self, message: str, column: Column | None = None) -> None:
        where = "" if column is None else f', column "{column.header}"'
        self.faults.append(f"{self.sheet} row {self.number}{where}: {message}")


def read_heading(sheet: str, number: int, texts: Sequence[str], campaign: Campaign) -> list[Column | None]:
    """The column of each cell of the heading, with the unit written there; None where the heading is empty.

    Raises BadInput with every column that is unknown, given twice, without a unit, or in one that does not fit.
    """
    known = {(c.role == "error", c.name): c for c in columns(campaign)}
    found, faults = match_columns(sheet, number, texts, known)
    if not faults and not any(c is not None and c.role == "value" for c in found):
        expected = ", ".join(c.header for c in known.values() if c.role == "value")
        faults.append(f"{sheet} row {number}: no column holds a property; expected {expected}")
    if faults:
        raise BadInput(*faults)
    return found


def match_columns(
    sheet: str, number: int, texts: Sequence[str], known: Mapping[tuple[bool, str], Column]
) -> tuple[list[Column | None], list[str]]:
    """The column of each cell of the heading, None where that is empty, and every fault."""
    found: list[Column | None] = []
    faults = []
    for place, text in enumerate(texts):
        name, is_error, unit = split_header(text)
        column, fault = None, None
        if name:
            column, fault = match_column(known.get((is_error, name)), name, unit, known)
        if column is not None and any(c is not None and (c.role, c.name) == (column.role, column.name) for c in found):
            fault = "stands in the heading twice"
        if fault:
            faults.append(f'{sheet} row {number}, column "{text or place + 1}": {fault}')
        found.append(column)
    return found, faults


def match_column(
    expected: Column | None, name: str, unit: str | None, known: Mapping[tuple[bool, str], Column]
) -> tuple[Column | None, str | None]:
    """The column meant, in the unit written, or why it cannot be one."""
    if expected is None:
        hint = did_you_mean(name, [column.name for column in known.values()])
        return None, f"unknown column{hint or '; delete it, or put its text into the notes'}"
    if expected.unit is None:
        return Column(expected.role, expected.name), None
    if unit is None:
        if expected.unit != "1":
            return None, f"has no unit; write {expected.header}"
        return expected, None
    try:
        units.convert(1.0, spelled(unit), expected.unit)
    except units.UnitError as error:
        return None, f"cannot be converted to {expected.unit}: {error}"
    return Column(expected.role, expected.name, unit), None
