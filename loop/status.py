"""Where a campaign stands, as plain JSON values: what `loop status --json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from loop.durable import age, read_json
from loop.export import given_error
from loop.health import findings
from loop.identity import alive
from loop.standing import Standing, best, covered, standings
from loop.store import Origin, Reader
from loop.store.lock import NAME, STALE
from loop.store.rows import TaskState

if TYPE_CHECKING:
    from loop.campaign import Campaign

State = Literal["new", "running", "interrupted", "waiting", "done", "failed"]
SCHEMA = 1
TASK_STATES: tuple[TaskState, ...] = ("done", "failed", "running", "queued", "waiting")
RECORD_KINDS = ("measurement", "simulation", "synthetic")
ENDED: Mapping[int, State] = {0: "done", 3: "failed", 4: "waiting"}


def snapshot(campaign: Campaign) -> dict[str, Any]:
    """The campaign as its last commit left it; it need not have been run yet.

    `ending` is why the last run ended, empty while one goes on; `round` the last one decided (0 before the first).
    `added_replicates` counts those asked for later: `amended` by the campaign file, `undecided` by `replicates_max`,
    `audit` by the audit. `best` is that of `loop.standing`, each entry with
    `design_id, round, design, properties: {name: {mean, se, unit}}` (`se` null: none was given). `hypervolume` is in
    the product of the objectives' units above `loop.standing.reference_point`; null with a single objective or no
    complete design. `ledger` has the counts of the last round that kept one (`loop.ledger.Ledger.counts`), or is null.
    `health` lists what is wrong, each with `check, round, message, cure` (`loop.health`).
    """
    nothing = {
        "schema": SCHEMA,
        "name": campaign.name,
        "state": "new",
        "ending": "",
        "round": 0,
        "tasks": dict.fromkeys(TASK_STATES, 0),
        "records": dict.fromkeys(RECORD_KINDS, 0),
        "added_replicates": dict.fromkeys(get_args(Origin), 0),
        "best": [],
        "hypervolume": None,
        "ledger": None,
        "health": [],
    }
    if not (campaign.run_folder / "campaign.db").exists():
        return nothing
    with Reader.open(campaign.run_folder) as reader:
        records, tasks = reader.records(), reader.counts()
        found = standings(records, campaign.objectives)
        ledgers = reader.ledgers()
        return nothing | {
            "state": state(campaign, reader),
            "ending": last_words(reader),
            "round": reader.current_round() or 0,
            "tasks": {name: tasks[name] for name in TASK_STATES},
            "records": {kind: sum(record.kind == kind for record in records) for kind in RECORD_KINDS},
            "added_replicates": added_replicates(reader),
            "best": [plain(standing) for standing in best(found)],
            "hypervolume": covered(found, campaign.objectives),
            "ledger": ledgers[-1].counts() if ledgers else None,
            "health": [asdict(finding) for finding in findings(campaign, reader)],
        }


def last_words(reader: Reader) -> str:
    """Why the last run ended, in its own words; empty while it has not."""
    runs = [event for event in reader.events() if event.kind in ("run_started", "run_ended")]
    return str(runs[-1].payload.get("reason", "")) if runs else ""


def added_replicates(reader: Reader) -> dict[str, int]:
    extensions = reader.extensions()
    return {origin: sum(len(e.tasks) for e in extensions if e.origin == origin) for origin in get_args(Origin)}


def plain(standing: Standing) -> dict[str, Any]:
    return {
        "design_id": standing.design.id,
        "round": standing.round,
        "design": dict(standing.design.values),
        "properties": {
            name: {"mean": estimate.mean, "se": given_error(estimate), "unit": estimate.unit}
            for name, estimate in standing.estimates.items()
        },
    }


def state(campaign: Campaign, reader: Reader) -> State:
    """What the campaign is doing, by the writer's lock, its log and its open tasks."""
    if held(campaign.run_folder):
        return "running"
    runs = [event for event in reader.events() if event.kind in ("run_started", "run_ended")]
    if not runs and reader.current_round() is None:
        return "new"
    if not runs or runs[-1].kind == "run_started":
        return "interrupted"
    ended = ENDED.get(runs[-1].payload["exit_code"], "interrupted")
    answered = ended == "waiting" and reader.counts()["waiting"] == 0
    return "interrupted" if answered else ended


def held(folder: Path) -> bool:
    """Whether a living process holds the writer's lock; one on another host lives while it gives signs of life."""
    holder = read_json(folder / NAME)
    if not isinstance(holder, dict):
        return False
    living = alive(holder)
    if living is not None:
        return living
    try:
        return age(folder / NAME) < STALE
    except FileNotFoundError:
        return False
