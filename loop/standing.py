"""Where a campaign stands: which designs are best, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loop.pareto import dominators, hypervolume
from loop.types import Design, Estimate, Objective, Record, goals

AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """A design that has every objective.

    `estimates` maps objective property to estimate, `utilities` follows the order of the objectives without outcome
    constraints (more is better), `round` is the one that completed it, `missed` names the properties whose threshold it
    does not keep, and `allowed` says that it keeps those of the outcome constraints.
    """

    design: Design
    estimates: Mapping[str, Estimate]
    utilities: tuple[float, ...]
    round: int
    missed: tuple[str, ...] = ()
    allowed: bool = True


def standings(records: Sequence[Record], objectives: Sequence[Objective]) -> list[Standing]:
    """The designs that have every objective from the oracle it names, in the order their first record came.

    Synthetic records never count; of several records of one property the last does.
    """
    found: dict[Design, dict[str, Estimate]] = {}
    rounds: dict[Design, int] = {}
    for record in records:
        if record.kind == "synthetic":
            continue
        for objective in objectives:
            if record.oracle == objective.oracle and objective.property in record.estimates:
                found.setdefault(record.design, {})[objective.property] = record.estimates[objective.property]
                rounds[record.design] = max(record.round, rounds.get(record.design, record.round))
    return [
        Standing(
            design,
            {o.property: estimates[o.property] for o in objectives},
            tuple(o.utility(estimates[o.property].mean) for o in goals(objectives)),
            rounds[design],
            tuple(o.property for o in objectives if misses(estimates[o.property], o)),
            not any(misses(estimates[o.property], o) for o in objectives if o.constrains),
        )
        for design, estimates in found.items()
        if len(estimates) == len(objectives)
    ]


def misses(estimate: Estimate, objective: Objective) -> bool:
    """Whether the value is worse than the objective's threshold."""
    if objective.threshold is None:
        return False
    return objective.utility(estimate.mean) < objective.utility(objective.threshold)


def best(found: Sequence[Standing], at_least: int = AT_LEAST) -> list[Standing]:
    """All non-dominated designs, filled up to `at_least` with the next ones, best first.

    Designs that keep every threshold come before those that do not; among them those with fewer dominators, then those
    of better mean rank over the goals. A design that breaks an outcome constraint is dominated by all that do not (Deb
    et al., IEEE Trans. Evol. Comput. 6, 182 (2002)).
    """
    if not found:
        return []
    utilities = np.array([standing.utilities for standing in found])
    allowed = np.array([standing.allowed for standing in found])
    beaten_by = np.where(allowed, 0, allowed.sum())
    for group in (allowed, ~allowed):
        beaten_by[group] += dominators(utilities[group])
    mean_rank = (utilities[:, None, :] < utilities[None, :, :]).sum(1).mean(1)
    order = sorted(range(len(found)), key=lambda i: (bool(found[i].missed), beaten_by[i], mean_rank[i]))
    front = {i for i in order if beaten_by[i] == 0}
    filled = set(order[:at_least]) | front
    return [found[i] for i in order if i in filled]


def reference_point(found: Sequence[Standing], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The utilities from which hypervolume is counted: a goal's threshold, or else the worst value of the first
    round that has any, so that it stays where it is while the campaign grows."""
    first_round = min(standing.round for standing in found)
    first = [standing.utilities for standing in found if standing.round == first_round]
    return tuple(
        min(utilities[i] for utilities in first) if o.threshold is None else o.utility(o.threshold)
        for i, o in enumerate(goals(objectives))
    )


def covered(found: Sequence[Standing], objectives: Sequence[Objective]) -> float | None:
    """Hypervolume of the allowed designs above the reference point; None with a single goal or no complete design."""
    if len(goals(objectives)) < 2 or not found:
        return None
    return hypervolume([s.utilities for s in found if s.allowed], reference_point(found, objectives))


def progress(found: Sequence[Standing], objectives: Sequence[Objective]) -> list[tuple[int, float]]:
    """(round, best utility so far), or with several goals (round, hypervolume so far), for every round from the first
    to the last that completed an allowed design; empty where none did."""
    allowed = [standing for standing in found if standing.allowed]
    if not allowed:
        return []
    reference = reference_point(found, objectives)
    rounds = [standing.round for standing in allowed]
    steps = []
    for round in range(min(rounds), max(standing.round for standing in found) + 1):
        so_far = [standing.utilities for standing in allowed if standing.round <= round]
        value = max(so_far)[0] if len(reference) == 1 else hypervolume(so_far, reference)
        steps.append((round, value))
    return steps
