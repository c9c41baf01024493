"""`loop schema`"""

from __future__ import annotations

from loop.cli.shared import command, print_json


@command
def schema() -> None:
    """Print the JSON Schema of a campaign file."""
    from loop.campaign.schema import json_schema

    print_json(json_schema())
