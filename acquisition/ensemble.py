"""Hyperparameters that the data leave open, as several models instead of one. Imported only by functions that need
torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from botorch.utils.sampling import draw_sobol_normal_samples
from linear_operator.utils.cholesky import psd_safe_cholesky
from linear_operator.utils.errors import NotPSDError
from torch import Tensor

from acquisition.evidence import LogPosterior, Pairs

MEMBERS = 4
DRAWS = 32
SCRAMBLE = 0
"""Of the Sobol sequence."""
STEP = 1e-3
"""Of a logarithm, for central differences."""


def ensemble(model: Any) -> list[Any]:
    """MEMBERS copies of a fitted SingleTaskGP with hyperparameters as the observations leave them open. The constant
    mean stays.

    DRAWS come from the Laplace approximation around the model's own, normal in their logarithms; the members are drawn
    among them in proportion to the posterior density over that of the draw, as systematic resampling does (Kitagawa,
    J. Comput. Graph. Stat. 5 (1996) 1), since a length that nothing speaks against may be much longer but not shorter.
    The draws are the first points of one scrambled Sobol sequence, a rule of integration rather than chance: the same
    observations always give the same members.
    """
    with torch.no_grad():
        centre = logarithms(model)
        precise = psd_safe_cholesky(information(model, centre) + prior_precision(model).diag())
        normal = draw_sobol_normal_samples(len(centre), DRAWS, seed=SCRAMBLE, dtype=torch.float64)
        drawn = centre + torch.linalg.solve_triangular(precise.mT, normal.mT, upper=True).mT
        weights = torch.softmax(log_densities(model, drawn) + 0.5 * normal.square().sum(1), 0)
        at = torch.searchsorted(weights.cumsum(0), (torch.arange(MEMBERS, dtype=torch.float64) + 0.5) / MEMBERS)
        return [member(model, drawn[i]) for i in at.clamp_max(DRAWS - 1).tolist()]


def log_densities(model: Any, drawn: Tensor) -> Tensor:
    """(draws,) of the posterior, up to a constant; minus infinity where the covariance has no factor."""
    trial, found = copy.deepcopy(model), []
    posterior = LogPosterior(trial)
    for logs in drawn:
        settle(trial, logs)
        try:
            found.append(posterior() * len(model.train_targets))
        except NotPSDError:
            found.append(torch.tensor(-torch.inf, dtype=torch.float64))
    return torch.stack(found)


def information(model: Any, centre: Tensor) -> Tensor:
    """(p, p) that the observations are expected to give of the logarithms of the hyperparameters i, j of their
    covariance K: 1/2 tr(K^-1 K_i K^-1 K_j) (Mardia & Marshall, Biometrika 71 (1984) 135). Unlike the observed one it is
    never negative."""
    factor = psd_safe_cholesky(Pairs(model).noisy_covariance())
    whitened = torch.cholesky_solve(torch.stack(covariance_slopes(model, centre)), factor)
    return 0.5 * torch.einsum("iab,jba->ij", whitened, whitened)


def member(model: Any, logs: Tensor) -> Any:
    """A copy of the model with other hyperparameters."""
    moved = copy.deepcopy(model)
    settle(moved, logs)
    return moved


def logarithms(model: Any) -> Tensor:
    """(p,) of all hyperparameters that have a prior, in the order of these."""
    return torch.cat([value(module).detach().reshape(-1).log() for _, module, _, value, _ in model.named_priors()])


def settle(model: Any, logs: Tensor) -> None:
    """Give the model these hyperparameters."""
    priors: Sequence[tuple[Any, ...]] = list(model.named_priors())
    sizes = [value(module).numel() for _, module, _, value, _ in priors]
    for (_, module, _, value, assign), part in zip(priors, torch.split(logs, sizes), strict=True):
        assign(module, part.exp().reshape(value(module).shape))


def prior_precision(model: Any) -> Tensor:
    """(p,) of the logarithms of the hyperparameters."""
    return torch.cat(
        [
            prior.scale.double().expand(value(module).numel()) ** -2
            for _, module, prior, value, _ in model.named_priors()
        ]
    )


def covariance_slopes(model: Any, centre: Tensor) -> list[Tensor]:
    """The derivative (n, n) of that covariance with respect to the logarithm of each hyperparameter."""
    trial, slopes = copy.deepcopy(model), []
    pairs = Pairs(trial)
    for step in STEP * torch.eye(len(centre), dtype=torch.float64):
        settle(trial, centre + step)
        above = pairs.noisy_covariance()
        settle(trial, centre - step)
        slopes.append((above - pairs.noisy_covariance()) / (2 * STEP))
    return slopes
