"""What hyperparameters are fitted to. Imported only by functions that need torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from botorch.optim.closures.core import ForwardBackwardClosure
from linear_operator.utils.cholesky import psd_safe_cholesky
from torch import Tensor


class LogPosterior:
    """The log marginal likelihood of a model's observations (Rasmussen & Williams 2006, eq. 5.8) plus the log priors of
    its hyperparameters, per observation; the model is a SingleTaskGP with fixed and inferred noise and log-normal
    priors.

    GPyTorch's ExactMarginalLogLikelihood in plain tensors, the differences of the designs worked out once: that spares
    most of every evaluation. Raises NotPSDError where the covariance has no factor.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._values = model.train_targets
        self._pairs = Pairs(model)
        found = [(module, prior, value) for _, module, prior, value, _ in model.named_priors()]
        self._hyper = [(module, value) for module, _, value in found]
        sizes = [value(module).numel() for module, value in self._hyper]
        self._loc = torch.cat([prior.loc.expand(n) for (_, prior, _), n in zip(found, sizes, strict=True)])
        self._scale = torch.cat([prior.scale.expand(n) for (_, prior, _), n in zip(found, sizes, strict=True)])

    def __call__(self) -> Tensor:
        """A scalar."""
        factor = psd_safe_cholesky(self._pairs.noisy_covariance())
        off = (self._values - self._model.mean_module.constant).unsqueeze(-1)
        white = torch.linalg.solve_triangular(factor, off, upper=False)
        evidence = -0.5 * white.square().sum() - factor.diagonal().log().sum()
        logs = torch.cat([value(module).reshape(-1) for module, value in self._hyper]).log()
        priors = (-0.5 * ((logs - self._loc) / self._scale).square() - logs - self._scale.log()).sum()
        constant = -0.5 * math.log(2 * math.pi) * (len(self._values) + len(logs))
        value: Tensor = (evidence + priors + constant) / len(self._values)
        return value

    def closure(self) -> ForwardBackwardClosure:
        """Its negative and the gradient, for `fit_gpytorch_mll`."""
        parameters = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        return ForwardBackwardClosure(lambda: -self(), parameters)


class Pairs:
    """Of a model's observations, each with itself and with those before it: what their covariance needs that no
    hyperparameter changes."""

    def __init__(self, model: Any) -> None:
        self._model, rows = model, model.train_inputs[0]
        self._at = torch.tril_indices(len(rows), len(rows))
        self._apart = model.covar_module.apart(*rows[self._at])

    def noisy_covariance(self) -> Tensor:
        """(n, n) of the observations, their own noise and the inferred one included."""
        likelihood = self._model.likelihood
        noise = likelihood.noise_covar.noise + likelihood.second_noise
        zeros = torch.zeros(len(noise), len(noise), dtype=torch.float64)
        lower = zeros.index_put(tuple(self._at), self._model.covar_module.covariance(self._apart))
        covariance: Tensor = lower + lower.tril(-1).mT + noise.diag()
        return covariance
