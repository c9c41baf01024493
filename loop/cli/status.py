"""`loop status`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from loop.cli.shared import File, Json, command, open_campaign, print_json


@command
def status(file: File, as_json: Json = False) -> None:
    """Say where a campaign stands."""
    from loop.status import snapshot

    campaign = open_campaign(file)
    found = snapshot(campaign)
    if as_json:
        print_json(found)
        return
    free = [p.name for p in campaign.space.free]
    for line in describe(found, free):
        typer.echo(line)


def describe(found: Mapping[str, Any], free: list[str]) -> list[str]:
    from loop.wording import counted, value

    lines = [f"{found['name']}: {found['state']}, round {found['round']}"]
    lines += [f"last run: {found['ending']}"] if found["ending"] else []
    lines += [f"tasks: {counted(found['tasks'])}", f"records: {counted(found['records'])}"]
    if any(found["added_replicates"].values()):
        lines.append(f"replicates added later: {counted(found['added_replicates'])}")
    if found["hypervolume"] is not None:
        lines.append(f"hypervolume: {value(found['hypervolume'])}")
    if found["ledger"]:
        counts = dict(found["ledger"])
        lines.append(
            f"ledger of round {counts.pop('round')}: {counted({k: n for k, n in counts.items() if n}) or 'nothing new'}"
        )
    lines += [f"careful: {finding['message']} {finding['cure']}" for finding in found["health"]]
    return [*lines, *table([row(design, free) for design in found["best"]])]


def row(design: Mapping[str, Any], free: list[str]) -> dict[str, str]:
    """One best design, a cell per column; fixed parameters are left out."""
    from loop.wording import label, plus_minus, value

    properties = {
        label(name, estimate["unit"]): plus_minus(estimate["mean"], estimate["se"])
        for name, estimate in design["properties"].items()
    }
    return {"best": design["design_id"], **properties, **{name: value(design["design"][name]) for name in free}}


def table(rows: list[dict[str, str]]) -> list[str]:
    """Aligned columns under their names."""
    if not rows:
        return []
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    heading = {name: name for name in widths}
    return ["  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip() for row in (heading, *rows)]
