"""The improving half of a batch: BoTorch's noisy log acquisitions over a pool of designs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.goals import bounds, goal_surrogates, optimists, reference_point, utilities
from acquisition.surrogate import Surrogate

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.finite import FinitePosterior

CHUNK = 32
"""Designs evaluated at once, so that their samples stay in the processor's cache."""


EXACT_OBJECTIVES = 2
"""Most goals whose hypervolume is decomposed exactly; at 100 records three take six times as long as two."""

MOST_BASELINE = 100
"""Observed designs that may be the ones to beat. Those that fewest others surpass even with luck are kept; the rest
cost time and memory, and are hardly ever the best of a sample."""

SHORTLIST = 256
"""Designs judged again once one is picked: an improvement only shrinks by what else is submitted (but for the samples'
own scatter), so that the next pick is among the best of the first look."""

PRUNING_SAMPLES = 256
"""Samples that say which of them are ever on the front; BoTorch's 2048 take a third of a selection."""


class Improvement:
    """log of the expected improvement over the baseline designs and the pending ones, whose noise is integrated out, in
    standardised utilities, on the joint posterior of a finite set of designs that are named by their positions in it.
    Only designs that keep the outcome constraints improve anything, and only such are to be beaten.

    One goal: BoTorch's qLogNoisyExpectedImprovement (Ament et al., NeurIPS 2023). Two: improvement of the
    hypervolume, qLogNoisyExpectedHypervolumeImprovement (Daulton et al., NeurIPS 2021). More: the first one for
    s = min_i (u_i - r_i) / w_i with reference point r and, for every pick anew, w uniform on the positive unit sphere;
    averaged over w, the m-th power of the greatest s is proportional to the hypervolume (Golovin & Zhang, ICML 2020).
    """

    def __init__(
        self,
        surrogates: Sequence[Surrogate],
        posterior: FinitePosterior,
        baseline: Sequence[int],
        samples: int,
        seed: int,
    ) -> None:
        import torch
        from botorch.sampling.normal import SobolQMCNormalSampler

        self._surrogates, self._posterior, self._seed = surrogates, posterior, seed
        self._goals = len(goal_surrogates(surrogates))
        self._baseline = positions(leaders(surrogates, posterior, baseline))
        self._sampler = SobolQMCNormalSampler(torch.Size([samples]), seed=seed)
        self._pending: list[int] = []
        self._acquisition = self._build()

    def wait_for(self, pending: Sequence[int]) -> None:
        """Count these designs as submitted."""
        if not pending:
            return
        self._pending.extend(pending)
        if not self.same:
            self._acquisition = self._build()
        self._acquisition.set_X_pending(positions(self._pending))

    @property
    def same(self) -> bool:
        """Whether all picks improve one and the same thing, not a scalarisation that is drawn anew for each."""
        return self._goals == 1 or self._exact

    @property
    def _exact(self) -> bool:
        """Whether the hypervolume itself is improved."""
        return self._goals == EXACT_OBJECTIVES

    def _build(self) -> Any:
        if self._exact:
            return hypervolume_improvement(self._surrogates, self._posterior, self._baseline, self._sampler)
        return self._noisy_improvement(self._scalarisation(), of_goals=False)

    def _scalarisation(self) -> Callable[..., Any]:
        direction = np.random.default_rng((self._seed, len(self._pending))).normal(size=self._goals)
        return scalarisation(self._surrogates, np.abs(direction))

    def _noisy_improvement(self, scalar: Callable[..., Any], *, of_goals: bool) -> Any:
        """BoTorch's noisy log expected improvement of a function of the properties."""
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.acquisition.objective import GenericMCObjective

        return qLogNoisyExpectedImprovement(
            self._posterior,
            self._baseline,
            self._sampler,
            GenericMCObjective(scalar),
            constraints=bounds(self._surrogates, of_goals=of_goals),
        )

    def __call__(self, n: int, among: np.ndarray | None = None) -> np.ndarray:
        """(n,) log of the expected improvement that each of the first n designs alone adds; minus infinity for the
        pending ones, and for those that are not `among` the positions given. Raises FloatingPointError where one is not
        a number.
        """
        import torch

        with torch.no_grad():
            left = np.setdiff1d(np.arange(n) if among is None else among, self._pending)
            parts = torch.split(positions(left).unsqueeze(-2), CHUNK)
            values = np.full(n, -np.inf)
            values[left] = np.concatenate([self._acquisition(part).numpy() for part in parts])
        if np.isnan(values).any():
            raise FloatingPointError("the acquisition is not a number for some designs")
        return values


def positions(designs: Sequence[int] | np.ndarray) -> Tensor:
    """(n, 1) the positions as inputs of a FinitePosterior."""
    import torch

    return torch.as_tensor(np.asarray(designs), dtype=torch.float64).reshape(-1, 1)


def leaders(surrogates: Sequence[Surrogate], posterior: FinitePosterior, baseline: Sequence[int]) -> list[int]:
    """At most MOST_BASELINE of the baseline's positions, in their order."""
    if len(baseline) <= MOST_BASELINE:
        return list(baseline)
    at = np.asarray(baseline)
    mean, variance = (table[:, at].numpy().T for table in (posterior.mean, posterior.variance))
    rows = optimists(surrogates, mean, np.sqrt(variance))
    surpassed = (rows[:, None] < rows[None]).all(-1).sum(1)
    return sorted(int(i) for i in at[np.argsort(surpassed, kind="stable")[:MOST_BASELINE]])


def scalarisation(surrogates: Sequence[Surrogate], direction: np.ndarray) -> Callable[..., Any]:
    """The function of properties (..., m) that is improved: the utility of a single goal, else the least distance from
    the reference point in units of the normalised direction (g,)."""
    import torch

    if len(direction) == 1:
        return lambda y, X=None: utilities(surrogates, y)[..., 0]
    corner = torch.tensor(reference_point(surrogates), dtype=torch.float64)
    weights = torch.as_tensor(direction / np.linalg.norm(direction)).clamp_min(1e-3)
    return lambda y, X=None: ((utilities(surrogates, y) - corner) / weights).amin(-1)


def hypervolume_improvement(
    surrogates: Sequence[Surrogate], posterior: FinitePosterior, baseline: Tensor, sampler: Any
) -> Any:
    """BoTorch's noisy log expected hypervolume improvement, without its optional compiled part."""
    import torch
    from botorch.acquisition.multi_objective import logei
    from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
    from botorch.acquisition.multi_objective.utils import prune_inferior_points_multi_objective

    # BoTorch would compile C++ on first use where it finds a compiler: slow, with a lock that a killed run leaves
    # locked for ever, and other last digits than on a machine without one.
    logei._load_attempted = True
    corner = reference_point(surrogates)
    objective = GenericMCMultiOutputObjective(partial(utilities, surrogates))
    constraints = bounds(surrogates, of_goals=False)
    least = torch.tensor(corner, dtype=torch.float64)
    ever_best = prune_inferior_points_multi_objective(
        posterior, baseline, least, objective, constraints, num_samples=PRUNING_SAMPLES
    )
    return logei.qLogNoisyExpectedHypervolumeImprovement(
        posterior, corner, ever_best, sampler, objective, constraints=constraints, prune_baseline=False
    )
