"""`loop amend`"""

from __future__ import annotations

from typing import Annotated

import typer

from loop.cli.shared import File, command, open_campaign


@command
def amend(
    file: File,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="why, for the record")],
) -> None:
    """Accept changed physics in a begun campaign.

    Space, constraints, objectives, seed and the oracles' physics are guarded; what changed and why is recorded.
    """
    from loop.campaign.guard import amend as accept

    changes = accept(open_campaign(file, thorough=True), reason)
    for line in changes or ["nothing to amend: budgets, limits and execution may change freely"]:
        typer.echo(line)
