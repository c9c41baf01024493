"""The improving half of a batch: BoTorch's noisy log acquisitions over a pool of designs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.surrogate import Surrogate

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.finite import FinitePosterior

CHUNK = 256
"""Designs evaluated at once; bounds the memory."""


class Improvement:
    """log expected improvement (one objective) or log expected hypervolume improvement (several), in standardised
    utilities, over the baseline designs and the pending ones, whose noise is integrated out.

    BoTorch's qLogNoisyExpectedImprovement and qLogNoisyExpectedHypervolumeImprovement (Ament et al., NeurIPS 2023;
    Daulton et al., NeurIPS 2021) on the joint posterior of a finite set of designs, named by their positions in it.
    """

    def __init__(
        self,
        surrogates: Sequence[Surrogate],
        posterior: FinitePosterior,
        baseline: Sequence[int],
        samples: int,
        seed: int,
    ) -> None:
        self._acquisition = acquisition_function(surrogates, posterior, positions(baseline), samples, seed)
        self._pending: list[int] = []

    def wait_for(self, pending: Sequence[int]) -> None:
        """Count these designs as submitted."""
        if pending:
            self._pending.extend(pending)
            self._acquisition.set_X_pending(positions(self._pending))

    def __call__(self, n: int) -> np.ndarray:
        """(n,) log of the expected improvement that each of the first n designs alone adds.

        Raises FloatingPointError where one is not a number.
        """
        import torch

        with torch.no_grad():
            parts = torch.split(positions(range(n)).unsqueeze(-2), CHUNK)
            values = np.concatenate([self._acquisition(part).numpy() for part in parts])
        if np.isnan(values).any():
            raise FloatingPointError("the acquisition is not a number for some designs")
        return values


def positions(designs: Sequence[int]) -> Tensor:
    """(n, 1) the positions as inputs of a FinitePosterior."""
    import torch

    return torch.tensor(designs, dtype=torch.float64).reshape(-1, 1)


def acquisition_function(
    surrogates: Sequence[Surrogate], posterior: FinitePosterior, baseline: Tensor, samples: int, seed: int
) -> Any:
    """The BoTorch acquisition function for one objective or several."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.acquisition.multi_objective import logei
    from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
    from botorch.acquisition.objective import GenericMCObjective
    from botorch.sampling.normal import SobolQMCNormalSampler

    sampler = SobolQMCNormalSampler(torch.Size([samples]), seed=seed)
    if len(surrogates) == 1:

        def utility(y: Tensor, X: Tensor | None = None) -> Any:
            return surrogates[0].utility(y[..., 0])

        return qLogNoisyExpectedImprovement(posterior, baseline, sampler, GenericMCObjective(utility))
    # BoTorch would compile C++ on first use where it finds a compiler: minutes, a lock that a killed run leaves
    # locked for ever, and other last digits than on a machine without one.
    logei._load_attempted = True

    def utilities(y: Tensor, X: Tensor | None = None) -> Tensor:
        return torch.stack([s.utility(y[..., i]) for i, s in enumerate(surrogates)], dim=-1)

    return logei.qLogNoisyExpectedHypervolumeImprovement(
        posterior,
        reference_point(surrogates),
        baseline,
        sampler,
        GenericMCMultiOutputObjective(utilities),
        prune_baseline=True,
    )


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
