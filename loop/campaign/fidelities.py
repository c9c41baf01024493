"""`fidelity` and `fidelities` of an oracle: the level that objectives count, and cheaper ones that inform the search.

Each cheaper fidelity becomes a cheap source of its own, `film.smoke` beside `film`, so that a name stands for values of
one scale wherever records are told apart by their oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from loop.campaign.model import AUTO, Campaign, OracleSpec
from loop.campaign.reader import Problems, Where
from loop.campaign.schema import OracleEntry
from loop.plugins import did_you_mean
from loop.types import Design


def choose_fidelity(where: Where, entry: OracleEntry, offered: Sequence[str], problems: Problems) -> str | None:
    """The fidelity that counts: the one asked for, the last of several, or the only one there is."""
    wanted = [entry.fidelity] if entry.fidelity is not None else list(entry.fidelities or [])
    key = "fidelity" if entry.fidelity is not None else "fidelities"
    if entry.fidelity is not None and entry.fidelities is not None:
        problems.add((*where, "fidelities"), "give fidelity or fidelities, not both", at_key=True)
    unknown = [level for level in dict.fromkeys(wanted) if level not in offered]
    for level in unknown:
        known = ", ".join(offered)
        problems.add((*where, key), f"{level!r} is not one of {known}{did_you_mean(level, offered)}")
    for level in (level for level, n in Counter(wanted).items() if n > 1):
        problems.add((*where, key), f"{level} is given twice")
    if len(wanted) > 1 and entry.labels is not None:
        fault = (
            "with several fidelities the cheaper ones label as many designs as pay; leave `labels` out, or write a "
            f"second entry with `fidelity: {wanted[0]}` and `labels: {entry.labels}`"
        )
        problems.add((*where, "labels"), fault)
    if not wanted and len(offered) > 1:
        problems.add(where, f"say which fidelity: {', '.join(offered)}", at_key=True)
    choice = wanted or offered
    return None if unknown or not choice else choice[-1]


def cheaper_sources(spec: OracleSpec, entry: OracleEntry) -> list[OracleSpec]:
    """A cheap source for every fidelity before the last: the same plug-in, one replicate, as many labels as pay."""
    return [
        replace(
            spec,
            name=f"{spec.name}.{level}",
            fidelity=level,
            replicates=1,
            replicates_max=None,
            record_kind="synthetic",
            labels=AUTO,
            cheaper_than=spec.name,
        )
        for level in (entry.fidelities or [])[:-1]
    ]


def judge_costs(campaign: Campaign, design: Design, problems: Problems) -> None:
    """Note the oracles whose fidelities do not rise in what they cost for a design."""
    costs: dict[str, dict[str, float]] = {}
    for spec in campaign.sources:
        if spec.cheaper_than is not None:
            costs.setdefault(spec.cheaper_than, {})[spec.fidelity] = float(spec.oracle.cost(design, spec.fidelity))
    for name, levels in costs.items():
        spec = campaign.oracles[name]
        levels[spec.fidelity] = float(spec.oracle.cost(design, spec.fidelity))
        if not all(low < high for low, high in pairwise(levels.values())):
            problems.add(("oracles", name, "fidelities"), unordered(levels))


def unordered(costs: Mapping[str, float]) -> str:
    """What is wrong with fidelities of these costs in seconds, and its cure."""
    told = ", ".join(f"{seconds:g} s at {level}" for level, seconds in costs.items())
    alike = len(set(costs.values())) < len(costs)
    ranked = ", ".join(sorted(costs, key=lambda level: costs[level]))
    cure = "leave out those that are no cheaper" if alike else f"write [{ranked}]"
    return f"should rise in cost, the last being the one that counts; a design takes {told}: {cure}"
