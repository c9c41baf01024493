"""`loop materials`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from loop.cli.shared import Json, command, print_json


@command
def materials(as_json: Json = False) -> None:
    """List what the installed oracles can simulate, and what not and why."""
    from loop import plugins

    found = {}
    for kind in plugins.kinds("oracle"):
        try:
            tables = getattr(plugins.find("oracle", kind), "materials", None)
        except plugins.PluginError as error:
            typer.echo(error, err=True)
            continue
        if tables is not None:
            found[kind] = tables()
    if as_json:
        print_json({"schema": 1, "oracles": found})
        return
    for kind, tables in found.items():
        for name, table in tables.items():
            typer.echo(f"{kind}: {name}")
            for line in describe(table):
                typer.echo(f"  {line}".rstrip())
            typer.echo("")


def describe(table: Mapping[str, Any]) -> list[str]:
    """The rows of one table under their headings; what is not known stays blank."""
    from loop.cli.status import table as aligned
    from loop.wording import label

    headings = {key: label(key, table["units"].get(key, "1")) for row in table["rows"] for key in row}
    return aligned([{heading: told(row.get(key)) for key, heading in headings.items()} for row in table["rows"]])


def told(cell: Any) -> str:
    from loop.wording import value

    if cell is None:
        return ""
    return ", ".join(value(part) for part in cell) if isinstance(cell, list | tuple) else value(cell)
