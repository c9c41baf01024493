"""The generated molecules of a campaign that has run, as a table: new or named, the answer or the reason there is none.

python -m benchmarks.new_molecules campaigns/new_ligands.yaml [parameter]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from loop.campaign import Campaign, load
from loop.molecules import novel
from loop.store import Reader
from loop.types import Failed


def rows(campaign: Campaign, parameter: str) -> Iterator[tuple[str, str, str, str]]:
    """(SMILES, new or named, round, answer) of every task in the order of decision."""
    allowed = campaign.space[parameter].molecules
    assert allowed is not None, f"{parameter} is not generated"
    with Reader.open(campaign.run_folder) as reader:
        designs = reader.designs()
        for row in reader.tasks():
            smiles = str(designs[row.task.design_id].values[parameter])
            answer = reader.observed(row.task.id)
            if answer is None or isinstance(answer, Failed):
                told = f"{row.state}: {row.cause or ''} {row.reason or ''}".strip()
            else:
                found = [answer.estimates[o.property] for o in campaign.objectives if o.property in answer.estimates]
                told = ", ".join(f"{e.mean:.1f} +- {e.se:.1f} {e.unit}" for e in found)
            yield smiles, "new" if novel(allowed, smiles) else "named", str(row.round), told


def main() -> None:
    parser = argparse.ArgumentParser(description="the generated molecules of a campaign")
    parser.add_argument("campaign", type=Path)
    parser.add_argument("parameter", nargs="?")
    chosen = parser.parse_args()
    campaign = load(chosen.campaign, thorough=False)
    generated = [p.name for p in campaign.space.parameters if p.molecules]
    parameter = chosen.parameter or generated[0]
    table = list(rows(campaign, parameter))
    print(f"| {parameter} | | round | {', '.join(o.property for o in campaign.objectives)} |\n|---|---|---|---|")
    for row in table:
        print("| " + " | ".join(row) + " |")
    new = {smiles for smiles, kind, *_ in table if kind == "new"}
    print(f"\n{len(table)} tasks, {len({row[0] for row in table})} molecules, {len(new)} of them new")


if __name__ == "__main__":
    main()
