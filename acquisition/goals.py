"""What samples of the properties are worth: utilities of the goals, and the thresholds that are to be kept.

Everything is standardised as the surrogates are; properties are the last axis of a sample, in the surrogates' order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acquisition.surrogate import Surrogate

if TYPE_CHECKING:
    from torch import Tensor


def goal_surrogates(surrogates: Sequence[Surrogate]) -> list[Surrogate]:
    """Those of goals, in their order; the rest are outcome constraints."""
    return [surrogate for surrogate in surrogates if not surrogate.objective.constrains]


def utilities(surrogates: Sequence[Surrogate], y: Tensor, X: Tensor | None = None) -> Tensor:
    """Properties (..., m) as utilities of the goals (..., g); `X` is there for BoTorch, which gives it."""
    import torch

    worth = [s.utility(y[..., i]) for i, s in enumerate(surrogates) if not s.objective.constrains]
    return torch.stack(worth, dim=-1)


def least_utility(surrogate: Surrogate) -> float:
    """The utility of the objective's threshold."""
    threshold = surrogate.objective.threshold
    assert threshold is not None
    return float(surrogate.utility((threshold - surrogate.centre) / surrogate.scale))


def bounds(surrogates: Sequence[Surrogate], *, of_goals: bool) -> list[Callable[[Tensor], Tensor]] | None:
    """One function of properties (..., m) for every outcome constraint, and with `of_goals` for every goal with a
    threshold: by how much it is missed (...), negative where it is kept. None without any, as BoTorch wants it."""

    def missed(i: int, surrogate: Surrogate) -> Callable[[Tensor], Tensor]:
        least = least_utility(surrogate)
        return lambda y: least - surrogate.utility(y[..., i])

    found = [
        missed(i, s)
        for i, s in enumerate(surrogates)
        if s.objective.constrains or (of_goals and s.objective.threshold is not None)
    ]
    return found or None


def reference_point(surrogates: Sequence[Surrogate]) -> list[float]:
    """The corner of the hypervolume in utilities of the goals: the threshold (worst acceptable value), else a tenth of
    the observed range below the worst value observed."""
    corner = []
    for surrogate in goal_surrogates(surrogates):
        if surrogate.objective.threshold is not None:
            corner.append(least_utility(surrogate))
            continue
        observed = surrogate.observed_utility()
        span = float(observed.max() - observed.min())
        corner.append(float(observed.min()) - 0.1 * (span or 1.0))
    return corner


def chebyshev(surrogates: Sequence[Surrogate], seed: Sequence[int]) -> Callable[..., Tensor]:
    """The function of properties (..., m) that is the augmented Chebyshev scalarisation of the goals (Knowles, IEEE
    Trans. Evol. Comput. 10, 50 (2006)), scaled by the observed ranges, with weights drawn uniformly from the simplex;
    of a single goal, its utility."""
    import torch
    from botorch.utils.multi_objective.scalarization import get_chebyshev_scalarization

    wanted = goal_surrogates(surrogates)
    if len(wanted) == 1:
        return lambda y, X=None: utilities(surrogates, y)[..., 0]
    observed = [s.observed_utility() for s in wanted]
    ends = [(float(u.min()), float(u.max()) if np.ptp(u) > 0 else float(u.min()) + 1.0) for u in observed]
    weights = torch.as_tensor(np.random.default_rng(seed).dirichlet(np.ones(len(wanted))))
    scalar = get_chebyshev_scalarization(weights, torch.tensor(ends, dtype=torch.float64).T)
    return lambda y, X=None: scalar(utilities(surrogates, y), X)


def optimists(surrogates: Sequence[Surrogate], mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """(n, k) what designs of properties mean +- sd, each (n, m), reach if all turns out one sd better than expected: a
    column for each goal, and for each outcome constraint what is missing to it (0 where nothing is)."""
    columns = []
    for i, s in enumerate(surrogates):
        best = s.utility(mean[:, i]) + sd[:, i]
        columns.append(np.minimum(best - least_utility(s), 0.0) if s.objective.constrains else best)
    return np.stack(columns, 1)
