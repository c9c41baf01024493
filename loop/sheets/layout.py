"""The columns of a measurement sheet, the same for CSV and xlsx, written and read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loop.campaign import Campaign, OracleSpec
from loop.space import is_text
from loop.types import Design, canonical_json

if TYPE_CHECKING:
    from loop.store import TaskRow

Role = Literal[
    "task", "oracle", "replicate", "design", "value", "error", "measured_on", "operator", "status", "notes", "check"
]
LEFT: tuple[Role, ...] = ("task", "oracle", "replicate")
RIGHT: tuple[Role, ...] = ("measured_on", "operator", "status", "notes", "check")
OPTIONAL: tuple[Role, ...] = ("measured_on", "operator", "notes")
STATES = ("done", "failed", "skip")
HEADER = re.compile(r"(?P<name>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?")
ERROR_OF = re.compile(r"u\(\s*(?P<name>.+?)\s*\)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is for, the parameter or property it holds and the unit it is written in (None: text)."""

    role: Role
    name: str
    unit: str | None = None

    @property
    def header(self) -> str:
        name = f"u({self.name})" if self.role == "error" else self.name
        return name if self.unit is None else f"{name} [{self.unit}]"

    @property
    def typed(self) -> bool:
        """Whether a person fills it in."""
        return self.role in ("value", "error", "measured_on", "operator", "status", "notes")


def person_oracles(campaign: Campaign) -> dict[str, OracleSpec]:
    """The oracles whose tasks a person answers."""
    return {name: spec for name, spec in campaign.oracles.items() if spec.isolation == "person"}


def columns(campaign: Campaign) -> list[Column]:
    """The columns in order: task, replicate, design, each property with its error, who and when, notes, check."""
    properties = {
        name: unit for spec in person_oracles(campaign).values() for name, unit in spec.oracle.properties.items()
    }
    design = [Column("design", p.name, None if is_text(p) else p.unit) for p in campaign.space.parameters]
    pairs = [Column(role, name, unit) for name, unit in properties.items() for role in ("value", "error")]
    return [*(Column(role, role) for role in LEFT), *design, *pairs, *(Column(role, role) for role in RIGHT)]


def split_header(text: str) -> tuple[str, bool, str | None]:
    """`u(modulus) [GPa]` as ("modulus", True, "GPa"); the unit is None where none is written."""
    match = HEADER.fullmatch(text.strip())
    assert match is not None
    error = ERROR_OF.fullmatch(match["name"])
    unit = match["unit"]
    return error["name"] if error else match["name"], error is not None, unit.strip() if unit is not None else None


def row_check(task_id: str, replicate: int, design: Design) -> str:
    """A short hash of what a row asks, to notice rows that were mixed up. It begins with a letter, so that no
    spreadsheet takes it for a number."""
    text = canonical_json([task_id, replicate, dict(design.values)])
    return "c" + hashlib.sha256(text.encode()).hexdigest()[:7]


def asked_rows(
    waiting: Sequence[TaskRow], designs: dict[str, Design], layout: Sequence[Column]
) -> list[list[str | int | float]]:
    """One row per waiting task, the columns to fill in left empty."""
    rows = []
    for row in waiting:
        task, design = row.task, designs[row.task.design_id]
        known: dict[Role, str | int] = {
            "task": task.id,
            "oracle": task.oracle,
            "replicate": task.replicate,
            "check": row_check(task.id, task.replicate, design),
        }
        rows.append(
            [design.values[column.name] if column.role == "design" else known.get(column.role, "") for column in layout]
        )
    return rows
