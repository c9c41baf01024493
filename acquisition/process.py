"""An exact Gaussian process over encoded designs, fitted to values with known errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.encoding import Encoding

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.kernel import MixedKernel

FIT_TOLERANCE = 1e-6
"""Relative change of the log posterior where L-BFGS stops: held-out error near that of 2e-9, a third of its time."""

MOST_FITTED = 100
"""Observations that hyperparameters are learned from, evenly spread over the order they came in; all of them are
conditioned on. At 200 records of six test functions held-out densities were better on four, clearly worse on one."""

SETTLED = 60
"""Observations from which on hyperparameters count as known: the ensemble then says what its most probable member says,
in several times the time."""

RESIDUAL_NOISE = -4.0, 2.0
"""Mean and standard deviation of the logarithm of the standardised variance that the stated errors leave out: the
median of Hvarfner et al. (ICML 2024) and twice their spread, since exact tables have none of it. It is fitted as a
logarithm: in itself, L-BFGS stopped at five times the prediction errors of 60 exact values (`benchmarks.surrogates`)."""

LEAST_NOISE = 1e-6
"""Standardised variance that an exact observation is given."""


Feature = Callable[[np.ndarray], np.ndarray]
"""Encoded designs (n, width) -> what an independent source expects of them (n,), about standardised."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Values of a property that no record of its own oracle gave: encoded designs (n, width), values and variances
    (n,), in the property's unit."""

    designs: np.ndarray
    values: np.ndarray
    variances: np.ndarray


class SurrogateError(RuntimeError):
    """A Gaussian process could not be fitted; the message says of what and why."""


class Process:
    """A Gaussian process fitted to standardised values, in units of `scale` around `centre`; each of the `features`
    enters with a weight that the values decide. `model` is the most probable one.

    Of fewer than `settled` values, which leave its hyperparameters open, predictions are those of several models
    (`acquisition.ensemble`): the mean and the covariance of the mixture of their processes, so that they say how unsure
    they are of those too.
    """

    def __init__(
        self,
        encoding: Encoding,
        rows: np.ndarray,
        values: np.ndarray,
        noise: np.ndarray,
        tolerance: float = FIT_TOLERANCE,
        features: Sequence[Feature] = (),
        *,
        settled: int = 0,
    ) -> None:
        import torch

        from acquisition.kernel import MixedKernel

        self._features = tuple(features)

        with np.errstate(over="ignore", invalid="ignore"):
            self.centre = float(values.mean())
            self.scale = spread(values)
            standard, relative = (values - self.centre) / self.scale, noise / self.scale**2
        if not (math.isfinite(self.scale) and np.isfinite(standard).all() and np.isfinite(relative).all()):
            raise SurrogateError("the values are too large to be standardised")
        sizes = encoding.n_numeric, encoding.n_categorical, len(self._features), encoding.described, encoding.generated
        kernel = MixedKernel(*sizes)
        inputs, self.targets = self._inputs(rows), torch.as_tensor(standard)
        own = torch.as_tensor(relative).clamp_min(LEAST_NOISE)
        some = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_FITTED)).round().astype(int))
        self.model = fitted(inputs[some], self.targets[some], own[some], kernel, tolerance)
        self._condition(inputs, own, several=len(values) < settled)

    def _inputs(self, rows: np.ndarray) -> Tensor:
        """The encoded designs and a column for each feature."""
        import torch

        return torch.as_tensor(np.column_stack([rows, *(feature(rows) for feature in self._features)]))

    def _condition(self, inputs: Tensor, own: Tensor, *, several: bool) -> None:
        """Take all observations in: in the most probable process, and in those that predict."""
        from linear_operator.utils.errors import NanError, NotPSDError

        from acquisition.conditioned import Conditioned
        from acquisition.ensemble import ensemble

        try:
            self._likeliest = Conditioned(self.model, inputs, self.targets, own)
            models = ensemble(self.model) if several else []
            self._members = [Conditioned(model, inputs, self.targets, own) for model in models] or [self._likeliest]
        except (NanError, NotPSDError) as error:
            raise SurrogateError(f"the covariance of {len(inputs)} values has no factor: {error}") from error

    @property
    def noise(self) -> Tensor:
        """(n,) standardised variances of the observations, residual included."""
        noise: Tensor = self._likeliest.noise
        return noise

    def posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n,), of the noise-free standardised value."""
        inputs = self._inputs(rows)
        mean, variance = mixture([member.posterior(inputs) for member in self._members])
        return mean.numpy(), variance.clamp_min(0).numpy()

    def joint(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """(mean (n,), covariance (n, n)) of the noise-free standardised values at all rows together."""
        import torch

        means, total = [], torch.zeros(len(rows), len(rows), dtype=torch.float64)
        for mean, covariance in self.joints(rows):
            means.append(mean)
            total += covariance
        average = torch.stack(means).mean(0)
        apart = torch.stack(means) - average
        return average, (total + apart.mT @ apart) / len(means)

    def joints(self, rows: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
        """What `joint` is the mixture of, one at a time: of a full pool each covariance takes 32 MB."""
        inputs = self._inputs(rows)
        for member in self._members:
            yield member.joint(inputs)

    def in_sequence(self) -> np.ndarray:
        """(n,) log density of every standardised observation given those before it and the most probable
        hyperparameters, in nats."""
        return np.asarray(self._likeliest.in_sequence().numpy())

    def whitened(self, columns: np.ndarray) -> np.ndarray:
        """(m, k) of columns (m, k) at the first m observations, as `Conditioned.whitened` has it with the most probable
        hyperparameters."""
        import torch

        return np.asarray(self._likeliest.whitened(torch.as_tensor(columns)).numpy())

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of every observation given the others and the hyperparameters that
        predict, in the units of the values."""
        mean, variance = mixture([member.left_out() for member in self._members])
        return mean.numpy() * self.scale + self.centre, variance.sqrt().numpy() * self.scale


