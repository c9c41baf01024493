"""`loop run`"""

from __future__ import annotations

from loop.cli.shared import File, Json, command, open_campaign


@command
def run(file: File, as_json: Json = False) -> int:
    """Start a campaign, or go on with it.

    After any interruption the same command goes on. Ctrl-C stops tidily, a second one at once.
    """
    from loop.engine import run as run_campaign

    return run_campaign(open_campaign(file, thorough=True), json_events=as_json)
