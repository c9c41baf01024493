"""A sheet as it comes back: every cell as text, whatever program saved it."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from loop.errors import BadInput

LARGEST = 50_000_000


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of a sheet with the numbers a spreadsheet shows; the first is the heading. `sheet_id` is the file's
    sha256. `decimal_comma`: the file comes from a place where 1,234 means 1.234."""

    sheet_id: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    decimal_comma: bool


def read_cells(path: Path) -> Cells:
    """Raises BadInput where the file cannot be read as CSV or xlsx, is still open elsewhere, or has no heading."""
    raw = read_bytes(path)
    comma = False
    if raw[:4] == b"PK\x03\x04":
        rows = read_xlsx(path, raw)
    elif raw[:4] == b"\xd0\xcf\x11\xe0":
        raise BadInput(f"{path}: is an old .xls or a protected workbook; save it as .xlsx or .csv")
    else:
        rows, comma = read_csv(path, raw)
    filled = [(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)]
    if not filled:
        raise BadInput(f"{path}: is empty; `loop ask` writes a sheet to fill in")
    return Cells(hashlib.sha256(raw).hexdigest(), tuple(filled), comma)


def read_bytes(path: Path) -> bytes:
    for lock in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")):
        if lock.exists():
            raise BadInput(f"{path}: is open in a spreadsheet; save and close it, or delete a stale {lock.name}")
    if path.name.startswith(("~$", ".~lock.")):
        raise BadInput(f"{path}: is a spreadsheet program's lock file, not the sheet")
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path}: is larger than {LARGEST // 1_000_000} MB; is it a sheet?")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error


def decode(raw: bytes) -> str:
    """Text of a CSV: UTF-8, UTF-16 (with mark, or seen by its zero bytes), else Windows-1252."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    if b"\0" in raw[:200]:
        return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-16-be")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


def read_csv(path: Path, raw: bytes) -> tuple[list[tuple[str, ...]], bool]:
    """Rows, and whether the separator is a semicolon, which programs write where the comma is decimal."""
    try:
        text = decode(raw)
        heading = next((line for line in text.splitlines() if line.strip()), "")
        if declared := heading.lower().startswith("sep=") and len(heading.strip()) == 5:
            text = re.sub(r"\s*\S+(\r\n|\r|\n|$)", "", text, count=1)
        separator = heading.strip()[4] if declared else max(",;\t", key=heading.count)
        rows = [tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), delimiter=separator)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: is neither xlsx nor readable CSV: {error}") from error
    return ([()] if declared else []) + rows, separator == ";"


def read_xlsx(path: Path, raw: bytes) -> list[tuple[str, ...]]:
    """The sheet with the heading `task` or, failing that, the first one. Formulas count by their saved result."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        values = load_workbook(io.BytesIO(raw), data_only=True)
        formulas = load_workbook(io.BytesIO(raw))
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise BadInput(f"{path}: is no readable xlsx workbook: {error}") from error
    names = [sheet.title for sheet in values.worksheets]
    if not names:
        raise BadInput(f"{path}: holds no sheet")
    name = next((n for n in names if "task" in first_row(values[n].iter_rows(values_only=True))), names[0])
    pairs = zip(values[name].iter_rows(values_only=True), formulas[name].iter_rows(values_only=True), strict=True)
    return [
        tuple(cell_text(formula if value is None else value) for value, formula in zip(result, source, strict=True))
        for result, source in pairs
    ]


def first_row(rows: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    return next((tuple(cell_text(cell) for cell in row) for row in rows if any(cell is not None for cell in row)), ())


def cell_text(value: Any) -> str:
    """A cell as a person would read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
