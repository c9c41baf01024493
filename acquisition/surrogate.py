"""One exact Gaussian process per objective, on the decoded design and with the measured standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.encoding import Encoding
from acquisition.noise import variances
from loop.ledger import Residual
from loop.types import Design, Objective, Record

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.kernel import MixedKernel

FIT_TOLERANCE = 1e-6
"""Relative change of the log posterior where L-BFGS stops: held-out error near that of 2e-9, a third of its time."""

MOST_FITTED = 100
"""Observations that hyperparameters are learned from, evenly spread over the order they came in; all of them are
conditioned on. At 200 records of six test functions held-out densities were better on four, clearly worse on one."""

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
    enters with a weight that the values decide."""

    def __init__(
        self,
        encoding: Encoding,
        rows: np.ndarray,
        values: np.ndarray,
        noise: np.ndarray,
        tolerance: float = FIT_TOLERANCE,
        features: Sequence[Feature] = (),
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
        self.rows, self.targets = self._inputs(rows), torch.as_tensor(standard)
        own = torch.as_tensor(relative).clamp_min(LEAST_NOISE)
        some = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_FITTED)).round().astype(int))
        self.model = fitted(self.rows[some], self.targets[some], own[some], kernel, tolerance)
        self.noise = own + self.model.likelihood.second_noise.detach()
        self._condition()

    def _inputs(self, rows: np.ndarray) -> Tensor:
        """The encoded designs and a column for each feature."""
        import torch

        return torch.as_tensor(np.column_stack([rows, *(feature(rows) for feature in self._features)]))

    def _condition(self) -> None:
        """Take all observations in: the factor of their covariance and their weights in a prediction (Rasmussen &
        Williams 2006, algorithm 2.1)."""
        import torch
        from linear_operator.utils.cholesky import psd_safe_cholesky
        from linear_operator.utils.errors import NanError, NotPSDError

        try:
            self._factor = psd_safe_cholesky(self._covariance(self.rows, self.rows) + self.noise.diag())
        except (NanError, NotPSDError) as error:
            raise SurrogateError(f"the covariance of {len(self.rows)} values has no factor: {error}") from error
        with torch.no_grad():
            self._mean = self.model.mean_module.constant
            off = (self.targets - self._mean).unsqueeze(-1)
            self._weights = torch.cholesky_solve(off, self._factor)[:, 0]

    def _covariance(self, a: Tensor, b: Tensor) -> Tensor:
        """(len(a), len(b)) of the noise-free standardised values."""
        import torch

        with torch.no_grad():
            covariance: Tensor = self.model.covar_module(a, b).to_dense()
        return covariance

    def posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n,), of the noise-free standardised value."""
        import torch

        with torch.no_grad():
            inputs = self._inputs(rows)
            known = self._covariance(self.rows, inputs)
            learned = torch.linalg.solve_triangular(self._factor, known, upper=False).square().sum(0)
            variance = self.model.covar_module(inputs, diag=True) - learned
            return (self._mean + self._weights @ known).numpy(), variance.clamp_min(0).numpy()

    def joint(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """(mean (n,), covariance (n, n)) of the noise-free standardised values at all rows together."""
        import torch

        with torch.no_grad():
            inputs = self._inputs(rows)
            known = self._covariance(self.rows, inputs)
            learned = torch.linalg.solve_triangular(self._factor, known, upper=False)
            return self._mean + self._weights @ known, self._covariance(inputs, inputs) - learned.mT @ learned

    def in_sequence(self) -> np.ndarray:
        """(n,) log density of every standardised observation given those before it and these hyperparameters, in nats;
        they sum to the log marginal likelihood (Dawid, J. R. Stat. Soc. A 147 (1984) 278)."""
        import torch

        with torch.no_grad():
            off = (self.targets - self._mean).unsqueeze(-1)
            surprise = torch.linalg.solve_triangular(self._factor, off, upper=False)[:, 0]
            density = -0.5 * (surprise.square() + math.log(2 * math.pi)) - self._factor.diagonal().log()
            return np.asarray(density.numpy())

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of every observation given the others and these hyperparameters
        (Rasmussen & Williams 2006, eq. 5.12), in the units of the values."""
        import torch

        with torch.no_grad():
            inverse = torch.cholesky_inverse(self._factor)
            mean = self.targets - self._weights / inverse.diagonal()
            sd = inverse.diagonal().rsqrt()
        return mean.numpy() * self.scale + self.centre, sd.numpy() * self.scale


