"""`loop tell`: a filled-in sheet becomes measurements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loop.campaign import Campaign
from loop.campaign.guard import keep, refuse_changes
from loop.durable import disk_errors
from loop.errors import BadInput, Locked
from loop.sheets.inbox import drain_inbox, drop
from loop.sheets.judging import Known, judge
from loop.sheets.layout import person_oracles
from loop.sheets.reading import read_cells
from loop.store import Reader, Store, ToldRow, task_id
from loop.types import Observed


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a sheet: counts of its rows, and the faults of those that were refused.

    `queued` rows wait in the inbox, since `loop run` holds the campaign and takes them in itself. `notes` are worth a
    look, but no faults: rows known from before whose value was corrected since.
    """

    stored: int
    corrected: int
    known: int
    queued: int
    pending: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


def tell(campaign: Campaign, sheet: Path) -> Told:
    """Take in the good rows of a sheet, all or none of them, and report the others.

    Handing in a sheet twice changes nothing the second time. Raises BadInput where the sheet as a whole is at fault
    (or the campaign file has changed what earlier decisions rest on), and StorageError.
    """
    people = person_oracles(campaign)
    if not people:
        raise BadInput(f"{campaign.path.name}: no oracle of this campaign is answered by a person")
    cells = read_cells(sheet)
    folder = campaign.run_folder
    known = Known()
    if (folder / "campaign.db").exists():
        with Reader.open(folder) as reader:
            refuse_changes(reader, campaign)
            known = Known.of(reader, people)
    judged = judge(sheet, cells, campaign, known)
    if not judged.rows:
        return Told(0, 0, 0, 0, judged.pending, tuple(judged.faults))
    keep_file(campaign, sheet, cells.sheet_id)
    try:
        store = Store.open(folder)
    except Locked:
        drop(campaign, cells.sheet_id, judged.rows)
        return Told(0, 0, 0, len(judged.rows), judged.pending, tuple(judged.faults))
    with store:
        keep(store, campaign)
        drain_inbox(store, campaign)
        answers = store.tell(cells.sheet_id, judged.rows)
        counts = {word: answers.count(word) for word in ("stored", "corrected", "known")}
        known_rows = [pair for pair, answer in zip(judged.placed, answers, strict=True) if answer == "known"]
        notes = tuple(
            f"{sheet} row {number}: this was told before and corrected since, and the correction stands; "
            "to return to this value, change the notes of the row"
            for number, row in known_rows
            if superseded(store, row)
        )
    return Told(**counts, queued=0, pending=judged.pending, faults=tuple(judged.faults), notes=notes)


def superseded(store: Store, row: ToldRow) -> bool:
    """Whether what the row says is not what counts now."""
    name = row.task_id
    if name is None:
        assert row.design is not None and row.oracle is not None and row.fidelity is not None
        name = task_id(row.design.id, row.oracle, row.fidelity, row.replicate)
    current = store.observed(name)
    if not isinstance(current, Observed):
        return row.outcome == "done"
    return any((current.estimates[p].mean, current.estimates[p].se) != (e.mean, e.se) for p, e in row.estimates.items())


def keep_file(campaign: Campaign, sheet: Path, sheet_id: str) -> None:
    """Keep the file as it was handed in, under its content's name."""
    folder = campaign.run_folder / "sheets"
    kept = folder / f"{sheet_id[:16]}{sheet.suffix.lower()}"
    with disk_errors(folder):
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(sheet.read_bytes())
