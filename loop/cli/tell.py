"""`loop tell`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from loop.cli.shared import File, Json, command, open_campaign, print_json
from loop.errors import BadInput


@command
def tell(
    file: File,
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="a filled-in .xlsx or .csv sheet")],
    as_json: Json = False,
) -> int:
    """Take in a filled-in sheet.

    Good rows are kept and bad ones listed; handing a sheet in twice does no harm, a changed value is a correction.
    """
    from loop.sheets import tell as take_in

    told = take_in(open_campaign(file), sheet)
    if as_json:
        print_json({"schema": 1, **asdict(told)})
    else:
        counts = ("stored", "corrected", "known", "queued", "pending")
        found = [f"{getattr(told, word)} {word}" for word in counts if getattr(told, word)]
        refused = f"{len(told.faults)} fault{'s' * (len(told.faults) != 1)}"
        typer.echo(", ".join([*found, refused] if told.faults else found) or "no rows")
        if told.queued:
            typer.echo("queued rows are taken in by the `loop run` that holds the campaign")
    for fault in (*told.notes, *told.faults):
        typer.echo(fault, err=True)
    return BadInput.exit_code if told.faults else 0
