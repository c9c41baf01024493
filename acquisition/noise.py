"""Standard errors as the surrogate should believe them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from loop.types import Estimate, Record

DEFAULT_DOF = 5.0
"""Degrees of freedom of a standard error of unknown origin: that of about six blocks or repeats."""


def variances(records: Sequence[Record], estimates: Sequence[Estimate]) -> np.ndarray:
    """(n,) squared standard errors, shrunk towards their common level.

    The error of two or three replicas is itself uncertain by half of its value, and a lucky small one would pull the
    surrogate through its point. Each variance is therefore replaced by its posterior mean under a scaled inverse
    chi-square prior whose two parameters are estimated from all of them (Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004)
    3, section 3 and 6.2). A zero or unknown error beside positive ones gets the common level; where no error is
    positive, as for exact tables, all are zero.
    """
    squared = np.array([estimate.se**2 for estimate in estimates], dtype=float)
    stated = np.isfinite(squared) & (squared > 0)
    if not stated.any():
        return np.zeros(len(squared))
    dof = np.array([degrees_of_freedom(r, e) for r, e in zip(records, estimates, strict=True)])
    prior_dof, level = common_level(squared[stated], dof[stated])
    result = np.full(len(squared), level)
    if math.isinf(prior_dof):
        return result
    result[stated] = (prior_dof * level + dof[stated] * squared[stated]) / (prior_dof + dof[stated])
    return result


def degrees_of_freedom(record: Record, estimate: Estimate) -> float:
    """How well the standard error is known: by its replicates, else by its effective samples."""
    if record.replicates > 1:
        return record.replicates - 1.0
    if estimate.n_eff is not None and math.isfinite(estimate.n_eff):
        return min(max(estimate.n_eff - 1.0, 1.0), DEFAULT_DOF)
    return DEFAULT_DOF


def common_level(squared: np.ndarray, dof: np.ndarray) -> tuple[float, float]:
    """(degrees of freedom, variance) of the prior, by the moments of the log variances (Smyth 2004, section 6.2).

    The degrees of freedom are infinite where the variances scatter no more than their own uncertainty explains.
    """
    from scipy.special import digamma, polygamma

    logs = np.log(squared) - digamma(dof / 2) + np.log(dof / 2)
    centre = float(logs.mean())
    excess = float(logs.var(ddof=1) - polygamma(1, dof / 2).mean()) if len(logs) > 1 else 0.0
    if excess <= 0:
        return math.inf, math.exp(centre)
    prior_dof = 2 * inverse_trigamma(excess)
    return prior_dof, math.exp(centre + float(digamma(prior_dof / 2)) - math.log(prior_dof / 2))


def inverse_trigamma(value: float) -> float:
    """x with trigamma(x) = value > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    x = 0.5 + 1 / value
    for _ in range(50):
        here = float(polygamma(1, x))
        step = here * (1 - here / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-10 * x:
            break
    return x
