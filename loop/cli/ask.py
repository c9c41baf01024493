"""`loop ask`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loop.cli.shared import File, command, open_campaign


@command
def ask(
    file: File,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="SHEET", help="a .xlsx or .csv file to write")],
    force: Annotated[bool, typer.Option("--force", help="replace an existing sheet")] = False,
) -> None:
    """Write a sheet of the measurements wanted."""
    from loop.sheets import ask as write_sheet

    count = write_sheet(open_campaign(file), out, force=force)
    if count:
        typer.echo(f"wrote {out}: {count} measurements asked; hand it in with: loop tell {file} {out}")
    else:
        typer.echo(f"wrote {out}: nothing waits for a measurement; its empty rows take measurements nobody asked for")
