"""`loop check`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from loop.cli.shared import File, Json, command, open_campaign, print_json

if TYPE_CHECKING:
    from loop.plan import Plan, Price


@command
def check(file: File, as_json: Json = False) -> None:
    """Judge a campaign file and price the campaign.

    Every fault is listed at once. Nothing is run and nothing written.
    """
    from dataclasses import asdict

    from loop.plan import plan

    campaign = open_campaign(file, thorough=True)
    found = plan(campaign)
    if as_json:
        print_json({"schema": 1, "name": campaign.name, **asdict(found)})
        return
    typer.echo(f"{file}: good")
    for line in describe(found):
        typer.echo(line)


def describe(plan: Plan) -> list[str]:
    designs = "as many designs as it takes" if plan.designs is None else f"at most {plan.designs} designs"
    lines = [
        f"space: {plan.free_parameters} free parameters, {plan.valid_share:.0%} of random designs are valid, "
        f"{1000 * plan.seconds_per_valid_design:.1f} ms to draw and judge one",
        f"stops after {designs}",
    ]
    for price in plan.oracles:
        each = f"{price.tasks_per_design} x {duration(price.seconds_per_task)} per design at {price.fidelity}"
        each += generated(price)
        each += in_all(price)
        lines.append(f"oracle {price.name}: {each}{' of your time' if price.isolation == 'person' else ''}")
        lines += more_replicates(price)
    if plan.wall_hours:
        most = plan.most_wall_hours or plan.wall_hours
        further = f", at most {duration(3600 * most)} with added replicates" if most > plan.wall_hours else ""
        lines.append(f"wall time: about {duration(3600 * plan.wall_hours)} on {plan.slots} slots{further}")
    needs = "not stated by the oracles" if plan.disk_bytes is None else f"about {size(plan.disk_bytes)}"
    lines.append(f"disk: {needs}; {size(plan.disk_free_bytes)} free")
    return lines


def generated(price: Price) -> str:
    """What a cheap source labels besides."""
    if price.labels == "auto":
        return ", and as many generated designs as pay"
    return f", and {price.labels} generated designs a round" if price.labels else ""


def in_all(price: Price) -> str:
    """What all that is asked of an oracle takes."""
    if price.hours is None:
        return ""
    return f", {duration(3600 * price.hours)} in all" if price.hours > 0 else ", none at first"


def more_replicates(price: Price) -> list[str]:
    """What the next run adds to the designs so far, and what `replicates_max` and the audit may add."""
    lines = []
    if price.missing_tasks:
        time = duration(price.missing_tasks * price.seconds_per_task)
        lines.append(f"  the next run adds {price.missing_tasks} replicates to the designs so far: {time}, included")
    if price.added_tasks is None:
        lines.append("  more replicates where they decide which designs lead")
    elif price.added_tasks:
        time = duration(price.added_tasks * price.seconds_per_task)
        lines.append(f"  at most {price.added_tasks} more replicates where they decide which designs lead: {time}")
    if price.audited_tasks:
        time = duration(price.audited_tasks * price.seconds_per_task)
        lines.append(f"  at most {price.audited_tasks} more replicates of doubted records: {time}")
    return lines


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.4 h`, `2.5 days`."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}" if seconds / unit < 10 else f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.1f} days"


def size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
