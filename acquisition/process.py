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

    from acquisition.conditioned import Conditioned
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
logarithm: as it is, it stopped L-BFGS at several times the errors of prediction of exact values (docs/surrogate.md)."""

LEAST_NOISE = 1e-6
"""Standardised variance that an exact observation is given."""

RARITY = math.log(99)
"""Nats of evidence against the stated error of a value that are asked for to doubt it: the log odds of one outlier in a
hundred. Where errors are as stated, fewer than one value in two thousand gives as much."""

MISTRUSTED = 0.05, 0.1, 0.2
"""Shares of the values that are tried as outliers; more are no outliers but a rule."""

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

    If `robust`, values that the others do not bear out (`acquisition.outliers`) count as less certain than they say, by
    the variances `doubts` (n,), and take no part in what is standardised by.
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
        robust: bool = False,
    ) -> None:
        self._features = tuple(features)
        sizes = encoding.n_numeric, encoding.n_categorical, len(features), encoding.described, encoding.generated
        self._sizes, self._tolerance, self._columns = sizes, tolerance, self._inputs(rows)
        evidence = self._fit(values, noise, np.zeros(len(values)))
        if robust:
            self._mistrust(values, noise, evidence)
        self._members = self._likely(several=len(values) < settled)

    def _fit(self, values: np.ndarray, noise: np.ndarray, doubts: np.ndarray) -> float:
        """Standardise by the values that are not in doubt, fit the most probable model to MOST_FITTED, and take all in;
        the log density of the values, in nats, less what it costs to doubt some."""
        import torch

        from acquisition.kernel import MixedKernel

        self.doubts = doubts
        with np.errstate(over="ignore", invalid="ignore"):
            sure = values[doubts == 0]
            self.centre, self.scale = float(sure.mean()), spread(sure)
            standard, relative = (values - self.centre) / self.scale, (noise + doubts) / self.scale**2
        if not (math.isfinite(self.scale) and np.isfinite(standard).all() and np.isfinite(relative).all()):
            raise SurrogateError("the values are too large to be standardised")
        inputs, self.targets, self._own = self._columns, torch.as_tensor(standard), exact(relative)
        some = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_FITTED)).round().astype(int))
        kernel = MixedKernel(*self._sizes)
        self.model = fitted(inputs[some], self.targets[some], self._own[some], kernel, self._tolerance)
        with factored(len(values)):
            self._likeliest = self._conditioned(self.model)
        return float(self.in_sequence().sum()) - len(values) * math.log(self.scale) - RARITY * np.count_nonzero(doubts)

    def _conditioned(self, model: Any) -> Conditioned:
        from acquisition.conditioned import Conditioned

        return Conditioned(model, self._columns, self.targets, self._own)

    def _likely(self, *, several: bool) -> list[Conditioned]:
        """The processes that predict."""
        from acquisition.ensemble import ensemble

        with factored(len(self.targets)):
            models = ensemble(self.model) if several else []
            return [self._conditioned(model) for model in models] or [self._likeliest]

    def _mistrust(self, values: np.ndarray, noise: np.ndarray, evidence: float) -> None:
        """Find the outliers and fit anew, `evidence` being that of the fit there is. Several hide each other, since the
        model that trusts them all takes their errors for noise; so they are sought with the best of the fits that
        mistrust none, or so many."""
        from acquisition.outliers import outlying

        def found(share: float, least: float) -> np.ndarray:
            with factored(len(noise)):
                own, most = exact(noise / self.scale**2), math.ceil(share * len(values))
                return np.asarray(outlying(self.model, self._columns, self.targets, own, most, least)) * self.scale**2

        tried = [(evidence, self.doubts)]
        for share in MISTRUSTED:
            doubts = found(share, 0.0)
            tried.append((self._fit(values, noise, doubts), doubts))
        _, best = max(tried, key=lambda fit: fit[0])
        self._fit(values, noise, best)
        self._fit(values, noise, found(MISTRUSTED[-1], RARITY))

    def _inputs(self, rows: np.ndarray) -> Tensor:
        """The encoded designs and a column for each feature."""
        import torch

        return torch.as_tensor(np.column_stack([rows, *(feature(rows) for feature in self._features)]))

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


def exact(variances: np.ndarray) -> Tensor:
    """The standardised variances, of exact values LEAST_NOISE."""
    import torch

    return torch.as_tensor(variances).clamp_min(LEAST_NOISE)


@contextmanager
def factored(n: int) -> Iterator[None]:
    """Whatever has no factor inside is a SurrogateError."""
    from linear_operator.utils.errors import NanError, NotPSDError

    try:
        yield
    except (NanError, NotPSDError) as error:
        raise SurrogateError(f"the covariance of {n} values has no factor: {error}") from error


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
