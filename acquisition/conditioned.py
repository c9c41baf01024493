"""A Gaussian process whose hyperparameters are given, with its observations taken in. Imported only by functions that
need torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from linear_operator.utils.cholesky import psd_safe_cholesky
from torch import Tensor

STRIP = 128
"""Rows of a joint covariance worked out at once, from the diagonal on: the rest is their mirror image."""


class Conditioned:
    """A model's process given observations `targets` (n,) at inputs `rows` (n, width), each with a variance of its
    `own` (n,) beside the model's residual one (Rasmussen & Williams 2006, algorithm 2.1). All values are standardised.

    Raises NanError or NotPSDError where the covariance of the observations has no factor.
    """

    def __init__(self, model: Any, rows: Tensor, targets: Tensor, own: Tensor) -> None:
        self.model, self.rows, self.targets = model, rows, targets
        with torch.no_grad():
            self.noise = own + model.likelihood.second_noise
            self._factor = psd_safe_cholesky(self.covariance(rows, rows) + self.noise.diag())
            self._mean = model.mean_module.constant.detach()
            self._weights = torch.cholesky_solve((targets - self._mean).unsqueeze(-1), self._factor)[:, 0]

    def covariance(self, a: Tensor, b: Tensor) -> Tensor:
        """(len(a), len(b)) of the noise-free values."""
        with torch.no_grad():
            covariance: Tensor = self.model.covar_module(a, b).to_dense()
        return covariance

    def posterior(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(mean, variance), each (n,), of the noise-free value."""
        with torch.no_grad():
            mean, learned = self._informed(inputs)
            return mean, self.model.covar_module(inputs, diag=True) - learned.square().sum(0)

    def joint(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(mean (n,), covariance (n, n)) of the noise-free value at all inputs together."""
        mean, learned = self._informed(inputs)
        prior = torch.empty(len(inputs), len(inputs), dtype=inputs.dtype)
        for start in range(0, len(inputs), STRIP):
            strip = slice(start, start + STRIP)
            part = self.covariance(inputs[strip], inputs[start:])
            prior[strip, start:], prior[start:, strip] = part, part.mT
        return mean, prior - learned.mT @ learned

    def _informed(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The mean at the inputs, and what takes the prior covariance down to the posterior one."""
        known = self.covariance(self.rows, inputs)
        learned = torch.linalg.solve_triangular(self._factor, known, upper=False)
        return self._mean + self._weights @ known, learned

    def in_sequence(self) -> Tensor:
        """(n,) log density of every observation given those before it, in nats; they sum to the log marginal likelihood
        (Dawid, J. R. Stat. Soc. A 147 (1984) 278)."""
        surprise = self.whitened((self.targets - self._mean).unsqueeze(-1))[:, 0]
        density: Tensor = -0.5 * (surprise.square() + math.log(2 * math.pi)) - self._factor.diagonal().log()
        return density

    def whitened(self, columns: Tensor) -> Tensor:
        """(m, k) of columns (m, k) at the first m observations: each entry less what those before it lead one to
        expect, in standard deviations of what is left."""
        m = len(columns)
        left: Tensor = torch.linalg.solve_triangular(self._factor[:m, :m], columns, upper=False)
        return left

    def left_out(self) -> tuple[Tensor, Tensor]:
        """(mean, variance), each (n,), of every observation given the others (Rasmussen & Williams 2006, eq. 5.12)."""
        inverse = torch.cholesky_inverse(self._factor).diagonal()
        return self.targets - self._weights / inverse, 1 / inverse
