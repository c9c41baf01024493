"""Thompson sampling: each pick is the best design of one draw of everything that is not known."""

from __future__ import annotations

import numpy as np

from acquisition.batch import Batch, Stage
from acquisition.bayes import Bayes
from acquisition.goals import bounds, chebyshev


class Thompson(Bayes):
    """Any number of goals (Thompson, Biometrika 25, 285 (1933)).

    For every pick the properties of the whole pool are drawn from their joint posterior, with several goals also the
    weights of an augmented Chebyshev scalarisation (Paria, Kandasamy & Poczos, UAI 2019), and which designs would fail:
    those whose probability of feasibility is below one uniform number. A design that fails, or misses a threshold, is
    picked only where all do, the nearest miss first (Eriksson & Poloczek, AISTATS 2021). Draws explore by themselves,
    so that no pick learns unless `split` says so.
    """

    kind = "thompson"
    objectives_allowed = range(1, 1000)
    leans = False

    def __init__(self, split: float = 0.0, rows: bool = False, robust: bool = False) -> None:
        super().__init__(split, rows=rows, robust=robust)

    def _improve(self, stage: Stage, batch: Batch, q: int) -> None:
        draws = Draws(stage, batch.log_feasibility)
        for number in range(q):
            batch.take("improve", draws(number), weighed=False)


class Draws:
    """Independent joint draws of a pool's worth."""

    def __init__(self, stage: Stage, log_feasibility: np.ndarray) -> None:
        from linear_operator.utils.cholesky import psd_safe_cholesky

        self._surrogates, self._seed, n = stage.surrogates, stage.seed, stage.pool
        self._mean = stage.posterior.mean[:, :n]
        self._factor = psd_safe_cholesky(stage.posterior.covariance[:, :n, :n])
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
