"""Everything the report shows, gathered from the campaign and its store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from loop import __version__, wording
from loop.export import given_error
from loop.health import findings
from loop.noise import noise
from loop.pareto import dominators
from loop.report import audit, audit_figures, evidence, figures, profiles
from loop.report.lineage import lineages
from loop.standing import Standing, best, covered, progress, standings
from loop.status import RECORD_KINDS, last_words, state
from loop.store import Reader
from loop.types import Failure, Record, goals

if TYPE_CHECKING:
    from loop.campaign import Campaign
    from loop.ledger import Ledger

STATES = {
    "new": "not started",
    "running": "running",
    "interrupted": "interrupted; the same command goes on",
    "waiting": "waiting for measurements",
    "done": "done",
    "failed": "stopped, too much failed",
}


def gather(campaign: Campaign, reader: Reader) -> dict[str, Any]:
    """The template's variables."""
    records, failures = reader.records(), reader.failures()
    found = standings(records, campaign.objectives)
    leaders = best(found)
    noises = [noise(records, objective) for objective in campaign.objectives]
    rounds = evidence.rounds(reader)
    steps = progress(found, campaign.objectives)
    left, unreadable = profiles.gather(reader, leaders)
    ledgers = reader.ledgers()
    now = state(campaign, reader)
    return {
        "campaign": campaign,
        "version": __version__,
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "state": now,
        "state_words": STATES[now],
        "ending": last_words(reader),
        "cards": cards(campaign, reader, records, failures, found),
        "summary": summary(campaign, leaders),
        "noises": noises,
        "health": findings(campaign, reader),
        "leaders": leaders,
        "table": [leader_row(campaign, records, standing) for standing in leaders],
        "figures": plots(campaign, found, leaders, steps)
        | {"profiles": [figures.profiles(campaign, each) for each in left], "audit": audit_figures.plots(ledgers)},
        "audit": audited(campaign, reader, ledgers),
        "unreadable": unreadable,
        "hypervolume": covered(found, campaign.objectives),
        "hypervolume_unit": " · ".join(filter(None, (wording.shown(o.unit) for o in campaign.objectives))),
        "rounds": rounds,
        "causes": evidence.causes(failures),
        "lone_failures": evidence.lone_failures(reader, failures),
        "checks": evidence.check_counts(reader),
        "lineages": lineages(reader, records, leaders, campaign.objectives),
        "wording": wording,
    }


def cards(
    campaign: Campaign,
    reader: Reader,
    records: Sequence[Record],
    failures: Sequence[Failure],
    found: Sequence[Standing],
) -> list[tuple[str, str, str]]:
    """(name, number, remark) of the headline."""
    ended = [record.oracle for record in records] + [failure.oracle for failure in failures]
    finished = sum(oracle in campaign.deciding for oracle in ended)
    budget = campaign.stop.evaluations
    open_tasks = sum(number for name, number in reader.counts().items() if name in ("queued", "running", "waiting"))
    kinds = {kind: sum(record.kind == kind for record in records) for kind in RECORD_KINDS}
    round = reader.current_round()
    return [
        ("evaluations", f"{finished}", f"of {budget} in the budget" if budget else "no limit on their number"),
        ("designs", f"{len(found)}", "with every objective known"),
        ("records", f"{len(records)}", wording.counted({k: n for k, n in kinds.items() if n}) or "none yet"),
        ("failed", f"{len(failures)}", "evaluations without a record"),
        ("open", f"{open_tasks}", "tasks queued, running or waiting"),
        ("round", "none" if round is None else f"{round}", "the last one decided; 0 is the initial designs"),
    ]


def summary(campaign: Campaign, leaders: Sequence[Standing]) -> str:
    """The outcome in one sentence."""
    if not leaders:
        return "No design has all objectives yet."
    top = leaders[0]
    values = " and ".join(
        f"{wording.label(name)} {wording.estimate(value, given_error(value))}" for name, value in top.estimates.items()
    )
    kind = "Best design so far" if len(goals(campaign.objectives)) == 1 else "First of the best compromises"
    return f"{kind}: {wording.in_words(top.design, campaign.space.free) or top.design.id}, with {values}."


def audited(campaign: Campaign, reader: Reader, ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """What the section on real and synthetic data shows."""
    if not ledgers:
        return {"absence": audit.sentence(audit.NO_LEDGER, "")}
    spoken = audit.words_of(campaign, reader)
    return {
        "absence": "",
        "summary": audit.in_all(ledgers),
        "rounds": [(ledger.round, audit.sentences(ledger, spoken)) for ledger in ledgers],
        "doubted": audit.doubted(ledgers, spoken),
        "believed": audit.believed(ledgers),
        "drawn": audit.drawn(ledgers),
    }


def leader_row(campaign: Campaign, records: Sequence[Record], standing: Standing) -> dict[str, Any]:
    replicates = [r.replicates for r in records if r.design == standing.design and r.oracle in campaign.deciding]
    return {
        "id": standing.design.id,
        "values": wording.choices_made(standing.design, campaign.space.free),
        "estimates": [
            (wording.plus_minus(estimate.mean, given_error(estimate)), name in standing.missed)
            for name, estimate in standing.estimates.items()
        ],
        "round": standing.round,
        "replicates": sum(replicates),
    }


def plots(
    campaign: Campaign, found: Sequence[Standing], leaders: Sequence[Standing], steps: Sequence[tuple[int, float]]
) -> dict[str, list[figures.Figure]]:
    """Section -> its figures; a section without data has none."""
    if not found:
        return {"best": [], "compromises": [], "progress": []}
    pairs = list(combinations(campaign.objectives, 2))
    allowed = [standing for standing in leaders if standing.allowed] or leaders
    beaten_by = dominators([standing.utilities for standing in allowed])
    front = [standing for standing, count in zip(allowed, beaten_by, strict=True) if not count]
    return {
        "best": [figures.best_designs(campaign, leaders)],
        "compromises": [figures.compromises(campaign, found, front, pair) for pair in pairs]
        or [figures.by_evaluation(campaign, found, campaign.objectives[0])],
        "progress": [figures.progress(campaign.objectives, steps)],
    }
