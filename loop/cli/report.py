"""`loop report`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loop.cli.shared import File, command, open_campaign


@command
def report(
    file: File,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="HTML", help="default: in the run folder")] = None,
) -> None:
    """Write the report, one HTML file."""
    from loop.report import write

    typer.echo(write(open_campaign(file), out))
