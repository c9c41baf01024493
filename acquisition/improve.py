"""The improving half of a batch: BoTorch's noisy log acquisitions over a pool of designs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.surrogate import Surrogate

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.finite import FinitePosterior

CHUNK = 32
"""Designs evaluated at once, so that their samples stay in the processor's cache."""


EXACT_OBJECTIVES = 2
"""Most objectives whose hypervolume is decomposed exactly; at 100 records three take six times as long as two."""


class Improvement:
    """log of the expected improvement over the baseline designs and the pending ones, whose noise is integrated out, in
    standardised utilities, on the joint posterior of a finite set of designs that are named by their positions in it.

    One objective: BoTorch's qLogNoisyExpectedImprovement (Ament et al., NeurIPS 2023). Two: improvement of the
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
        self._baseline = positions(baseline)
        self._sampler = SobolQMCNormalSampler(torch.Size([samples]), seed=seed)
        self._pending: list[int] = []
        self._acquisition = self._build()

    def wait_for(self, pending: Sequence[int]) -> None:
        """Count these designs as submitted."""
        if not pending:
            return
        self._pending.extend(pending)
        if len(self._surrogates) > EXACT_OBJECTIVES:
            self._acquisition = self._build()
        self._acquisition.set_X_pending(positions(self._pending))

    def _build(self) -> Any:
        if len(self._surrogates) == EXACT_OBJECTIVES:
            return hypervolume_improvement(self._surrogates, self._posterior, self._baseline, self._sampler)
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.acquisition.objective import GenericMCObjective

        direction = np.random.default_rng((self._seed, len(self._pending))).normal(size=len(self._surrogates))
        objective = GenericMCObjective(scalarisation(self._surrogates, np.abs(direction)))
        return qLogNoisyExpectedImprovement(self._posterior, self._baseline, self._sampler, objective)

    def __call__(self, n: int) -> np.ndarray:
        """(n,) log of the expected improvement that each of the first n designs alone adds; minus infinity for the
        pending ones. Raises FloatingPointError where one is not a number.
        """
        import torch

        with torch.no_grad():
            left = np.setdiff1d(np.arange(n), self._pending)
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


def scalarisation(surrogates: Sequence[Surrogate], direction: np.ndarray) -> Callable[..., Any]:
    """The function of samples (..., m) that is improved: the utility of a single objective, else the least distance
    from the reference point in units of the normalised direction."""
    import torch

    if len(surrogates) == 1:
        return lambda y, X=None: surrogates[0].utility(y[..., 0])
    corner = torch.tensor(reference_point(surrogates), dtype=torch.float64)
    weights = torch.as_tensor(direction / np.linalg.norm(direction)).clamp_min(1e-3)
    return lambda y, X=None: ((utilities(surrogates, y) - corner) / weights).amin(-1)


def hypervolume_improvement(
    surrogates: Sequence[Surrogate], posterior: FinitePosterior, baseline: Tensor, sampler: Any
) -> Any:
    """BoTorch's noisy log expected hypervolume improvement, without its optional compiled part."""
    from botorch.acquisition.multi_objective import logei
    from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective

    # BoTorch would compile C++ on first use where it finds a compiler: slow, with a lock that a killed run leaves
    # locked for ever, and other last digits than on a machine without one.
    logei._load_attempted = True
    return logei.qLogNoisyExpectedHypervolumeImprovement(
        posterior,
        reference_point(surrogates),
        baseline,
        sampler,
        GenericMCMultiOutputObjective(partial(utilities, surrogates)),
        prune_baseline=True,
    )


def utilities(surrogates: Sequence[Surrogate], y: Tensor, X: Tensor | None = None) -> Tensor:
    """Standardised properties (..., m) as standardised utilities."""
    import torch

    return torch.stack([s.utility(y[..., i]) for i, s in enumerate(surrogates)], dim=-1)


def reference_point(surrogates: Sequence[Surrogate]) -> list[float]:
    """The corner of the hypervolume in standardised utilities: each objective's threshold (worst acceptable value),
    else a tenth of the observed range below the worst value observed."""
    corner = []
    for surrogate in surrogates:
        threshold = surrogate.objective.threshold
        if threshold is not None:
            corner.append(float(surrogate.utility((threshold - surrogate.centre) / surrogate.scale)))
            continue
        observed = surrogate.observed_utility()
        span = float(observed.max() - observed.min())
        corner.append(float(observed.min()) - 0.1 * (span or 1.0))
    return corner
