"""When a campaign is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from loop.standing import progress, standings
from loop.store import Event, Reader

if TYPE_CHECKING:
    from loop.campaign import Campaign


def designs_left(campaign: Campaign, decided: int) -> int | None:
    """How many more designs may be decided after `decided`; None without a limit on evaluations or rounds."""
    most = campaign.most_designs
    return None if most is None else max(0, most - decided)


def reason_to_stop(campaign: Campaign, reader: Reader) -> str | None:
    """The stop criterion that has been reached, in words; None to go on."""
    stop = campaign.stop
    round = reader.current_round()
    if round is None:
        return None
    if stop.rounds is not None and round >= stop.rounds:
        return f"{stop.rounds} rounds after the initial designs"
    if designs_left(campaign, len(reader.proposals())) == 0:
        return f"{stop.evaluations} evaluations"
    if out_of_time(campaign, reader):
        return f"{stop.hours:g} hours at work"
    return progress_reason(campaign, reader, round)


def out_of_time(campaign: Campaign, reader: Reader) -> bool:
    """Whether the campaign has been at work as long as it may."""
    hours = campaign.stop.hours
    return hours is not None and hours_at_work(reader.events()) >= hours


def progress_reason(campaign: Campaign, reader: Reader, round: int) -> str | None:
    """The criteria that look at the results: a hypervolume reached, or rounds up to `round` without progress."""
    stop = campaign.stop
    if stop.hypervolume is None and stop.stalled_rounds is None:
        return None
    steps = progress(standings(reader.records(), campaign.objectives), campaign.objectives)
    if not steps:
        return None
    _, value = steps[-1]
    if stop.hypervolume is not None and value >= stop.hypervolume:
        return f"hypervolume {value:.4g} reached {stop.hypervolume:g}"
    reached = next(number for number, so_far in steps if so_far >= value)
    if stop.stalled_rounds is not None and round - reached >= stop.stalled_rounds:
        return f"no progress in {round - reached} rounds"
    return None


def hours_at_work(events: Sequence[Event]) -> float:
    """Time between the first and last event of every `loop run`, summed; idle time between runs does not count."""
    total, began, last = 0.0, None, None
    for event in events:
        at = datetime.fromisoformat(event.at)
        if event.kind == "run_started":
            total += (last - began).total_seconds() if began and last else 0.0
            began = at
        last = at
    total += (last - began).total_seconds() if began and last else 0.0
    return total / 3600


def failed_share(reader: Reader, oracles: Sequence[str]) -> tuple[float, int]:
    """Share of finished evaluations of these oracles that failed, and how many have finished."""
    failed = sum(failure.oracle in oracles for failure in reader.failures())
    finished = failed + sum(record.oracle in oracles for record in reader.records())
    return (failed / finished if finished else 0.0), finished
