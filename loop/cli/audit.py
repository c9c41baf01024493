"""`loop audit`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from loop.cli.shared import File, Json, command, open_campaign, print_json

if TYPE_CHECKING:
    from loop.ledger import Ledger
    from loop.report.audit import Words


@command
def audit(file: File, as_json: Json = False) -> None:
    """Say what each round believed of its data, and why.

    Round by round: how good the generated designs were, which cheap sources and synthetic records were believed, which
    real records were doubted and what became of them.
    """
    from loop.export import open_run
    from loop.report.audit import NO_LEDGER, words_of

    campaign = open_campaign(file)
    with open_run(campaign) as reader:
        ledgers, spoken = reader.ledgers(), words_of(campaign, reader)
    if not ledgers:
        typer.echo(f"{campaign.name}: {NO_LEDGER}", err=as_json)
    if as_json:
        print_json([plain(ledger, spoken) for ledger in ledgers])
    elif ledgers:
        typer.echo("\n".join(describe(campaign.name, ledgers, spoken)))


def plain(ledger: Ledger, spoken: Words) -> dict[str, Any]:
    """A round as JSON: its counts, what they count, and the sentences."""
    from loop.report.audit import sentences

    return ledger.counts() | ledger.plain() | {"sentences": sentences(ledger, spoken)}


def describe(name: str, ledgers: Sequence[Ledger], spoken: Words) -> list[str]:
    from loop.cli.status import table
    from loop.report.audit import believed, drawn, in_all, sentences

    lines = [f"{name}: {in_all(ledgers)}", "", "draws of the generator", *table(drawn(ledgers)), ""]
    lines += ["synthetic records (admitted to contradicted), real records, error bars", *table(believed(ledgers))]
    for ledger in ledgers:
        said = sentences(ledger, spoken) or ["Nothing was decided about the data."]
        lines += ["", f"round {ledger.round}", *(f"  {text}" for text in said)]
    return lines
