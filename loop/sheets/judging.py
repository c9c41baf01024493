"""A sheet's rows, judged one by one: what can be told to the store, and every fault of the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loop.campaign import Campaign
from loop.sheets.answers import Answer, read_answer, untouched
from loop.sheets.heading import Row, read_heading
from loop.sheets.layout import Column
from loop.sheets.questions import Question, asked, unsolicited
from loop.sheets.reading import Cells
from loop.store import Reader, ToldRow, task_id
from loop.types import Design, Failed, Observed

if TYPE_CHECKING:
    from loop.store import TaskRow

Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What the campaign knows already, as far as judging a sheet needs it: `answers` are the measurements told."""

    tasks: Mapping[str, TaskRow] = field(default_factory=dict)
    designs: Mapping[str, Design] = field(default_factory=dict)
    answers: Mapping[str, Observed | Failed | None] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Reader, people: Collection[str]) -> Known:
        """`people` names the oracles that a person answers."""
        tasks = {row.task.id: row for row in reader.tasks()}
        done = [name for name, row in tasks.items() if row.state == "done" and row.task.oracle in people]
        return cls(tasks, reader.designs(), {name: reader.observed(name) for name in done})


@dataclass(frozen=True, slots=True)
class Judged:
    """`placed` are the rows that can be told, each with its number in the sheet; `faults` are located lines; `pending`
    counts the asked rows not measured yet."""

    placed: list[tuple[int, ToldRow]]
    faults: list[str]
    pending: int

    @property
    def rows(self) -> list[ToldRow]:
        return [row for _, row in self.placed]


def judge(sheet: Path, cells: Cells, campaign: Campaign, known: Known) -> Judged:
    """Raises BadInput where the heading is at fault; faults of rows are returned, and concern that row only."""
    (number, texts), *body = cells.rows
    heading = read_heading(str(sheet), number, texts, campaign)
    found: dict[Key, tuple[int, ToldRow]] = {}
    faults: list[str] = []
    refused: set[Key] = set()
    pending = 0
    for number, texts in body:
        row = as_row(str(sheet), number, texts, heading, cells.decimal_comma)
        if not row.faults and untouched(row) and row.text("task"):
            pending += 1
            continue
        if not row.faults:
            judge_row(row, campaign, known, found, refused)
        faults += row.faults
    return Judged([entry for key, entry in found.items() if key not in refused], faults, pending)


def as_row(sheet: str, number: int, texts: Sequence[str], heading: Sequence[Column | None], decimal_comma: bool) -> Row:
    padded = [*texts, *("" for _ in heading[len(texts) :])]
    row = Row(
        sheet,
        number,
        {column: text for column, text in zip(heading, padded, strict=False) if column is not None},
        decimal_comma,
    )
    stray = [text for place, text in enumerate(padded) if text and (place >= len(heading) or heading[place] is None)]
    if stray:
        row.fault(f"{stray[0]!r} stands in no column; is there a separator too many?")
    return row


def judge_row(
    row: Row, campaign: Campaign, known: Known, found: dict[Key, tuple[int, ToldRow]], refused: set[Key]
) -> None:
    """Add what the row says to `found`, or note its faults. Two rows that answer one question differently are both
    refused."""
    is_asked = bool(row.text("task"))
    question = asked(row, campaign, known.tasks, known.designs) if is_asked else unsolicited(row, campaign)
    spec = question.spec if question else None
    answer = read_answer(row, spec) if spec else None
    if question is None or answer is None:
        return
    told, key = as_told(row, question, answer, known, found)
    if row.faults:
        return
    if key in found and found[key][1] != told:
        refused.add(key)
        row.fault(f"answers the same as row {found[key][0]}, but differently; keep one of them")
    found.setdefault(key, (row.number, told))


def as_told(
    row: Row, question: Question, answer: Answer, known: Known, found: Mapping[Key, tuple[int, ToldRow]]
) -> tuple[ToldRow, Key]:
    spec = question.spec
    if question.task_id is not None:
        task = known.tasks[question.task_id].task
        told = ToldRow(
            spec.record_kind, task_id=task.id, estimates=answer.estimates, outcome=answer.outcome,
            reason=answer.reason, meta=answer.meta,
        )  # fmt: skip
        return told, (task.design_id, task.oracle, task.fidelity, task.replicate)
    design = question.design
    assert design is not None
    replicate = question.replicate
    if replicate is None:
        taken = [key[3] for key in found if key[:3] == (design.id, spec.name, spec.fidelity)]
        replicate = max(taken, default=-1) + 1
        note_other_answer(row, question, answer, replicate, known)
    told = ToldRow(
        spec.record_kind, design=design, oracle=spec.name, fidelity=spec.fidelity, replicate=replicate,
        estimates=answer.estimates, outcome=answer.outcome, reason=answer.reason, meta=answer.meta,
    )  # fmt: skip
    return told, (design.id, spec.name, spec.fidelity, replicate)


def note_other_answer(row: Row, question: Question, answer: Answer, replicate: int, known: Known) -> None:
    """A row without replicate counts up within its sheet, but must not silently replace what another sheet told."""
    assert question.design is not None
    name = task_id(question.design.id, question.spec.name, question.spec.fidelity, replicate)
    before = known.answers.get(name)
    if not isinstance(before, Observed):
        return
    differs = [
        p for p, e in answer.estimates.items()
        if p in before.estimates and (before.estimates[p].mean, before.estimates[p].se) != (e.mean, e.se)
    ]  # fmt: skip
    if differs or answer.outcome != "done":
        row.fault(
            f"this design was told before with other values; write replicate {replicate} to correct it, "
            "or the next number for a further measurement",
            row.column("replicate"),
        )
