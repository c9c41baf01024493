"""Encoder, decoder, prior and critic of every family, as pure functions of their weights.

The conditional variational autoencoder: Kingma and Welling, ICLR 2014 (arXiv 1312.6114), with a learned prior p(z|c)
after Sohn, Lee and Yan, NeurIPS 2015. The floor under the numeric standard deviation keeps numbers from starving the
categories of training (Ma et al., VAEM, NeurIPS 2020, arXiv 2006.11941). Every tensor is float32 on the CPU; torch's
global random state and default type are neither read nor changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Weights = Mapping[str, Tensor]

SD_FLOOR = 0.1
"""Smallest standard deviation of a number, as a fraction of its range."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network: input width, condition width, latent dimensions, hidden units, choices of each
    categorical field, and numeric fields."""

    inputs: int
    condition: int
    latent: int
    hidden: int
    sizes: tuple[int, ...]
    numbers: int

    @property
    def outputs(self) -> int:
        return len(self.sizes) * self.widest + 2 * self.numbers

    @property
    def features(self) -> int:
        """Columns of a design as a critic sees it: one-hot blocks and numbers."""
        return sum(self.sizes) + self.numbers

    @property
    def widest(self) -> int:
        return max(self.sizes, default=1)


@dataclass(frozen=True, slots=True)
class Heads:
    """What the decoder says of n latent points: `logits` (n, C, widest), minus infinity beyond a field's choices;
    `mean` and `sd` (n, M) of the numbers, as fractions of the range."""

    logits: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def take(self, points: Sequence[int]) -> Heads:
        """The heads at some of the points."""
        index = list(points)
        return Heads(self.logits[index], self.mean[index], self.sd[index])


def initial_weights(shape: Shape, seed: int, *, pack: int = 0) -> dict[str, Tensor]:
    """Weights of an unconditional network: uniform in +-1/sqrt(inputs), biases zero. With `pack` there is a critic,
    which judges that many designs together."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    for part, first, last in (
        ("encoder", shape.inputs, 2 * shape.latent),
        ("decoder", shape.latent, shape.outputs),
        *((("critic", pack * shape.features, 1),) if pack else ()),
    ):
        layers = ((first, shape.hidden), (shape.hidden, shape.hidden), (shape.hidden, last))
        for i, (width_in, width_out) in enumerate(layers):
            bound = 1.0 / math.sqrt(max(width_in, 1))
            matrix = torch.rand((width_out, width_in), generator=generator, dtype=torch.float32)
            weights[f"{part}.{i}.weight"] = (2.0 * matrix - 1.0) * bound
            weights[f"{part}.{i}.bias"] = torch.zeros(width_out, dtype=torch.float32)
    return weights


def conditioned(network: Network, width: int) -> Network:
    """The same network ready to learn from conditions of `width` columns. Their weights start at zero, so that an
    untrained condition changes nothing."""
    import torch

    shape = replace(network.shape, condition=width)
    sizes = {"encoder": (shape.hidden, width), "decoder": (shape.hidden, width), "prior": (2 * shape.latent, width)}
    if "critic.0.weight" in network.weights:
        pack = network.weights["critic.0.weight"].shape[1] // shape.features
        sizes["critic"] = (shape.hidden, pack * width)
    weights = {f"{part}.condition": torch.zeros(size, dtype=torch.float32) for part, size in sizes.items()}
    return Network(shape, {**network.weights, **weights})


def layers(weights: Weights, part: str, x: Tensor, c: Tensor) -> Tensor:
    """The part's three linear layers on rows x, conditions c entering at the first."""
    from torch.nn.functional import linear, silu

    h = linear(x, weights[f"{part}.0.weight"], weights[f"{part}.0.bias"])
    if c.shape[1]:
        h = h + linear(c, weights[f"{part}.condition"])
    h = silu(linear(silu(h), weights[f"{part}.1.weight"], weights[f"{part}.1.bias"]))
    return linear(h, weights[f"{part}.2.weight"], weights[f"{part}.2.bias"])


def posterior(weights: Weights, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance, each (n, latent), of q(z | x, c)."""
    mean, log_var = layers(weights, "encoder", x, c).chunk(2, dim=1)
    return mean, log_var.clamp(-8.0, 4.0)


def prior(weights: Weights, c: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance, each (n, latent), of p(z | c): standard normal where everything is unknown."""
    import torch
    from torch.nn.functional import linear

    if not c.shape[1]:
        standard = torch.zeros((len(c), weights["decoder.0.weight"].shape[1]), dtype=torch.float32)
        return standard, standard
    mean, log_var = linear(c, weights["prior.condition"]).chunk(2, dim=1)
    return mean, log_var.clamp(-4.0, 2.0)


def likelihood(weights: Weights, shape: Shape, z: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log probabilities (n, C, widest), mean and sd (n, M) of p(x | z, c)."""
    import torch
    from torch.nn.functional import log_softmax, softplus

    out = layers(weights, "decoder", z, c)
    fields = len(shape.sizes)
    split = fields * shape.widest
    beyond = torch.arange(shape.widest) >= torch.tensor(shape.sizes, dtype=torch.int64).unsqueeze(1)
    logits = out[:, :split].reshape(len(z), fields, shape.widest)
    if fields:
        logits = log_softmax(logits.masked_fill(beyond, -torch.inf), dim=2)
    mean, spread = out[:, split:].chunk(2, dim=1)
    return logits, torch.sigmoid(mean), SD_FLOOR + softplus(spread - 3.0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread, for results that repeat bit for bit; the number of threads is restored."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True)
class Network:
    """Weights and shape together, numpy in and numpy out."""

    shape: Shape
    weights: Weights

    @property
    def finite(self) -> bool:
        return all(bool(weight.isfinite().all()) for weight in self.weights.values())

    def encode(self, rows: np.ndarray, condition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log variance, each (n, latent), of rows (n, inputs) under conditions (n, condition)."""
        import torch

        with torch.no_grad(), one_thread():
            mean, log_var = posterior(self.weights, _tensor(rows), _tensor(condition))
        return mean.numpy(), log_var.numpy()

    def decode(self, z: np.ndarray, condition: np.ndarray) -> Heads:
        """The heads at latent points z (n, latent) under conditions (n, condition)."""
        import torch

        with torch.no_grad(), one_thread():
            heads = likelihood(self.weights, self.shape, _tensor(z), _tensor(condition))
        return Heads(*(head.numpy() for head in heads))

    def sample_prior(self, condition: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n, latent) draws from p(z | c), one per row of conditions."""
        import numpy as np
        import torch

        with torch.no_grad(), one_thread():
            mean, log_var = (t.numpy() for t in prior(self.weights, _tensor(condition)))
        return mean + np.exp(0.5 * log_var) * rng.standard_normal(mean.shape, dtype=np.float32)


def _tensor(array: np.ndarray) -> Tensor:
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
