"""`loop ask`: the designs that wait for a measurement, as a CSV or xlsx sheet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop.campaign import Campaign
from loop.errors import BadInput
from loop.sheets.layout import STATES, Column, asked_rows, columns
from loop.store import Reader

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SPARE_ROWS = 200
INSTRUCTIONS = (
    "One row is one measurement. Fill in the yellow columns; leave the others as they are.",
    "Units stand in the headings; another may be typed behind a number: 3.3 GPa. 3.3 +- 0.2 gives value and error.",
    "u(...) is the standard uncertainty. Write n/a where there is no value.",
    "status: done (or empty) with a value, failed if it could not be made or measured, skip to give it up.",
    "Rows not measured yet stay empty. Hand the sheet in as often as you like: loop tell",
    "To correct a value, change it and hand the sheet in again; the old one is kept in the records.",
    "Below the last row there is room for other measurements: give the whole design and leave task and check empty.",
)


def ask(campaign: Campaign, out: Path, *, force: bool = False) -> int:
    """Write a sheet of everything that waits for a person and return its number of rows.

    Raises BadInput where the name ends in neither .csv nor .xlsx, and where the file exists (it may hold
    measurements) unless `force`.
    """
    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise BadInput(f"{out}: a sheet's name ends in .csv or .xlsx")
    if out.exists() and not force:
        raise BadInput(f"{out}: exists and may hold measurements; choose another name, or --force to replace it")
    layout = columns(campaign)
    rows: list[list[str | int | float]] = []
    if (campaign.run_folder / "campaign.db").exists():
        with Reader.open(campaign.run_folder) as reader:
            rows = asked_rows(reader.tasks("waiting"), reader.designs(), layout)
    write = write_csv if out.suffix.lower() == ".csv" else write_xlsx
    write(campaign, layout, rows, out)
    return len(rows)


def write_csv(
    campaign: Campaign, layout: Sequence[Column], rows: Sequence[Sequence[str | int | float]], out: Path
) -> None:
    """Commas, decimal points, UTF-8 with the byte-order mark that spreadsheets look for."""
    with out.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([column.header for column in layout])
        writer.writerows(rows)


def write_xlsx(
    campaign: Campaign, layout: Sequence[Column], rows: Sequence[Sequence[str | int | float]], out: Path
) -> None:
    """The sheet `measurements`, its design cells locked and its inputs yellow, and the sheet `about`."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "measurements"
    for number, values in enumerate([[column.header for column in layout], *rows], start=1):
        for place, value in enumerate(values, start=1):
            cell = sheet.cell(number, place, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a SMILES may begin with "=", which is no formula here
    decorate(sheet, layout, len(rows))
    about = book.create_sheet("about")
    about.column_dimensions["A"].width = 24
    about.column_dimensions["B"].width = 110
    for line in describe(campaign):
        about.append(line)
    book.save(out)


def describe(campaign: Campaign) -> list[list[Any]]:
    facts: list[list[Any]] = [["campaign", campaign.name], ["file", campaign.path.name], ["sheet version", 1]]
    return [*facts, *(["how to" if i == 0 else "", line] for i, line in enumerate(INSTRUCTIONS))]


def decorate(sheet: Worksheet, layout: Sequence[Column], asked: int) -> None:
    """Frozen heading, locked questions, yellow inputs, a list for the status."""
    from openpyxl.styles import Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    yellow = PatternFill("solid", fgColor="FFF8CC")
    first_typed = next((i for i, column in enumerate(layout, start=1) if column.typed), 2)
    sheet.freeze_panes = sheet.cell(2, first_typed)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    last = asked + 1 + SPARE_ROWS
    for place, column in enumerate(layout, start=1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = max(10, len(column.header) + 2, 28 if column.role == "task" else 0)
        sheet.cell(1, place).font = Font(bold=True)
        for number in range(2, last + 1):
            cell = sheet.cell(number, place)
            cell.number_format = "yyyy-mm-dd" if column.role == "measured_on" else number_format(column)
            if column.typed or number > asked + 1:
                cell.protection = Protection(locked=False)
            if column.typed:
                cell.fill = yellow
        if column.role == "status":
            choices = DataValidation(type="list", formula1=f'"{",".join(STATES)}"', allow_blank=True)
            choices.add(f"{letter}2:{letter}{last}")
            sheet.add_data_validation(choices)


def number_format(column: Column) -> str:
    """Text columns are text, so that a facet 001 stays 001."""
    return "General" if column.unit is not None or column.role == "replicate" else "@"
