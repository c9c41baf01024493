"""More replicates of what is known: those the campaign file has come to ask for, and those whose error bars decide
which designs lead. Pure functions of the campaign and its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loop.engine.labelling import Labelling
from loop.seeds import derive
from loop.standing import Standing, standings
from loop.store import SYNTHETIC, Reader, task_id
from loop.types import Objective, Pick, Task

if TYPE_CHECKING:
    from loop.campaign import Campaign, OracleSpec

CLOSE = 2.0
"""Combined standard errors within which a ranking counts as undecided: beyond it, errors being normal, fewer than one
pair of equal designs in twenty would seem so different."""


NO_SOURCE = Labelling(0, True)
"""What is asked of an oracle that is no cheap source: the picks."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An evaluation of `design_id` by `oracle` whose error bar leaves open whether a design leads; `distance` is how
    many standard errors the nearest turn of the ranking lies away."""

    distance: float
    design_id: str
    oracle: str

    @property
    def evaluation(self) -> tuple[str, str]:
        return self.design_id, self.oracle


def make_task(campaign: Campaign, design_id: str, spec: OracleSpec, replicate: int) -> Task:
    """A replicate of a design under an oracle, with its own seed."""
    key = (design_id, spec.name, spec.fidelity, replicate)
    return Task(task_id(*key), *key, derive(campaign.seed, "task", *key))


def new_tasks(campaign: Campaign, reader: Reader, picks: Sequence[Pick], labels: Mapping[str, Labelling]) -> list[Task]:
    """The tasks of a decision: every oracle answers its picks, but synthetic designs only the cheap sources, and these
    what `labels` asks of each; what was asked before is not asked again."""
    known = asked(reader)
    drawn = [pick.proposal.design.id for pick in picks if pick.role == SYNTHETIC]
    tasks = []
    for pick in picks:
        design_id = pick.proposal.design.id
        for spec in campaign.oracles.values():
            asked_of = labels.get(spec.name, NO_SOURCE)
            if design_id not in drawn[: asked_of.generated] if pick.role == SYNTHETIC else not asked_of.picks:
                continue
            before = known.get((design_id, spec.name, spec.fidelity), ())
            tasks += [make_task(campaign, design_id, spec, n) for n in range(spec.replicates) if n not in before]
    return tasks


def missing(campaign: Campaign, reader: Reader) -> list[Task]:
    """The replicates by which evaluations decided so far fall short of the campaign file's `replicates`.

    What has failed is not tried again, and an oracle or a fidelity that a design was never asked stays so.
    """
    decided = {row.pick.proposal.design.id for row in reader.proposals()}
    failed = {(failure.design.id, failure.oracle, failure.fidelity) for failure in reader.failures()}
    return [
        make_task(campaign, design_id, spec, replicate)
        for (design_id, name, fidelity), known in asked(reader).items()
        if design_id in decided and (design_id, name, fidelity) not in failed
        if (spec := campaign.oracles.get(name)) is not None and spec.fidelity == fidelity
        for replicate in range(spec.replicates)
        if replicate not in known
    ]


def undecided(campaign: Campaign, reader: Reader) -> list[tuple[Doubt, Task]]:
    """One more replicate for each evaluation that leaves the ranking open, as `most_urgent` has them: at most `batch`,
    and never beyond an oracle's `replicates_max`. Nothing where the last round was extended already."""
    limits = {name: s.replicates_max for name, s in campaign.oracles.items() if s.replicates_max is not None}
    if not limits or any(e.origin == "undecided" and e.round == reader.current_round() for e in reader.extensions()):
        return []
    current = {name: spec.fidelity for name, spec in campaign.oracles.items()}
    known = {
        (design_id, oracle): max(replicates) + 1
        for (design_id, oracle, fidelity), replicates in asked(reader).items()
        if current.get(oracle) == fidelity
    }
    found = doubts(standings(reader.records(), campaign.objectives), campaign.objectives)
    return [
        (d, make_task(campaign, d.design_id, campaign.oracles[d.oracle], known[d.evaluation]))
        for d in most_urgent(found, known, limits, campaign.batch)
    ]


