"""The covariance of the surrogates. Imported only by functions that need torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior
from torch import Tensor

BLOCK = 2**14
"""Pairs worked out at once, so that the differences of a large pool stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How pairs of designs differ: `squares` (numbers and descriptors, ...) of the differences, `different`
    (categories, ...) 1 where the choices do, and `products` (features, ...). No hyperparameter is in it."""

    squares: Tensor
    different: Tensor
    products: Tensor


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
    feature). Written as one kernel of differences, which a fit works out once: of 100 records with nine fields it and
    its gradient take 2 to 4 ms, where distances by `cdist` took 10 to 15, and the same sum composed of GPyTorch kernels
    two to four times as long as that.

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
        """`described` and `generated` count the columns of each group."""
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
        self._lay_out()

    def _lay_out(self) -> None:
        """Where the inverse squared lengths stand in the matrix that turns squares into squared distances: a row for
        each main effect of numbers, descriptors and molecules, and the last for the interaction; a column for each
        number and descriptor."""
        k, told, sizes = self.n_numeric, self.n_numeric + sum(self.described), (*self.described, *self.generated)
        columns = told + sum(self.generated)
        owners = [*range(k), *(k + g for g, size in enumerate(sizes) for _ in range(size))]
        interacting = [*range(k), *range(told, columns)]
        rows = owners + [k + len(sizes)] * len(interacting)
        self._terms, self._columns = k + len(sizes), columns
        self.register_buffer("_rows", torch.tensor(rows, dtype=torch.long), persistent=False)
        at = torch.tensor([*range(columns), *interacting], dtype=torch.long)
        self.register_buffer("_at", at, persistent=False)

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
            return self.covariance(self.apart(x1, x2))
        blocks = torch.split(x1.unsqueeze(-2), max(1, BLOCK // x2.shape[-2]), dim=-3)
        return torch.cat([self.covariance(self.apart(rows, x2.unsqueeze(-3))) for rows in blocks], dim=-2)

    def apart(self, x1: Tensor, x2: Tensor) -> Apart:
        """How the rows of x1 (..., width) differ from those of x2 (..., width), broadcast against each other."""
        k, f = self.n_numeric, x1.shape[-1] - self.n_features
        c = k + self.n_categorical

        def columns(x: Tensor, *parts: slice) -> Tensor:
            return torch.cat([x[..., part] for part in parts], dim=-1).movedim(-1, 0)

        numbers, chosen, features = (slice(k), slice(c, f)), slice(k, c), slice(f, None)
        return Apart(
            (columns(x1, *numbers) - columns(x2, *numbers)).square(),
            (columns(x1, chosen) != columns(x2, chosen)).to(x1),
            columns(x1, features) * columns(x2, features),
        )

    def covariance(self, pairs: Apart) -> Tensor:
        """(...) of pairs of designs."""
        k, c = self.n_numeric, self.n_numeric + self.n_categorical
        shape = pairs.squares.shape[1:]
        squares, different, products = (part.flatten(1) for part in (pairs.squares, pairs.different, pairs.products))
        smooth = matern(self._metric() @ squares)
        main, interaction = self.value_of("main_variance"), self.value_of("interaction_variance")
        weights = torch.cat([main[:k], *([self.value_of("described_variance")] if self.described else []), main[c:]])
        total, together = weights @ smooth[:-1], interaction * smooth[-1]
        if self.n_categorical:
            apart = 1 / (self.n_categorical * self.value_of("category_scale"))
            unlike, mismatch = torch.stack([main[k:c], apart]) @ different
            total, together = total + main[k:c].sum() - unlike, together * torch.exp(-mismatch)
        if self.n_features:
            total = total + self.value_of("feature_variance") @ products
        covariance: Tensor = (total + together).reshape(shape)
        return covariance

    def _metric(self) -> Tensor:
        """(terms + 1, columns) inverse squared lengths, as `_lay_out` says."""
        groups = [self.value_of(f"group_length_{g}") for g in range(len(self.described) + len(self.generated))]
        main, own = ([self.value_of(name)] if self.n_numeric else [] for name in ("main_length", "length"))
        lengths = [*main, *groups, *own, *groups[len(self.described) :]]
        metric = torch.zeros(self._terms + 1, self._columns, dtype=torch.float64)
        return metric.index_put((self._rows, self._at), torch.cat(lengths) ** -2) if lengths else metric


class Matern(torch.autograd.Function):
    """Matern 5/2 correlation at squared distances; its slope is finite at 0, which that at distances is not."""

    @staticmethod
    def forward(context: Any, squares: Tensor) -> Tensor:
        r = (5 * squares).sqrt()
        decay = torch.exp(-r)
        context.save_for_backward(r, decay)
        return (1 + r + r.square() / 3) * decay

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> Tensor:
        r, decay = context.saved_tensors
        slope: Tensor = slopes[0] * (1 + r) * decay * (-5 / 6)
        return slope


def matern(squares: Tensor) -> Tensor:
    """Matern 5/2 correlation at squared scaled distances."""
    correlation: Tensor = Matern.apply(squares)  # type: ignore[no-untyped-call]
    return correlation
