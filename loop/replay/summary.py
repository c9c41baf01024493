"""What the runs of a replay say together: how soon each choice found what there was, beside random picks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loop.replay.answers import Answers
from loop.replay.play import Choice, Run, Step
from loop.types import Failure, goals

CAVEAT = (
    "Only designs that the campaign evaluated can be picked. A campaign that searched looked where it expected "
    "something: its replay favours what resembles its own choices. Differences are smaller than in searches of the "
    "whole space."
)
QUANTILES = {"median": 0.5, "quarter": 0.25, "three_quarters": 0.75}
COLUMNS: Mapping[str, type] = {
    "acquisition": str,
    "generator": str,
    "initial": int,
    "batch": int,
    "run": int,
    "round": int,
    "evaluations": int,
    "failures": int,
    "found": float,
}


def summary(answers: Answers, runs: Sequence[Run], control: Choice, evaluations: int) -> dict[str, Any]:
    """The replay as plain JSON values.

    Values are those of `shown`. `until_wanted` counts evaluations to the end of the round that had what is `wanted`;
    its quantiles are null where fewer runs got there.
    """
    runs_of: dict[str, list[Run]] = {}
    for run in runs:
        runs_of.setdefault(run.choice.name, []).append(run)
    campaign, several = answers.campaign, len(answers.reference) > 1
    goal = goals(campaign.objectives)[0]
    return {
        "schema": 1,
        "name": campaign.name,
        "designs": len(answers.of),
        "failed": sum(all(isinstance(one, Failure) for one in answer) for answer in answers.of.values()),
        "left_out": dict(answers.left_out),
        "initial": campaign.initial,
        "batch": campaign.designs_per_round,
        "evaluations": evaluations,
        "seeds": len(runs_of[control.name]),
        "measure": "hypervolume" if several else "distance to target" if goal.goal == "target" else "best",
        "property": None if several else goal.property,
        "unit": None if several else goal.unit,
        "whole": shown(answers, answers.whole),
        "wanted": shown(answers, answers.wanted),
        "campaign_until_wanted": answers.evaluations_of_campaign,
        "choices": [of_choice(answers, own, runs_of[control.name]) for own in runs_of.values()],
        "notes": list(answers.notes),
        "caveat": CAVEAT,
    }


def of_choice(answers: Answers, runs: Sequence[Run], control: Sequence[Run]) -> dict[str, Any]:
    """One choice: how soon it had what is wanted, the same against the control under the same seeds, and what it had
    found after each round."""
    needed, needed_by_control = ([until_wanted(answers, run) for run in own] for own in (runs, control))
    choice = runs[0].choice
    return {
        "choice": choice.name,
        "acquisition": choice.acquisition.kind,
        "generator": choice.generator.kind,
        "until_wanted": {name: finite(quantile(needed, q)) for name, q in QUANTILES.items()},
        "reached": sum(math.isfinite(n) for n in needed),
        "against_random": None if choice == control[0].choice else compared(needed, needed_by_control),
        "rounds": by_round(answers, runs),
        "fallbacks": sum(run.steps[-1].fallbacks for run in runs),
    }


def until_wanted(answers: Answers, run: Run) -> float:
    """Evaluations until what is wanted was found; infinite where it was not."""
    reached = (step.evaluations for step in run.steps if step.found is not None and step.found >= answers.wanted)
    return next(reached, math.inf)


def quantile(values: Sequence[float], q: float) -> float:
    """One of the values, so that runs that never got there count as late without being averaged."""
    return float(np.quantile(np.array(values, dtype=float), q, method="inverted_cdf"))


def compared(needed: Sequence[float], by_control: Sequence[float]) -> dict[str, Any]:
    """Paired by seed. `saved` is the mean number of evaluations saved and `saved_se` its standard error; null where a
    run of either never got there, or there is one seed only."""
    pairs = list(zip(needed, by_control, strict=True))
    saved = np.array([random - own for own, random in pairs if math.isfinite(own) and math.isfinite(random)])
    whole = len(saved) == len(pairs) and len(pairs) > 1
    return {
        "sooner": sum(own < random for own, random in pairs),
        "later": sum(own > random for own, random in pairs),
        "same": sum(own == random for own, random in pairs),
        "saved": float(saved.mean()) if whole else None,
        "saved_se": float(saved.std(ddof=1) / math.sqrt(len(saved))) if whole else None,
    }


def by_round(answers: Answers, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Quantiles, over the seeds that had found anything, after each round; a run that had found everything stays
    there."""
    longest = max(runs, key=lambda run: len(run.steps)).steps
    rows = []
    for number, reached in enumerate(longest):
        steps = [run.steps[min(number, len(run.steps) - 1)] for run in runs]
        values = [shown(answers, step.found) for step in steps if step.found is not None]
        spread = {name: float(np.quantile(values, q)) if values else None for name, q in QUANTILES.items()}
        rows.append({"round": number, "evaluations": reached.evaluations, **spread, "runs": len(values)})
    return rows


def shown(answers: Answers, utility: float) -> float:
    """A utility as people say it: the value in its unit, the distance to a target, or the hypervolume."""
    (goal, *others) = goals(answers.campaign.objectives)
    if others or goal.goal == "maximize":
        return utility
    return 0.0 - utility


def finite(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None


def csv_table(answers: Answers, runs: Sequence[Run]) -> tuple[Mapping[str, type], list[list[Any]]]:
    """Columns and rows, one per round of each run."""
    campaign = answers.campaign
    own = [campaign.initial, campaign.designs_per_round]
    return COLUMNS, [
        [run.choice.acquisition.kind, run.choice.generator.kind, *own, run.number, *cells(answers, step)]
        for run in runs
        for step in run.steps
    ]


def cells(answers: Answers, step: Step) -> list[Any]:
    found = None if step.found is None else shown(answers, step.found)
    return [step.round, step.evaluations, step.failures, found]
