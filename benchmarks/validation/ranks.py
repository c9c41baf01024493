"""Do two ways of simulating surfaces rank them alike, and as well as either agrees with itself?

The replicas come from `benchmarks.validation.surfaces`. Agreement is Spearman's correlation between the means over
replicas, its interval a bootstrap over surfaces. What replicas of one way leave of it is its ceiling: the mean
correlation between single replicas, stepped up to as many as the mean has (Spearman 1910, Brown 1910: n r / (1 +
(n - 1) r)); between two ways it is the geometric mean of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.validation.surfaces import PROPERTIES, Replicas, designs, load

COMPARISONS = (("clayff smoke", "minff smoke"), ("clayff smoke", "clayff screen"), ("clayff screen", "clayff standard"))
LEAST = 8
"""Surfaces."""
RESAMPLES, SEED = 2000, 1
CERTAIN = 2.0
"""Standard errors by which two surfaces must differ, both ways, for their order to count as turned round."""
NAMED = 6
"""Pairs of surfaces that are named, those first whose order is surest."""
Values = Mapping[str, Sequence[float]]
"""Surface -> a property of each replica."""


def measure() -> dict[str, Any]:
    """Every comparison, of the replicas there are."""
    found = {name: load(name) for pair in COMPARISONS for name in pair}
    return {" against ".join(pair): compared(*(found[name] for name in pair)) for pair in COMPARISONS}


def compared(one: Replicas, other: Replicas) -> dict[str, Any] | None:
    """By property; None where too few surfaces have two replicas each in both ways."""
    rows = {}
    for name in PROPERTIES:
        both = [of_property(each, name) for each in (one, other)]
        common = [surface for surface in designs() if all(len(each.get(surface, ())) > 1 for each in both)]
        if len(common) < LEAST:
            return None
        rows[name] = compare(*({surface: each[surface] for surface in common} for each in both))
    return rows


def of_property(replicas: Replicas, name: str) -> dict[str, list[float]]:
    """Without the replicas that failed, in the order of their seeds."""
    return {
        surface: [values[name] for _, values in sorted(seeds.items()) if name in values]
        for surface, seeds in replicas.items()
    }


def compare(one: Values, other: Values) -> dict[str, Any]:
    """Agreement of two ways about the same surfaces, with its interval and ceilings, and the orders turned round."""
    low, high = interval(*(np.array([fmean(row) for row in each.values()]) for each in (one, other)))
    own = [ceiling(each) for each in (one, other)]
    return {
        "surfaces": len(one),
        "replicas": [min(map(len, each.values())) for each in (one, other)],
        "agreement": spearman([fmean(row) for row in one.values()], [fmean(row) for row in other.values()]),
        "low": low,
        "high": high,
        "own": own,
        "ceiling": math.sqrt(own[0] * own[1]),
        "turned": turned(one, other),
    }


def spearman(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> float:
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def interval(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the agreement over surfaces drawn with replacement."""
    from scipy.stats import rankdata

    drawn = np.random.default_rng(SEED).integers(len(x), size=(RESAMPLES, len(x)))
    a, b = (rankdata(values[drawn], axis=1) - (len(x) + 1) / 2 for values in (x, y))
    with np.errstate(invalid="ignore"):  # one surface drawn every time has no order
        found = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def ceiling(values: Values) -> float:
    """Agreement to expect of two independent means over as many replicas as there are; 0 where replicas disagree."""
    n = min(map(len, values.values()))
    columns = np.array([row[:n] for row in values.values()]).T
    single = fmean(spearman(a, b) for a, b in combinations(columns, 2))
    return max(0.0, n * single / (1 + (n - 1) * single))


def turned(one: Values, other: Values) -> list[tuple[str, str, float]]:
    """(higher the first way, higher the second way, certainty) of pairs of surfaces that both ways order, each by more
    than CERTAIN standard errors, but not alike; the surest first. Errors are those of the pooled scatter."""
    found = []
    errors, means = [], []
    for each in (one, other):
        sd = math.sqrt(pooled(each))
        errors.append([sd / math.sqrt(len(row)) for row in each.values()])
        means.append([fmean(row) for row in each.values()])
    names = list(one)
    for i, j in combinations(range(len(names)), 2):
        a, b = ((m[i] - m[j]) / math.hypot(e[i], e[j]) for m, e in zip(means, errors, strict=True))
        if a * b < 0 and min(abs(a), abs(b)) > CERTAIN:
            higher, lower = (i, j) if a > 0 else (j, i)
            found.append((names[higher], names[lower], round(min(abs(a), abs(b)), 1)))
    return sorted(found, key=lambda row: -row[2])


def pooled(values: Values) -> float:
    """Variance of one replica."""
    degrees = sum(len(row) - 1 for row in values.values())
    return float(sum(np.var(row) * len(row) for row in values.values()) / degrees)


def text(found: Mapping[str, Any]) -> str:
    lines = [
        "## Rankings: oxide models and fidelities\n",
        "The surfaces of `benchmarks/polarisation.py` under PVDF (Sage), ranked by means over replicas: Spearman's",
        "correlation with its 95 % interval over surfaces. Beside it what each way would agree with a second set of",
        "its own replicas (the correlation of single ones, stepped up to their number), and what that leaves for the",
        "two at most.\n",
    ]
    done = {pair: rows for pair, rows in found.items() if rows}
    for pair, rows in done.items():
        one, other = pair.split(" against ")
        first = next(iter(rows.values()))
        lines += [
            f"### {pair}\n",
            f"{first['surfaces']} surfaces, {' and '.join(map(str, first['replicas']))} replicas of each or more.\n",
            f"| property | agreement | {one} with itself | {other} with itself | ceiling |",
            "|---|---|---|---|---|",
        ]
        for name, row in rows.items():
            own = " | ".join(f"{value:.2f}" for value in row["own"])
            lines.append(
                f"| `{name}` | {row['agreement']:.2f} ({row['low']:.2f} to {row['high']:.2f}) | {own} "
                f"| {row['ceiling']:.2f} |"
            )
        lines += ["", *(flips(name, row, one, other) for name, row in rows.items()), ""]
    lines += [f"{pair}: not run. {command(pair)}\n" for pair in found if pair not in done]
    return "\n".join(lines)


def flips(name: str, row: Mapping[str, Any], one: str, other: str) -> str:
    """The pairs of surfaces whose order turns round, in words."""
    pairs = row["surfaces"] * (row["surfaces"] - 1) // 2
    if not row["turned"]:
        return f"- `{name}`: no pair of surfaces turns round beyond {CERTAIN:g} standard errors."
    named = "; ".join(f"{high} over {low}" for high, low, _ in row["turned"][:NAMED])
    more = len(row["turned"]) - NAMED
    return (
        f"- `{name}`: {len(row['turned'])} of {pairs} pairs turn round beyond {CERTAIN:g} standard errors. "
        f"{one} has, and {other} has not: {named}{f'; and {more} more' if more > 0 else ''}."
    )


def command(pair: str) -> str:
    """How to run what a comparison lacks."""
    names = " ".join(f'"{name}"' for name in pair.split(" against "))
    return f"`python -m benchmarks.validation.surfaces {names}`, then `python -m benchmarks.validation ranks`."
