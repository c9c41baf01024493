"""Observations that the others do not bear out. Imported only by functions that need torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from acquisition.conditioned import Conditioned


def outlying(model: Any, rows: Tensor, targets: Tensor, own: Tensor, most: int, least: float) -> Tensor:
    """(n,) variances to be added to those that the observations state, zero for all but `most` outliers at most.

    Given the other observations one has an error z in standard deviations. The variance that explains it best, which
    makes z one, raises the evidence by (z^2 - 1 - ln z^2) / 2. That of the observation with most to gain is added, as
    long as the gain exceeds the `least`: relevance pursuit (Ament et al., NeurIPS 2024, arXiv 2410.24222) in its
    forward form, with given hyperparameters. Raises NanError or NotPSDError where the covariance has no factor.
    """
    added = torch.zeros_like(own)
    for _ in range(most):
        mean, variance = Conditioned(model, rows, targets, own + added).left_out()
        squares = (targets - mean).square()
        ratio = (squares / variance).clamp_min(1.0)
        gains = (ratio - 1 - ratio.log()) / 2
        worst = int(gains.argmax())
        if gains[worst] <= least:
            break
        added[worst] += squares[worst] - variance[worst]
    return added
