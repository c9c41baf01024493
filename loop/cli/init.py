"""`loop init`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from loop.cli.shared import command


@command
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where to write")] = Path("campaign.yaml"),
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
) -> None:
    """Write a commented campaign file.

    Beside it goes the JSON Schema by which editors complete and check it.
    """
    from loop.campaign.schema import json_schema
    from loop.campaign.template import template
    from loop.durable import write_text
    from loop.errors import BadInput

    if file.exists() and not force:
        raise BadInput(f"{file}: exists; choose another name, or --force to replace it")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, template(name_from(file)))
    write_text(file.parent / "campaign.schema.json", json.dumps(json_schema(), indent=1) + "\n")
    typer.echo(f"wrote {file}; next: loop check {file}")


def name_from(file: Path) -> str:
    """A campaign name made of the file's, or of the folder's where the file is called campaign.yaml."""
    stem = file.absolute().parent.name if file.stem == "campaign" else file.stem
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem).strip("._-")
    return name[:64] or "campaign"
