"""The covariance of the surrogates. Imported only by functions that need torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior
from torch import Tensor

BLOCK = 32
"""Rows worked out at once, so that the differences of a large pool stay in the processor's cache."""


class MixedKernel(Kernel):  # type: ignore[misc]
    """Main effects plus one interaction term over all fields, for standardised values of a mixed design.

        k(x, x') = sum_j a_j m(|x_j - x'_j| / l_j) + sum_c b_c [x_c = x'_c] + sum_g e_g m(|x_g - x'_g| / d_g)
                 + s m(|(x - x') / L|) exp(-mean_c [x_c != x'_c] / h_c)
                 + sum_f t_f x_f x'_f

    with j over numeric, c over category and f over feature columns, g over the groups of descriptor columns, of choices
    (`described`) and of molecules (`generated`, which have no category), and m the Matern 5/2 correlation (Rasmussen &
    Williams 2006, eq. 4.17). The second line is BoTorch's Matern x `CategoricalKernel`, the groups of molecules among
    the numbers with L = d. The third gives every feature a normal weight of variance t_f, of either sign
    (autoregressive co-kriging of Kennedy & O'Hagan, Biometrika 2000, 87, 1, with the cheap source's mean as the
    feature). Written as one kernel because the same sum
    composed of GPyTorch kernels takes two to four times as long to fit (measured, nine fields, 100 records).

    Priors: lengthscales LogNormal(sqrt 2 + ln(d)/2, sqrt 3) (Hvarfner et al., ICML 2024), category scales
    LogNormal(0, 1), variances LogNormal with medians that sum to one, half of it the interaction. Features come on top,
    LogNormal(ln 0.25, 1.5) each: from next to nothing to most of the variance. So do the descriptors of choices, at
    half of a main effect's median and without a part in the interaction: held-out densities are then no worse where the
    descriptors say nothing (`benchmarks.descriptors`).
    """

    def __init__(
        self,
        n_numeric: int,
        n_categorical: int,
        n_features: int = 0,
        described: tuple[int, ...] = (),
        generated: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.n_numeric, self.n_categorical, self.n_features = n_numeric, n_categorical, n_features
        self.described, self.generated = described, generated
        width = n_numeric + n_categorical + len(generated)
        self._positive("main_variance", width, math.log(0.5 / width), 1.0)
        self._positive("interaction_variance", 1, math.log(0.5), 1.0)
        if n_numeric:
            self._positive("main_length", n_numeric, math.sqrt(2), math.sqrt(3))
            self._positive("length", n_numeric, math.sqrt(2) + 0.5 * math.log(n_numeric), math.sqrt(3))
        if n_categorical:
            self._positive("category_scale", n_categorical, 0.0, 1.0)
        if described:
            self._positive("described_variance", len(described), math.log(0.25 / max(width, 1)), 1.5)
        for g, size in enumerate((*described, *generated)):
            self._positive(f"group_length_{g}", size, math.sqrt(2) + 0.5 * math.log(size), math.sqrt(3))
        if n_features:
            self._positive("feature_variance", n_features, math.log(0.25), 1.5)

    @property
    def is_stationary(self) -> bool:
        """Whether the covariance depends on differences alone."""
        return self.n_features == 0

    def _positive(self, name: str, size: int, loc: float, scale: float) -> None:
        """A vector of positive parameters, held as logarithms and started at the prior's median (at most 1)."""
        start = torch.full((size,), min(loc, 0.0), dtype=torch.float64)
        self.register_parameter(f"log_{name}", torch.nn.Parameter(start))
        self.register_prior(
            f"{name}_prior",
            LogNormalPrior(loc, scale),
            lambda kernel: kernel.value_of(name),
            lambda kernel, value: kernel.initialize(**{f"log_{name}": value.log()}),
        )

    def value_of(self, name: str) -> Tensor:
        """(size,) values of the parameters called `name`."""
        logarithms: Tensor = getattr(self, f"log_{name}")
        return logarithms.exp()

    def forward(self, x1: Tensor, x2: Tensor, diag: bool = False, **_: Any) -> Tensor:
        """Covariance of x1 (..., n, width) with x2 (..., m, width): (..., n, m), or its diagonal (..., n)."""
        if diag:
            return self._block(x1.unsqueeze(-2), x2.unsqueeze(-2))[..., 0, 0]
        return torch.cat([self._block(rows, x2) for rows in torch.split(x1, BLOCK, dim=-2)], dim=-2)

    def _block(self, x1: Tensor, x2: Tensor) -> Tensor:
        k, c = self.n_numeric, self.n_numeric + self.n_categorical
        f = c + sum(self.described) + sum(self.generated)
        main, interaction = self.value_of("main_variance"), self.value_of("interaction_variance")
        total, correlation, squared = interaction * 0.0, interaction, None
        if self.n_numeric:
            apart = (x1[..., :, None, :k] - x2[..., None, :, :k]).abs()
            total = total + matern(apart / self.value_of("main_length")) @ main[:k]
            squared = (apart / self.value_of("length")).square().sum(-1)
        for g, apart in enumerate(self._groups_apart(x1, x2)):
            likeness = matern(apart.clamp_min(1e-20).sqrt())
            if g < len(self.described):
                total = total + self.value_of("described_variance")[g] * likeness
            else:
                total = total + main[c + g - len(self.described)] * likeness
                squared = apart if squared is None else squared + apart
        if squared is not None:
            correlation = correlation * matern(squared.clamp_min(1e-20).sqrt())
        if self.n_categorical:
            differs = (x1[..., :, None, k:c] != x2[..., None, :, k:c]).to(x1)
            total = total + (1 - differs) @ main[k:c]
            correlation = correlation * torch.exp(
                -differs @ (1 / (self.n_categorical * self.value_of("category_scale")))
            )
        if self.n_features:
            total = total + (x1[..., f:] * self.value_of("feature_variance")) @ x2[..., f:].mT
        return total + correlation

    def _groups_apart(self, x1: Tensor, x2: Tensor) -> Iterator[Tensor]:
        """(..., n, m) squared scaled distance in each group of descriptors."""
        start = self.n_numeric + self.n_categorical
        for g, size in enumerate((*self.described, *self.generated)):
            x, y = x1[..., start : start + size], x2[..., start : start + size]
            scaled = (x[..., :, None, :] - y[..., None, :, :]) / self.value_of(f"group_length_{g}")
            yield scaled.square().sum(-1)
            start += size


def matern(distance: Tensor) -> Tensor:
    """Matern 5/2 correlation at a scaled distance."""
    r = math.sqrt(5) * distance
    return (1 + r + r.square() / 3) * torch.exp(-r)
