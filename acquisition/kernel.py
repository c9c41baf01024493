"""The covariance of the surrogates. Imported only by functions that need torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior
from torch import Tensor

BLOCK = 32
"""Rows worked out at once, so that the distances of a large pool stay in the processor's cache."""


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
        choices: tuple[int, ...],
        n_features: int = 0,
        described: tuple[int, ...] = (),
        generated: tuple[int, ...] = (),
    ) -> None:
        """`choices` counts those of each category; `described` and `generated` the columns of each group."""
        super().__init__()
        self.n_numeric, self.n_categorical, self.n_features = n_numeric, len(choices), n_features
        self.described, self.generated = described, generated
        width = n_numeric + len(choices) + len(generated)
        self._positive("main_variance", width, math.log(0.5 / width), 1.0)
        self._positive("interaction_variance", 1, math.log(0.5), 1.0)
        if n_numeric:
            self._positive("main_length", n_numeric, math.sqrt(2), math.sqrt(3))
            self._positive("length", n_numeric, math.sqrt(2) + 0.5 * math.log(n_numeric), math.sqrt(3))
        if choices:
            self._positive("category_scale", len(choices), 0.0, 1.0)
        if described:
            self._positive("described_variance", len(described), math.log(0.25 / max(width, 1)), 1.5)
        for g, size in enumerate((*described, *generated)):
            self._positive(f"group_length_{g}", size, math.sqrt(2) + 0.5 * math.log(size), math.sqrt(3))
        if n_features:
            self._positive("feature_variance", n_features, math.log(0.25), 1.5)
        self._lay_out(choices)

    def _lay_out(self, choices: tuple[int, ...]) -> None:
        """Where things are. `_smooth` (terms, most columns of one) holds the columns of every main effect of numbers,
        positions in the numbers and descriptors followed by a zero, which fills up; `_owner` and `_choice` (all
        choices,) name the category column and the code of each choice."""
        starts = torch.tensor([1] * self.n_numeric + [*self.described, *self.generated]).cumsum(0).tolist()
        terms = [list(range(a, b)) for a, b in zip([0, *starts], starts, strict=False)]
        widest = max(map(len, terms), default=0)
        smooth = [[*term, *[starts[-1]] * (widest - len(term))] for term in terms]
        self.register_buffer("_smooth", torch.tensor(smooth, dtype=torch.long), persistent=False)
        codes = [(c, code) for c, n in enumerate(choices) for code in range(n)]
        owner, choice = zip(*codes, strict=True) if codes else ((), ())
        self.register_buffer("_owner", torch.tensor(owner, dtype=torch.long), persistent=False)
        self.register_buffer("_choice", torch.tensor(choice, dtype=torch.float64), persistent=False)

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
        numbers1, numbers2 = self._numbers(x1), self._numbers(x2)
        interaction, mismatch = self.value_of("interaction_variance"), torch.zeros(1, dtype=x1.dtype)
        total = torch.zeros(1, dtype=x1.dtype)
        if len(self._smooth):
            total = self._main_effects(numbers1, numbers2)
        if self.n_categorical:
            codes1, codes2 = self._codes(x1), self._codes(x2)
            same = self.value_of("main_variance")[self.n_numeric :][self._owner]
            total = total + (codes1 * same) @ codes2.mT
            apart = 1 / (self.n_categorical * self.value_of("category_scale"))
            mismatch = apart.sum() - (codes1 * apart[self._owner]) @ codes2.mT
        if self.n_features:
            f = x1.shape[-1] - self.n_features
            total = total + (x1[..., f:] * self.value_of("feature_variance")) @ x2[..., f:].mT
        if not (self.n_numeric or self.generated):
            return total + interaction * torch.exp(-mismatch)
        columns, lengths = self._interacting()
        distance = torch.cdist(numbers1[..., columns] / lengths, numbers2[..., columns] / lengths)
        return total + interaction * matern(distance, mismatch)

    def _numbers(self, x: Tensor) -> Tensor:
        """(..., n, columns + 1): the numbers, the descriptors, and a zero."""
        k, end = self.n_numeric, x.shape[-1] - self.n_features
        return torch.cat([x[..., :k], x[..., k + self.n_categorical : end], torch.zeros_like(x[..., :1])], dim=-1)

    def _codes(self, x: Tensor) -> Tensor:
        """(..., n, all choices): 1 for those that a row has."""
        categories = x[..., self.n_numeric : self.n_numeric + self.n_categorical]
        chosen: Tensor = (categories[..., self._owner] == self._choice).to(x)
        return chosen

    def _lengths(self) -> list[Tensor]:
        """Those of the groups."""
        return [self.value_of(f"group_length_{g}") for g in range(len(self.described) + len(self.generated))]

    def _main_effects(self, numbers1: Tensor, numbers2: Tensor) -> Tensor:
        """(..., n, m) of numbers and groups, all terms at once."""
        k, c = self.n_numeric, self.n_numeric + self.n_categorical
        main = self.value_of("main_variance")
        weights = torch.cat([main[:k], *([self.value_of("described_variance")] if self.described else []), main[c:]])
        own = [self.value_of("main_length")] if k else []
        lengths = torch.cat([*own, *self._lengths(), torch.ones(1, dtype=main.dtype)])[self._smooth].unsqueeze(-2)
        scaled1, scaled2 = (x[..., self._smooth].movedim(-2, -3) / lengths for x in (numbers1, numbers2))
        effects: Tensor = torch.einsum("t,...tnm->...nm", weights, matern(torch.cdist(scaled1, scaled2)))
        return effects

    def _interacting(self) -> tuple[list[int], Tensor]:
        """The numbers and descriptors that interact, and their lengths."""
        told, made = self.n_numeric + sum(self.described), sum(self.generated)
        own = [self.value_of("length")] if self.n_numeric else []
        lengths = torch.cat([*own, *self._lengths()[len(self.described) :]])
        return [*range(self.n_numeric), *range(told, told + made)], lengths


def matern(distance: Tensor, less: Tensor | float = 0.0) -> Tensor:
    """Matern 5/2 correlation at a scaled distance, times exp(-less)."""
    r = math.sqrt(5) * distance
    return (1 + r + r.square() / 3) * torch.exp(-r - less)
