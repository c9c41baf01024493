"""A sheet of designs without values that a person holds plausible: earlier work, or a guess."""

from __future__ import annotations

from pathlib import Path

from loop.errors import BadInput
from loop.sheets.heading import match_columns
from loop.sheets.judging import as_row
from loop.sheets.layout import Column
from loop.sheets.questions import whole_design
from loop.sheets.reading import read_cells
from loop.space import Space, is_text
from loop.types import Design

LEAST = 5
"""Designs from which on one can tell what they have in common."""


def read_plausible(path: Path, space: Space) -> tuple[Design, ...]:
    """The different designs of a CSV or xlsx file, in its order. A column is a parameter, with its unit as in the
    sheets of `loop ask` (`density [1/nm^2]`), or `notes`.

    Raises BadInput with every fault of the file.
    """
    cells = read_cells(path)
    (number, texts), *body = cells.rows
    known = [Column("design", p.name, None if is_text(p) else p.unit) for p in space.parameters]
    known.append(Column("notes", "notes"))
    heading, faults = match_columns(str(path), number, texts, {(False, column.name): column for column in known})
    if faults:
        raise BadInput(*faults)
    rows = [as_row(str(path), number, texts, heading, cells.decimal_comma) for number, texts in body]
    designs = dict.fromkeys(whole_design(row, space, "a plausible design is a whole one") for row in rows)
    if faults := [fault for row in rows for fault in row.faults]:
        raise BadInput(*faults)
    if len(designs) < LEAST:
        raise BadInput(f"{path}: holds {len(designs)} different designs; give at least {LEAST}")
    return tuple(design for design in designs if design is not None)