def most_urgent(
    found: Sequence[Doubt], known: Mapping[tuple[str, str], int], limits: Mapping[str, int], count: int
) -> list[Doubt]:
    """The `count` doubts with the fewest replicates, which one more helps most, and among them the closest.

    `known` maps (design, oracle) to its number of replicates, `limits` oracle to the most there may be.
    """
    open_ = [d for d in found if d.evaluation in known and known[d.evaluation] < limits.get(d.oracle, 0)]
    return sorted(open_, key=lambda d: known[d.evaluation])[:count]


def asked(reader: Reader) -> dict[tuple[str, str, str], list[int]]:
    """(design, oracle, fidelity) -> the numbers of its replicates, whatever became of them, in canonical order."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in reader.tasks():
        task = row.task
        found.setdefault((task.design_id, task.oracle, task.fidelity), []).append(task.replicate)
    return found


def doubts(found: Sequence[Standing], objectives: Sequence[Objective]) -> list[Doubt]:
    """Which error bars decide who leads, the closest case first, then in the order of `found`.

    A design leads if it keeps every threshold and no design that keeps them beats it in every goal (with one goal: it
    is the best). All margins are in combined standard errors. A design keeps its thresholds by its
    smallest margin, and beats another by its smallest lead over the objectives; it leads by the smaller of its own
    margin and what it holds against its strongest rival. Where that is within +-CLOSE the doubt falls on what made it
    so small: the design's own threshold, its rival's, or both sides of the closest objective. A value without an error
    has no doubt about it.
    """
    if not found:
        return []
    utilities, errors = _utilities(found, objectives), _errors(found)
    limits = [-np.inf if o.threshold is None else o.utility(o.threshold) for o in objectives]
    keeps, tight = _least(_margins(utilities - limits, errors))
    ahead = _ahead(utilities, errors)
    ahead[..., [o.constrains for o in objectives]] = np.inf
    beats, close = _least(ahead)
    held = np.minimum(beats, keeps[:, None])
    rivals = held.argmax(0)
    nearest: dict[tuple[int, int], float] = {}
    for i, j in enumerate(rivals):
        distance = abs(min(keeps[i], -held[j, i]))
        if distance > CLOSE:
            continue
        if keeps[i] <= -held[j, i]:
            sides = [(i, tight[i])]
        elif keeps[j] < beats[j, i]:
            sides = [(j, tight[j])]
        else:
            sides = [(i, close[j, i]), (j, close[j, i])]
        for side in sides:
            if errors[side] > 0:
                nearest[side] = min(distance, nearest.get(side, distance))
    return _by_evaluation(nearest, found, objectives)


def _by_evaluation(
    nearest: Mapping[tuple[int, int], float], found: Sequence[Standing], objectives: Sequence[Objective]
) -> list[Doubt]:
    """One doubt per evaluation, which may answer several objectives; the closest first."""
    first: dict[tuple[str, str], Doubt] = {}
    for distance, i, k in sorted((distance, i, k) for (i, k), distance in nearest.items()):
        key = found[i].design.id, objectives[k].oracle
        first.setdefault(key, Doubt(float(distance), *key))
    return list(first.values())


def _ahead(utilities: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(n, n, m) by how much each design (first axis) is ahead of each other; -inf of itself."""
    margins = _margins(utilities[:, None] - utilities[None], np.hypot(errors[:, None], errors[None]))
    margins[np.arange(len(utilities)), np.arange(len(utilities))] = -np.inf
    return margins


def _utilities(found: Iterable[Standing], objectives: Sequence[Objective]) -> np.ndarray:
    """(n, m), outcome constraints included."""
    return np.array([[o.utility(standing.estimates[o.property].mean) for o in objectives] for standing in found])


def _errors(found: Iterable[Standing]) -> np.ndarray:
    """(n, m) standard errors; one that was not given (NaN) counts as none."""
    given = [[e.se for e in standing.estimates.values()] for standing in found]
    return np.asarray(np.nan_to_num(given))


def _margins(difference: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Differences in standard errors. Without an error all is decided, and a tie is no worse."""
    exact = np.where(difference >= 0, np.inf, -np.inf)
    return np.asarray(np.divide(difference, error, out=exact, where=error > 0))


def _least(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest margin over the objectives (last axis), and whose it is."""
    return margins.min(-1), margins.argmin(-1)
