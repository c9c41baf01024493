"""Joint draws of what a pool of designs may be worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acquisition.goals import bounds, chebyshev
from acquisition.surrogate import Surrogate

if TYPE_CHECKING:
    from acquisition.finite import FinitePosterior


class Draws:
    """Independent joint draws of the worth of a pool, the first n designs of `posterior`, of which `log_feasibility`
    (n,) is known."""

    def __init__(
        self, surrogates: Sequence[Surrogate], posterior: FinitePosterior, log_feasibility: np.ndarray, seed: int
    ) -> None:
        from linear_operator.utils.cholesky import psd_safe_cholesky

        self._surrogates, self._seed, n = surrogates, seed, len(log_feasibility)
        self._mean = posterior.mean[:, :n]
        self._factor = psd_safe_cholesky(posterior.covariance[:, :n, :n])
        self._log_feasibility = log_feasibility
        severally = sum(not s.objective.constrains for s in self._surrogates) > 1
        self._bounds = bounds(self._surrogates, of_goals=severally) or []

    def __call__(self, number: int) -> np.ndarray:
        """(n,) scalarised utilities in draw `number`; of designs that fail or miss a threshold in it, less than of any
        other."""
        import torch

        rng = np.random.default_rng((self._seed, number))
        normal = torch.as_tensor(rng.standard_normal(self._mean.shape)).unsqueeze(-1)
        y = (self._mean + (self._factor @ normal)[..., 0]).mT
        worth = chebyshev(self._surrogates, (self._seed, number))(y).numpy()
        missed = np.maximum(np.log(rng.uniform()) - self._log_feasibility, 0.0)
        for miss in self._bounds:
            missed = missed + np.maximum(miss(y).numpy(), 0.0)
        return np.where(missed > 0, worth.min() - missed, worth)
