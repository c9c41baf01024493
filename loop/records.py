"""Replicates become a record: the mean, and an error bar that the replicas, not one run, must answer for.

Within-run standard errors of molecular dynamics are lower bounds: seed-to-seed scatter was measured at 1 to 40 times
them. The rule (own measurements on oxide-polymer films, 2 to 6 seeds per design) is therefore

    se^2 = max(sd^2, mean(se_run^2)) / n

with `sd` the replicas' standard deviation, shrunk towards that of the whole campaign because three replicas know
their own scatter poorly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from loop.types import TEACHING_CAUSES, Cause, Check, Estimate

PRIOR_DEGREES = 4.0
"""Weight of the pooled standard deviation, in degrees of freedom (the d0 of a scaled inverse chi-square prior, Smyth,
Stat. Appl. Genet. Mol. Biol. 2004, 3, 3, eq. 5): with three replicas the pool counts for two thirds."""

POOL_SIZE = 3
"""Evaluations of two or more replicates needed before a pooled standard deviation is used."""

DISAGREEMENT = 0.01
"""Probability, under pure replica noise, of the chi-square that flags a disagreement (9.2 for three replicas)."""

Replicates = Sequence[Mapping[str, Estimate]]


def combine(
    replicates: Replicates, pooled: Mapping[str, float | None], *, measured: bool = False
) -> dict[str, Estimate]:
    """One estimate per property over the replicates that report it: mean, and the standard error of the rule above.

    `pooled` maps property to the pooled standard deviation (`Pool.sd`) of the same oracle and fidelity. A lone
    replicate has no scatter: the pooled one stands in for it, except that a measurement (`measured`) keeps the error
    the person gave. `n_eff` is the sum, where all replicates know theirs. ValueError where units differ.
    """
    names = dict.fromkeys(name for replicate in replicates for name in replicate)
    return {
        name: _combined(name, [r[name] for r in replicates if name in r], pooled.get(name), measured) for name in names
    }


def _combined(name: str, estimates: Sequence[Estimate], pooled: float | None, measured: bool) -> Estimate:
    units = {e.unit for e in estimates}
    if len(units) > 1:
        raise ValueError(f"{name}: replicates in different units, {', '.join(sorted(units))}")
    n = len(estimates)
    first = estimates[0]
    if n == 1 and (pooled is None or (measured and first.se > 0)):
        return first
    within = fmean(e.se**2 for e in estimates)
    between, how = _scatter([e.mean for e in estimates], pooled)
    counts = [e.n_eff for e in estimates if e.n_eff is not None]
    return Estimate(
        mean=fmean(e.mean for e in estimates),
        se=math.sqrt(max(between, within) / n),
        unit=first.unit,
        n_eff=sum(counts) if len(counts) == n else None,
        method=f"{n} replicate{'s' * (n > 1)}, {how if between >= within else 'errors within runs'}",
    )


def _scatter(means: Sequence[float], pooled: float | None) -> tuple[float, str]:
    """The variance between replicas and the words for it."""
    degrees = len(means) - 1
    own = variance(means) if degrees else 0.0
    if pooled is None:
        return own, "scatter between replicates"
    shrunk = (PRIOR_DEGREES * pooled**2 + degrees * own) / (PRIOR_DEGREES + degrees)
    return shrunk, "scatter between replicates shrunk to the pooled one" if degrees else "pooled scatter"


@dataclass(frozen=True, slots=True)
class Pool:
    """Scatter of one property within evaluations of two or more replicates: the sum of squared deviations from each
    evaluation's mean, its degrees of freedom, and how many evaluations gave them."""

    squares: float = 0.0
    degrees: int = 0
    evaluations: int = 0

    @property
    def sd(self) -> float | None:
        """The pooled standard deviation, sqrt(squares / degrees); None for fewer than POOL_SIZE evaluations."""
        return math.sqrt(self.squares / self.degrees) if self.evaluations >= POOL_SIZE else None

    def add(self, means: Sequence[float], sign: int = 1) -> Pool:
        """This pool and one more evaluation (`sign` -1: less this one)."""
        degrees = len(means) - 1
        if degrees < 1:
            return self
        squares = max(self.squares + sign * variance(means) * degrees, 0.0)
        return Pool(squares, self.degrees + sign * degrees, self.evaluations + sign)


def pools(evaluations: Iterable[Replicates]) -> dict[str, Pool]:
    """The pool of each property over evaluations of one oracle and fidelity."""
    found: dict[str, Pool] = {}
    for replicates in evaluations:
        for name, means in _means(replicates).items():
            found[name] = found.get(name, Pool()).add(means)
    return found


def agreement(replicates: Replicates, pooled: Mapping[str, Pool]) -> list[Check]:
    """Per property, whether the replicas scatter as those of the other evaluations do: the sum of squared deviations
    from their mean over the others' pooled variance, against the chi-square limit of n - 1 degrees of freedom.

    `pooled` contains this evaluation; it is taken out, since among few an outlier hides in its own pool.
    """
    from scipy.special import chdtri

    checks = []
    for name, means in _means(replicates).items():
        sd = pooled[name].add(means, -1).sd
        if len(means) < 2 or not sd:
            continue
        chi2 = variance(means) * (len(means) - 1) / sd**2
        limit = float(chdtri(len(means) - 1, DISAGREEMENT))
        detail = "" if chi2 <= limit else f"the {len(means)} replicates differ more than others do: run more of them"
        checks.append(Check(f"replicates agree: {name}", chi2 <= limit, chi2, limit, "1", detail))
    return checks


def _means(replicates: Replicates) -> dict[str, list[float]]:
    names = dict.fromkeys(name for replicate in replicates for name in replicate)
    return {name: [r[name].mean for r in replicates if name in r] for name in names}


def complete(succeeded: int, planned: int, pending: int, *, measured: bool) -> bool:
    """Whether an evaluation is a record: a strict majority of its planned replicates answered and none is still out.

    A measurement is one as soon as any replicate has a value: a person may never come back with the others.
    """
    if measured:
        return succeeded > 0
    return pending == 0 and 2 * succeeded > planned


def blame(failures: Sequence[tuple[Cause, str]]) -> tuple[Cause, str]:
    """Cause and reason of an evaluation that gave no record: its first replicate that failed with a cause that says
    something about the design, else its first."""
    teaching = [f for f in failures if f[0] in TEACHING_CAUSES]
    return (teaching or list(failures))[0]
