"""`loop export`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loop.cli.shared import File, command, open_campaign


@command
def export(
    file: File,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="TABLE", help="a .csv or .parquet file to write")],
    tasks: Annotated[bool, typer.Option("--tasks", help="one row per task, not per record")] = False,
) -> None:
    """Write the records as a table.

    They are in the order of decision; a JSON file beside the table names the units.
    """
    from loop.export import write

    typer.echo(write(open_campaign(file), out, tasks))
