"""What the surrogates expect of any design whatever, in closed form: what a direct search of the space climbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from acquisition.goals import least_utility, reference_point
from acquisition.surrogate import Surrogate, utility_moments

DIRECTIONS = 4
"""Compromises among several goals that are searched."""


class Promise:
    """log of the hypervolume that a design is expected to add beyond a corner of the observed front, times the
    probability that it keeps the outcome constraints.

    In direction w the corner c = r + w max_x min_i (u_i(x) - r_i) / w_i is where the line from the reference point r
    leaves what the posterior means u of the observed designs x dominate, and of independent goals the hypervolume
    beyond it is expected to be the product of their expected improvements over c_i. Of a single goal it is the expected
    improvement over the best posterior mean (Jones, Schonlau & Welch, J. Global Optim. 13 (1998) 455), by BoTorch's
    logarithm of it (Ament et al., NeurIPS 2023).
    """

    def __init__(self, surrogates: Sequence[Surrogate], observed: np.ndarray, seed: int) -> None:
        """`observed` holds the encoded designs (n, width) that there is an answer of."""
        self._goals = [s for s in surrogates if not s.objective.constrains]
        self._bounds = [s for s in surrogates if s.objective.constrains]
        self._corners = self._beyond(observed, directions(len(self._goals), seed))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(directions, n) of encoded designs (n, width)."""
        import torch
        from botorch.acquisition.analytic import _log_ei_helper

        mean, sd = stacked(self._goals, rows)
        gain = torch.as_tensor((mean - self._corners[:, None]) / sd)
        return np.asarray((_log_ei_helper(gain).numpy() + np.log(sd)).sum(-1) + self._log_allowed(rows))

    def _log_allowed(self, rows: np.ndarray) -> np.ndarray:
        """(n,) log of the probability that a design keeps the outcome constraints."""
        from scipy.special import log_ndtr

        total = np.zeros(len(rows))
        for s in self._bounds:
            mean, sd = standard_moments(s, rows)
            total = total + log_ndtr((mean - least_utility(s)) / sd)
        return total

    def _beyond(self, observed: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(directions, goals) the corners; only observed designs that keep the constraints have a front, if any do."""
        mean, _ = stacked(self._goals, observed)
        kept = np.all([standard_moments(s, observed)[0] >= least_utility(s) for s in self._bounds], axis=0)
        if self._bounds and kept.any():
            mean = mean[kept]
        if len(self._goals) == 1:
            return np.asarray(mean.max(0, keepdims=True))
        least = np.array(reference_point(self._goals))
        reached = ((mean - least) / weights[:, None]).min(-1).max(-1)
        return np.asarray(least + weights * np.maximum(reached, 0.0)[:, None])


def directions(goals: int, seed: int) -> np.ndarray:
    """(directions, goals) unit vectors, uniform on the positive part of the sphere; one of a single goal."""
    drawn = np.abs(np.random.default_rng(seed).normal(size=(DIRECTIONS if goals > 1 else 1, goals)))
    return np.asarray(np.maximum(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), 1e-3))


def stacked(surrogates: Sequence[Surrogate], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation), each (n, surrogates), of standardised utilities."""
    means, sds = zip(*[standard_moments(s, rows) for s in surrogates], strict=True)
    return np.stack(means, 1), np.stack(sds, 1)


def standard_moments(surrogate: Surrogate, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation), each (n,), of the standardised utility."""
    objective = surrogate.objective
    if objective.target is not None:
        objective = replace(objective, target=(objective.target - surrogate.centre) / surrogate.scale)
    mean, variance = surrogate.posterior(rows)
    mean, variance = utility_moments(objective, mean, np.sqrt(variance))
    return mean, np.sqrt(np.maximum(variance, 1e-12))
