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
from loop.types import Design, Objective, Record

if TYPE_CHECKING:
    from torch import Tensor

    from acquisition.kernel import MixedKernel

FIT_TOLERANCE = 1e-6
"""Relative change of the log posterior where L-BFGS stops: held-out error near that of 2e-9, a third of its time."""


Feature = Callable[[np.ndarray], np.ndarray]
"""Encoded designs (n, width) -> what an independent source expects of them (n,), about standardised."""


class SurrogateError(RuntimeError):
    """A Gaussian process could not be fitted; the message says of what and why."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record's property as the other records predict it.

    `sd` is that of a new observation with this record's own error; `z` = (observed - predicted) / sd.
    """

    record: Record
    property: str
    observed: float
    predicted: float
    sd: float
    z: float


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
        kernel = MixedKernel(encoding.n_numeric, encoding.n_categorical, len(self._features))
        self.rows = self._inputs(rows)
        self.model = fitted(self.rows, torch.as_tensor(standard), torch.as_tensor(relative), kernel, tolerance)

    def _inputs(self, rows: np.ndarray) -> Tensor:
        """The encoded designs and a column for each feature."""
        import torch

        return torch.as_tensor(np.column_stack([rows, *(feature(rows) for feature in self._features)]))

    @property
    def noise(self) -> Tensor:
        """(n,) noise variance of each observation, standardised: its own and the residual one."""
        noise: Tensor = self.model.likelihood.noise.detach()
        return noise

    def posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n,), of the noise-free standardised value."""
        import torch

        with torch.no_grad():
            answer = self.model.posterior(self._inputs(rows).unsqueeze(-2))  # one by one: no joint covariance
            return answer.mean[:, 0, 0].numpy(), answer.variance[:, 0, 0].clamp_min(0).numpy()

    def joint(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """(mean (n,), covariance (n, n)) of the noise-free standardised values at all rows together."""
        import torch

        with torch.no_grad():
            answer = self.model.posterior(self._inputs(rows)).distribution
            return answer.mean, answer.covariance_matrix

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of every observation given the others and these hyperparameters
        (Rasmussen & Williams 2006, eq. 5.12), in the units of the values."""
        import torch

        with torch.no_grad():
            covariance = self.model.covar_module(self.rows).to_dense() + self.noise.diag()
            inverse = torch.linalg.inv(covariance)
            targets = self.model.train_targets
            mean = targets - inverse @ (targets - self.model.mean_module(self.rows)) / inverse.diagonal()
            sd = inverse.diagonal().rsqrt()
        return mean.numpy() * self.scale + self.centre, sd.numpy() * self.scale


class Surrogate(Process):
    """The process of one objective's property, from the records that count for it."""

    def __init__(
        self, encoding: Encoding, objective: Objective, records: Sequence[Record], features: Sequence[Feature] = ()
    ) -> None:
        self.objective = objective
        self.records = usable(objective, records)
        estimates = [record.estimates[objective.property] for record in self.records]
        rows = encoding.rows([record.design for record in self.records])
        try:
            values, noise = np.array([e.mean for e in estimates]), variances(self.records, estimates)
            super().__init__(encoding, rows, values, noise, features=features)
        except SurrogateError as error:
            raise SurrogateError(f"surrogate of {objective.property}: {error}") from error

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation), each (n,), of the property without noise, in its unit."""
        mean, variance = self.posterior(rows)
        return mean * self.scale + self.centre, np.sqrt(variance) * self.scale

    def utility(self, standard: Any) -> Any:
        """Standardised values of the property (array or tensor) turned so that more is better."""
        if self.objective.goal == "target":
            assert self.objective.target is not None
            return -abs(standard - (self.objective.target - self.centre) / self.scale)
        return -standard if self.objective.falls else standard

    def observed_utility(self) -> np.ndarray:
        """(n,) standardised utilities of the records."""
        return np.asarray(self.utility(self.model.train_targets.numpy()))

    def leave_one_out(self) -> list[LeftOut]:
        """Every record's property as the others predict it."""
        mean, sd = self.left_out()
        name = self.objective.property
        return [
            LeftOut(record, name, y, float(m), float(s), float((y - m) / s))
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

    likelihood = FixedNoiseGaussianLikelihood(
        noise=noise.clamp_min(1e-6),
        learn_additional_noise=True,
        noise_prior=LogNormalPrior(-4.0, 1.0),  # Hvarfner et al., ICML 2024; the start is its mode
        noise_constraint=GreaterThan(1e-5, transform=None, initial_value=math.exp(-5.0)),
    )
    model = SingleTaskGP(rows, values.unsqueeze(-1), likelihood=likelihood, covar_module=kernel, outcome_transform=None)
    mll = ExactMarginalLogLikelihood(likelihood, model)
    try:
        fit_gpytorch_mll(mll, optimizer_kwargs={"options": {"ftol": tolerance}})
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
