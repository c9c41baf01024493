"""The joint posterior of a finite set of designs as a BoTorch model. Imported only by functions that need torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from botorch.models.gpytorch import GPyTorchModel
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.distributions import MultitaskMultivariateNormal, MultivariateNormal
from linear_operator.operators import BlockDiagLinearOperator, to_linear_operator
from torch import Tensor

NUGGET = 1e-6
"""Standardised variance that keeps the covariance of well-known designs positive definite in floating point."""


class FinitePosterior(GPyTorchModel):
    """A model whose inputs are positions in a list of n designs, with m independent outputs.

    The pool is finite, so the covariance of all its members is worked out once and looked up from then on; BoTorch on
    the surrogates themselves would work out every block again for every candidate and pick (measured: four times the
    time at 100 records).
    """

    def __init__(self, means: Sequence[Tensor], covariances: Sequence[Tensor]) -> None:
        """`means` holds one (n,) and `covariances` one (n, n) per output."""
        super().__init__()
        self.mean = torch.stack(tuple(means))
        self.covariance = torch.stack(tuple(covariances)) + NUGGET * torch.eye(self.mean.shape[1])

    @property
    def variance(self) -> Tensor:
        """(m, n)."""
        return self.covariance.diagonal(dim1=-2, dim2=-1)

    @property
    def num_outputs(self) -> int:
        return len(self.mean)

    @property
    def batch_shape(self) -> torch.Size:
        return torch.Size()

    def posterior(self, X: Tensor, *_: Any, posterior_transform: Any = None, **__: Any) -> GPyTorchPosterior:
        """The posterior at positions X (..., q, 1).

        Others than those given are cut to one of them: where no design keeps a constraint, BoTorch tries random points
        in and around the box of its inputs for a lower bound of the objective.
        """
        at = X[..., 0].long().clamp(0, self.mean.shape[1] - 1)
        mean = self.mean[:, at].movedim(0, -1)
        covariance = self.covariance[:, at.unsqueeze(-1), at.unsqueeze(-2)].movedim(0, -3)
        if self.num_outputs == 1:
            distribution = MultivariateNormal(mean[..., 0], to_linear_operator(covariance[..., 0, :, :]))
        else:
            blocks = BlockDiagLinearOperator(to_linear_operator(covariance))
            distribution = MultitaskMultivariateNormal(mean, blocks, interleaved=False)
        answer = GPyTorchPosterior(distribution)
        return answer if posterior_transform is None else posterior_transform(answer)
