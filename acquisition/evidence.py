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

    GPyTorch's ExactMarginalLogLikelihood in plain tensors, which spares 5 ms of every evaluation: most of it below
    50 observations. Raises NotPSDError where the covariance has no factor.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._values = model.train_targets
        found = [(module, prior, value) for _, module, prior, value, _ in model.named_priors()]
        self._hyper = [(module, value) for module, _, value in found]
        sizes = [value(module).numel() for module, value in self._hyper]
        self._loc = torch.cat([prior.loc.expand(n) for (_, prior, _), n in zip(found, sizes, strict=True)])
        self._scale = torch.cat([prior.scale.expand(n) for (_, prior, _), n in zip(found, sizes, strict=True)])

    def __call__(self) -> Tensor:
        """A scalar."""
        factor = psd_safe_cholesky(noisy_covariance(self._model))
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


def noisy_covariance(model: Any) -> Tensor:
    """(n, n) of a model's observations, their own noise and the inferred one included."""
    rows, likelihood = model.train_inputs[0], model.likelihood
    noise = likelihood.noise_covar.noise + likelihood.second_noise
    covariance: Tensor = model.covar_module.forward(rows, rows) + noise.diag()
    return covariance
