"""`loop replay`"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loop.cli.shared import File, Json, command, print_json

if TYPE_CHECKING:
    from loop.replay import Player

Kinds = list[str] | None


@command
def replay(
    file: File,
    acquisition: Annotated[Kinds, typer.Option(metavar="KIND", help="may be repeated; default: the campaign's")] = None,
    generator: Annotated[
        Kinds, typer.Option(metavar="KIND", help="may be repeated: whose density acquisitions are told; default: none")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="runs of each choice")] = 10,
    seed: Annotated[int | None, typer.Option(min=0, help="from which all are derived; default: the campaign's")] = None,
    initial: Annotated[int | None, typer.Option(min=1, help="designs drawn first; default: the campaign's")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="designs of a later round; default: the campaign's")] = None,
    evaluations: Annotated[int | None, typer.Option(min=1, help="at most so many; default: all")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="at most so many after the first designs")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="CSV", help="every round of every run")] = None,
    as_json: Json = False,
) -> None:
    """Say what other choices would have found in what a campaign recorded.

    Nothing is simulated or measured, and the campaign's folder stays as it is. Random picks are played beside.
    """
    from loop.export import save_csv, writing
    from loop.replay import CONTROL, Player, choices, csv_table, most_evaluations, recorded, summary, with_settings

    answers = with_settings(recorded(file), seed=seed, initial=initial, batch=batch)
    most = most_evaluations(answers, evaluations, rounds)
    players = [Player(choice, answers, most) for choice in choices(answers, acquisition or [], generator or [])]
    runs = [player.play(number) for player, number in at_work(players, seeds)]
    if out is not None:
        with writing(out):
            save_csv(*csv_table(answers, runs), out)
    found = summary(answers, runs, CONTROL, most)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(describe(found)))


def at_work(players: Sequence[Player], seeds: int) -> Iterator[tuple[Player, int]]:
    """Each player with each number of a run, and a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    pairs = [(player, number) for player in players for number in range(seeds)]
    yield from track(pairs, "replaying", console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def describe(found: Mapping[str, Any]) -> list[str]:
    from loop.cli.status import table

    failed = f", {found['failed']} of them failures" if found["failed"] else ""
    lines = [
        f"{found['name']}: {found['designs']} evaluated designs{failed}; {found['seeds']} runs of each choice, "
        f"{found['initial']} designs drawn first, then {found['batch']} a round, {found['evaluations']} at most",
        f"wanted: {sought(found)}; the campaign had it after {found['campaign_until_wanted']} of these designs",
        *(f"left out: {count} {name}" for name, count in found["left_out"].items()),
        *(f"note: {note}" for note in found["notes"]),
        "",
        *table([row(choice, found["seeds"]) for choice in found["choices"]]),
        "",
        f"{measured(found)} by evaluations spent: median of the runs (middle half)",
        *table(rounds_side_by_side(found)),
        "",
        found["caveat"],
    ]
    fallbacks = {choice["choice"]: choice["fallbacks"] for choice in found["choices"] if choice["fallbacks"]}
    return lines + [f"{name}: {count} picks were fallbacks, a model having failed" for name, count in fallbacks.items()]


def sought(found: Mapping[str, Any]) -> str:
    """`95 % of the hypervolume of all records, 12.3 of 13`, `the best adhesion energy [mJ/m²], 240`."""
    from loop.wording import label

    if found["measure"] == "hypervolume":
        share = found["wanted"] / found["whole"]
        return f"{share:.0%} of the hypervolume of all records, {found['wanted']:.4g} of {found['whole']:.4g}"
    which = "best" if found["measure"] == "best" else "least distance to the target of"
    return f"the {which} {label(found['property'], found['unit'])}, {found['whole']:.4g}"


def measured(found: Mapping[str, Any]) -> str:
    from loop.wording import label

    return (
        found["measure"]
        if found["property"] is None
        else f"{found['measure']} {label(found['property'], found['unit'])}"
    )


def row(choice: Mapping[str, Any], runs: int) -> dict[str, str]:
    """How soon a choice had what is wanted, and against random picks."""
    until, beside = choice["until_wanted"], choice["against_random"]
    cells = {
        "choice": choice["choice"],
        "evaluations until wanted": spread(*(whole(until[name]) for name in ("median", "quarter", "three_quarters"))),
        "reached in": f"{choice['reached']} of {runs}",
    }
    return cells | {"against random": "" if beside is None else against(beside)}


def against(beside: Mapping[str, Any]) -> str:
    from loop.wording import plus_minus

    counts = f"sooner in {beside['sooner']}, later in {beside['later']}, same in {beside['same']}"
    if beside["saved"] is None:
        return counts
    return f"{counts}; saves {plus_minus(beside['saved'], beside['saved_se'])}"


def rounds_side_by_side(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row per round; a choice whose runs have all ended stays where it is."""
    longest = max((choice["rounds"] for choice in found["choices"]), key=len)
    rows = []
    for number, reached in enumerate(longest):
        cells = {"evaluations": str(reached["evaluations"])}
        for choice in found["choices"]:
            now = choice["rounds"][min(number, len(choice["rounds"]) - 1)]
            cells[choice["choice"]] = spread(*(number4(now[name]) for name in ("median", "quarter", "three_quarters")))
        rows.append(cells)
    return rows


def spread(median: str, quarter: str, three_quarters: str) -> str:
    return f"{median} ({quarter} to {three_quarters})"


def whole(evaluations: int | None) -> str:
    return "never" if evaluations is None else str(evaluations)


def number4(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