def mixture(moments: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """(mean, variance) of the equal mixture of distributions with these."""
    import torch

    means, variances = (torch.stack(column) for column in zip(*moments, strict=True))
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


def spread(values: np.ndarray) -> float:
    """The standard deviation of the values, or 1 where they are all but equal."""
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return sd if sd > 1e-9 * max(1e-300, float(np.abs(values).max())) else 1.0


def fitted(rows: Tensor, values: Tensor, noise: Tensor, kernel: MixedKernel, tolerance: float) -> Any:
    """A SingleTaskGP at its maximum a posteriori. The noise given is fixed; a small residual one is inferred beside
    it, since replicas scatter more than the error of each says. Raises SurrogateError."""
    import torch
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.constraints import Positive
    from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
    from gpytorch.mlls import ExactMarginalLogLikelihood
    from gpytorch.priors import LogNormalPrior
    from linear_operator.utils.errors import NanError, NotPSDError

    from acquisition.evidence import LogPosterior

    likelihood = FixedNoiseGaussianLikelihood(
        noise=noise,
        learn_additional_noise=True,
        noise_prior=LogNormalPrior(*RESIDUAL_NOISE),
        noise_constraint=Positive(torch.exp, torch.log, initial_value=math.exp(-5.0)),
    )
    model = SingleTaskGP(rows, values.unsqueeze(-1), likelihood=likelihood, covar_module=kernel, outcome_transform=None)
    mll = ExactMarginalLogLikelihood(likelihood, model)
    try:
        fit_gpytorch_mll(mll, LogPosterior(model).closure(), optimizer_kwargs={"options": {"ftol": tolerance}})
    except (ModelFittingError, NanError, NotPSDError, RuntimeError) as error:
        raise SurrogateError(f"the fit to {len(rows)} values failed: {error}") from error
    return model.eval()


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Torch draws from `seed` and computes on one thread inside; outside, its state is as before."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