class Surrogate(Process):
    """The process of one objective's property, from the records that count for it and, after them, further `rows`."""

    def __init__(
        self,
        encoding: Encoding,
        objective: Objective,
        records: Sequence[Record],
        features: Sequence[Feature] = (),
        rows: Sequence[Rows] = (),
    ) -> None:
        self.objective = objective
        self.records = usable(objective, records)
        estimates = [record.estimates[objective.property] for record in self.records]
        own = Rows(
            encoding.rows([record.design for record in self.records]),
            np.array([e.mean for e in estimates]),
            variances(self.records, estimates),
        )
        designs = np.concatenate([some.designs for some in (own, *rows)])
        values = np.concatenate([some.values for some in (own, *rows)])
        noise = np.concatenate([some.variances for some in (own, *rows)])
        try:
            super().__init__(encoding, designs, values, noise, features=features)
        except SurrogateError as error:
            raise SurrogateError(f"surrogate of {objective.property}: {error}") from error

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of the property without noise, in its unit."""
        mean, variance = self.posterior(rows)
        return mean * self.scale + self.centre, np.sqrt(variance) * self.scale

    @property
    def residual_variance(self) -> float:
        """Of an observation about the process, beyond its own error, in the property's unit squared."""
        return float(self.model.likelihood.second_noise.detach()) * self.scale**2

    def utility(self, standard: Any) -> Any:
        """Standardised values of the property (array or tensor) turned so that more is better."""
        if self.objective.goal == "target":
            assert self.objective.target is not None
            return -abs(standard - (self.objective.target - self.centre) / self.scale)
        return -standard if self.objective.falls else standard

    def observed_utility(self) -> np.ndarray:
        """(n,) standardised utilities of the records."""
        return np.asarray(self.utility(self.targets[: len(self.records)].numpy()))

    def residuals(self) -> list[Residual]:
        """Every record's property as the others predict it."""
        n, name = len(self.records), self.objective.property
        mean, sd = (column[:n] for column in self.left_out())
        return [
            Residual(record, name, y, float(m), float(s), float((y - m) / s))
            for record, m, s in zip(self.records, mean, sd, strict=True)
            for y in [record.estimates[name].mean]
        ]


def usable(objective: Objective, records: Sequence[Record]) -> list[Record]:
    """The records that count for the objective: its oracle's, not synthetic, with a finite value."""
    return [
        record
        for record in records
        if record.oracle == objective.oracle
        and record.kind != "synthetic"
        and objective.property in record.estimates
        and math.isfinite(record.estimates[objective.property].mean)
    ]


def utility_moments(objective: Objective, mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, variance) of the utility of a normal property; for a target, of the folded normal distribution
    (Leone, Nelson & Nottingham, Technometrics 3 (1961) 543) with its sign turned."""
    if objective.goal != "target":
        return (-mean if objective.falls else mean), sd**2
    from scipy.special import ndtr

    assert objective.target is not None
    off = mean - objective.target
    ratio = np.clip(off / np.maximum(sd, 1e-300), -40, 40)  # beyond, the folded part is exactly zero
    distance = sd * math.sqrt(2 / math.pi) * np.exp(-0.5 * ratio**2) + off * (1 - 2 * ndtr(-ratio))
    return -distance, np.maximum(off**2 + sd**2 - distance**2, 0.0)


def spread(values: np.ndarray) -> float:
    """The standard deviation of the values, or 1 where they are all but equal."""
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return sd if sd > 1e-9 * max(1e-300, float(np.abs(values).max())) else 1.0


def fitted(rows: Tensor, values: Tensor, noise: Tensor, kernel: MixedKernel, tolerance: float) -> Any:
    """A SingleTaskGP at its maximum a posteriori. The noise given is fixed; a small residual one is inferred beside
    it, since replicas scatter more than the error of each says. Raises SurrogateError."""
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.constraints import GreaterThan
    from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
    from gpytorch.mlls import ExactMarginalLogLikelihood
    from gpytorch.priors import LogNormalPrior
    from linear_operator.utils.errors import NanError, NotPSDError

    from acquisition.evidence import LogPosterior

    likelihood = FixedNoiseGaussianLikelihood(
        noise=noise,
        learn_additional_noise=True,
        noise_prior=LogNormalPrior(-4.0, 1.0),  # Hvarfner et al., ICML 2024; the start is its mode
        noise_constraint=GreaterThan(1e-5, transform=None, initial_value=math.exp(-5.0)),
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


def distinct(designs: Sequence[Design]) -> list[Design]:
    """The designs without repeats, in their order."""
    return list(dict.fromkeys(designs))
