"""What a row is about: a task that was asked, or a design that a person brings along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loop import molecules
from loop.campaign import Campaign, OracleSpec
from loop.plugins import did_you_mean
from loop.sheets.cells import CellError, is_nothing, read_quantity
from loop.sheets.heading import Row
from loop.sheets.layout import Column, person_oracles, row_check
from loop.space import Space, SpaceError, grid_step, is_fixed, is_text
from loop.types import Design, Molecules, Parameter, Value

if TYPE_CHECKING:
    from loop.store import TaskRow


@dataclass(frozen=True, slots=True)
class Question:
    """The oracle asked and either the task's id or an unsolicited design with its replicate (None: not said)."""

    spec: OracleSpec
    task_id: str | None = None
    design: Design | None = None
    replicate: int | None = None


def asked(row: Row, campaign: Campaign, tasks: Mapping[str, TaskRow], designs: Mapping[str, Design]) -> Question | None:
    """The task of the row, its question compared cell by cell; None where a fault was noted."""
    column, task_id = row.column("task"), row.text("task")
    task_row = tasks.get(task_id)
    if task_row is None:
        hint = did_you_mean(task_id, tasks) or "; leave task empty for a measurement nobody asked for"
        row.fault(f"unknown task {task_id!r}{hint}", column)
        return None
    task = task_row.task
    spec = person_oracles(campaign).get(task.oracle)
    if spec is None:
        row.fault(f"task {task_id!r} is of oracle {task.oracle}, which no person answers", column)
        return None
    before = len(row.faults)
    for role, value in (("oracle", task.oracle), ("replicate", str(task.replicate))):
        text = row.text(role)  # type: ignore[arg-type]
        if text and text != value:
            row.fault(f"was {value!r}, is {text!r}; undo the change", row.column(role))  # type: ignore[arg-type]
    design = designs[task.design_id]
    for cell, text in row.cells.items():
        if cell.role == "design" and not same_value(row, cell, text, campaign.space[cell.name], design):
            row.fault(
                f"was {design.values[cell.name]!r}, is {text!r}; undo the change, or enter another design in a row "
                "of its own without task and check",
                cell,
            )
    check = row.text("check")
    if len(row.faults) == before and check and check != row_check(task.id, task.replicate, design):
        row.fault("does not belong to this task: rows were mixed up; take a fresh sheet", row.column("check"))
    return None if len(row.faults) > before else Question(spec, task_id=task_id)


def same_value(row: Row, column: Column, text: str, p: Parameter, design: Design) -> bool:
    """Whether the cell still says what was asked, allowing for what spreadsheets do to numbers (001 becomes 1)."""
    try:
        value = read_value(row, column, text, p)
    except CellError:
        return False
    wanted = design.values[p.name]
    if isinstance(value, str) or isinstance(wanted, str):
        return value == wanted
    return abs(value - wanted) <= 1e-9 * max(abs(value), abs(wanted))


def read_value(row: Row, column: Column, text: str, p: Parameter) -> Value:
    """A design cell in the parameter's unit. Raises CellError for what the parameter cannot be."""
    if p.molecules is not None:
        return read_smiles(text, p.molecules)
    if is_text(p):
        return read_choice(text, p)
    value = read_quantity(text, column.unit or p.unit, p.unit, decimal_comma=row.decimal_comma).value
    if p.bounds is None:
        near = [c for c in p.choices if not isinstance(c, str) and abs(c - value) <= 1e-9 * max(1.0, abs(value))]
        if not near:
            raise CellError(f"{text!r} is not one of {', '.join(map(str, p.choices))}")
        return near[0]
    if not p.bounds[0] <= value <= p.bounds[1]:
        raise CellError(f"{text!r} is not between {p.bounds[0]:g} and {p.bounds[1]:g} {p.unit}")
    if p.kind == "integer" and value != int(value):
        raise CellError(f"{text!r} is not a whole number")
    return value


def read_smiles(text: str, allowed: Molecules) -> str:
    """The molecule written, in canonical form."""
    try:
        smiles = molecules.canonical(text)
    except molecules.BadMolecule as error:
        raise CellError(str(error)) from error
    if fault := molecules.fault(allowed, smiles):
        raise CellError(fault)
    return smiles


def read_choice(text: str, p: Parameter) -> Value:
    """The choice written, or the only one that is the same number."""
    if text in p.choices:
        return text
    number = as_number(text)
    alike = [choice for choice in p.choices if number is not None and as_number(str(choice)) == number]
    if len(alike) != 1:
        names = [str(choice) for choice in p.choices]
        raise CellError(f"{text!r} is not one of {', '.join(names)}{did_you_mean(text, names)}")
    return alike[0]


def as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def unsolicited(row: Row, campaign: Campaign) -> Question | None:
    """The design a person brings along, which must lie in the space; None where a fault was noted."""
    before = len(row.faults)
    design = whole_design(row, campaign.space, "without a task the whole design is needed")
    spec = reporter(row, campaign)
    replicate = read_replicate(row)
    if len(row.faults) > before or design is None or spec is None:
        return None
    return Question(spec, design=design, replicate=replicate)


def whole_design(row: Row, space: Space, needed: str) -> Design | None:
    """The design of the row, which must lie in the space; None where a fault was noted. `needed` says that no parameter
    may be missing but fixed ones."""
    before = len(row.faults)
    values: dict[str, Value] = {}
    for p in space.parameters:
        column = row.column("design", p.name)
        text = "" if column is None else row.cells[column]
        if not text and is_fixed(p):
            continue
        if column is None or not text:
            row.fault(f"{needed}; {p.name} is missing", column)
            continue
        try:
            values[p.name] = read_value(row, column, text, p)
        except CellError as fault:
            row.fault(str(fault), column)
    return None if len(row.faults) > before else lying_in_space(row, values, space)


def lying_in_space(row: Row, values: Mapping[str, Value], space: Space) -> Design | None:
    """The canonical design, unless a constraint forbids it or would change it."""
    try:
        design = space.canonicalise(values)
    except SpaceError as error:
        row.fault(str(error))
        return None
    for name, value in values.items():
        kept = design.values[name]
        if isinstance(value, str) or isinstance(kept, str):
            changed = value != kept
        else:
            changed = space[name].bounds is not None and abs(value - kept) > grid_step(space[name])
        if changed:
            row.fault(f"the constraints leave {name} no value but {kept}, is {value}", row.column("design", name))
            return None
    if broken := space.violations(design):
        row.fault(f"the design breaks {', '.join(broken)}")
        return None
    return design


def reporter(row: Row, campaign: Campaign) -> OracleSpec | None:
    """The oracle named in the row, or the only one that measures what is filled in."""
    people = person_oracles(campaign)
    if name := row.text("oracle"):
        if name not in people:
            row.fault(f"no person answers for {name!r}{did_you_mean(name, people)}", row.column("oracle"))
        return people.get(name)
    filled = {c.name for c, text in row.cells.items() if c.role == "value" and not is_nothing(text)}
    able = [spec for spec in people.values() if filled <= set(spec.oracle.properties)]
    if len(able) != 1:
        row.fault(f"say which oracle measured it: {', '.join(people)}", row.column("oracle"))
        return None
    return able[0]


def read_replicate(row: Row) -> int | None:
    text = row.text("replicate")
    if text and not text.isdecimal():
        row.fault(f"{text!r} is not a count from 0", row.column("replicate"))
    return int(text) if text.isdecimal() else None
