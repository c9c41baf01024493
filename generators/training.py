"""The one training loop of every family, and the evidence lower bound with a ramped KL weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.network import Network, likelihood, one_thread, posterior, prior
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from generators.encoding import Encoding
    from loop.types import Design

    Loss = Callable[[Network, "Rows", Tensor, Generator, float], Tensor]
    Before = Callable[[Network, int, Generator], None]

LEVELS = 4
UNKNOWN = -1
DROPOUT = 0.3
"""Share of known levels hidden in training, so that the unconditional model stays trained."""
CONDITION_HASTE = 10.0
"""Learning rate of the condition's weights, which start at zero, over that of the rest."""
IMPORTANCE_SAMPLES = 32
SYMBOL_WEIGHT = 0.5
"""Of a molecule's symbol in the loss; with 1, twenty symbols leave numbers 0.14 of their range off, with 0.25 half as
many molecules come back."""
AUTOENCODER = ("encoder", "decoder", "prior")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard to train. The KL weight rises linearly from `beta_start` to `beta` over the first 40 %
    of the steps; the learning rate falls from `rate` along a half cosine. `momentum` is Adam's first."""

    steps: int
    beta: float
    beta_start: float = 0.0
    rate: float = 6e-3
    batch: int = 128
    momentum: float = 0.9

    def rate_at(self, step: int) -> float:
        return self.rate * (0.02 + 0.49 * (1 + math.cos(math.pi * (step / self.steps))))

    def beta_at(self, step: int) -> float:
        return self.beta_start + (self.beta - self.beta_start) * min(1.0, step / self.steps / 0.4)


@dataclass(frozen=True, slots=True)
class Rows:
    """Training rows as tensors: network input (n, width), index of each choice (n, C), numbers (n, M), whether each
    of those fields was free to vary (n, C + M), and levels (n, objectives), UNKNOWN or 0 .. 3."""

    inputs: Tensor
    choices: Tensor
    numbers: Tensor
    free: Tensor
    levels: Tensor

    def take(self, index: Tensor) -> Rows:
        return Rows(*(getattr(self, name).index_select(0, index) for name in self.__slots__))


def training_rows(encoding: Encoding, designs: Sequence[Design], levels: np.ndarray | None = None) -> Rows:
    """The designs as training rows; without `levels` no objective is known."""
    import numpy as np
    import torch

    fields = encoding.fields(designs)
    return Rows(
        torch.tensor(encoding.rows(fields), dtype=torch.float32),
        torch.from_numpy(fields.choices),
        torch.tensor(fields.numbers, dtype=torch.float32),
        torch.tensor(np.hstack([fields.free_choices, fields.free_numbers]), dtype=torch.float32),
        torch.tensor(np.zeros((len(designs), 0)) if levels is None else levels, dtype=torch.int64),
    )


def learning_rows(encoding: Encoding, designs: Sequence[Design], levels: np.ndarray | None = None) -> Rows:
    """As `training_rows`, to learn from: the symbols of generated molecules weigh less, being many fields."""
    import torch

    rows = training_rows(encoding, designs, levels)
    for column, p in enumerate(encoding.categorical):
        if p.name in encoding.symbols:
            rows.free[:, column] *= torch.tensor(SYMBOL_WEIGHT)
    return rows


def one_hot_levels(levels: Tensor) -> Tensor:
    """(n, 4 * objectives) condition rows: one-hot per objective, all zero where the level is unknown."""
    import torch

    if not levels.shape[1]:
        return torch.zeros((len(levels), 0), dtype=torch.float32)
    known = torch.arange(LEVELS) == levels.unsqueeze(2)
    return known.to(torch.float32).reshape(len(levels), -1)


def log_likelihood(network: Network, rows: Rows, z: Tensor, c: Tensor) -> Tensor:
    """(n,) log p(x | z, c) over the free fields: categorical, and normal in fractions of the range."""
    import torch

    logits, mean, sd = likelihood(network.weights, network.shape, z, c)
    chosen = logits.gather(2, rows.choices.unsqueeze(2)).squeeze(2)
    normal = -0.5 * ((rows.numbers - mean) / sd) ** 2 - sd.log() - 0.5 * math.log(2 * math.pi)
    return (torch.cat([chosen, normal], dim=1) * rows.free).sum(1)


def negative_elbo(network: Network, rows: Rows, c: Tensor, generator: Generator, beta: float) -> Tensor:
    """Mean over the batch of -log p(x | z, c) + beta KL(q(z | x, c) || p(z | c))."""
    import torch

    noise = torch.randn((len(rows.inputs), network.shape.latent), generator=generator, dtype=torch.float32)
    mean, log_var = posterior(network.weights, rows.inputs, c)
    prior_mean, prior_log_var = prior(network.weights, c)
    z = mean + (0.5 * log_var).exp() * noise
    distance = (log_var.exp() + (mean - prior_mean) ** 2) * (-prior_log_var).exp()
    kl = 0.5 * (prior_log_var - log_var + distance - 1.0).sum(1)
    return (beta * kl - log_likelihood(network, rows, z, c)).mean()


def train(
    start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None,
    loss: Loss = negative_elbo, parts: Sequence[str] = AUTOENCODER, before: Before | None = None,
) -> Network:  # fmt: skip
    """The network after `schedule.steps` steps of Adam from `start`, which is left as it was; only `parts` learn. Rows
    are drawn with probability proportional to `weights` (n,), or evenly. `before` is called at every step with the
    network as it stands. The same arguments give the same weights, bit for bit."""
    import torch

    with torch.enable_grad(), one_thread():
        learning = {n: w.clone().requires_grad_() for n, w in start.weights.items() if n.split(".")[0] in parts}
        network = Network(start.shape, {**start.weights, **learning})
        optimiser = Optimiser(learning, schedule)
        generator = torch.Generator().manual_seed(derive(seed, "train"))
        draws = drawn(rows, schedule.steps * schedule.batch, weights, generator)
        for step, picked in enumerate(torch.split(draws, schedule.batch)):
            if before is not None:
                before(network, step, generator)
            batch = rows.take(picked)
            c = conditions(batch.levels, generator)
            optimiser.step(loss(network, batch, c, generator, schedule.beta_at(step)), step)
    return Network(start.shape, {name: w.detach() for name, w in network.weights.items()})


class Optimiser:
    """Adam over named weights, those of the condition in more haste, at the schedule's rate. It is torch's function and
    not its class, which takes a second to import what compiles models."""

    def __init__(self, weights: Mapping[str, Tensor], schedule: Schedule) -> None:
        self._weights, self._schedule = weights, schedule
        young = [name for name in weights if name.endswith(".condition")]
        self._groups = [([name for name in weights if name not in young], 1.0), (young, CONDITION_HASTE)]
        self._memory = {n: (w.new_zeros(w.shape), w.new_zeros(w.shape), w.new_zeros(())) for n, w in weights.items()}

    def step(self, loss: Tensor, step: int) -> None:
        """One step down the loss; a weight that it does not depend on stays."""
        import torch
        from torch.optim.adam import adam

        found = torch.autograd.grad(loss, list(self._weights.values()), allow_unused=True)
        gradients = {name: g for name, g in zip(self._weights, found, strict=True) if g is not None}
        for group, haste in self._groups:
            moved = [name for name in group if name in gradients]
            means, squares, counts = ([self._memory[name][i] for name in moved] for i in range(3))
            with torch.no_grad():
                adam(
                    [self._weights[name] for name in moved], [gradients[name] for name in moved],
                    means, squares, [], counts, fused=True, amsgrad=False, maximize=False, weight_decay=0.0, eps=1e-8,
                    lr=haste * self._schedule.rate_at(step), beta1=self._schedule.momentum, beta2=0.999,
                )  # fmt: skip


def drawn(rows: Rows, n: int, weights: np.ndarray | None, generator: Generator) -> Tensor:
    """(n,) indices of rows, with replacement."""
    import torch

    chances = torch.ones(len(rows.inputs)) if weights is None else torch.tensor(weights, dtype=torch.float32)
    return torch.multinomial(chances, n, replacement=True, generator=generator)


def conditions(levels: Tensor, generator: Generator) -> Tensor:
    """Condition rows of the levels with some made UNKNOWN: all of a row, or single objectives of it."""
    import torch

    rows, objectives = levels.shape
    if objectives:
        hidden = torch.rand((rows, 1), generator=generator) < DROPOUT
        if objectives > 1:
            hidden = hidden | (torch.rand((rows, objectives), generator=generator) < DROPOUT)
        levels = levels.masked_fill(hidden, UNKNOWN)
    return one_hot_levels(levels)


def log_density(network: Network, rows: Rows, *, levels_known: bool = False) -> np.ndarray:
    """(n,) importance-weighted bounds on log p(x), or with `levels_known` on log p(x | levels of the rows) (Burda,
    Grosse and Salakhutdinov, ICLR 2016, arXiv 1509.00519), IMPORTANCE_SAMPLES each, the noise fixed."""
    import torch

    generator = torch.Generator().manual_seed(0)
    samples, n = IMPORTANCE_SAMPLES, len(rows.inputs)
    with torch.no_grad(), one_thread():
        c = one_hot_levels(rows.levels) if levels_known else torch.zeros((n, network.shape.condition))
        mean, log_var = posterior(network.weights, rows.inputs, c)
        prior_mean, prior_log_var = prior(network.weights, c)
        bounds = []
        for _ in range(samples):
            noise = torch.randn((1, network.shape.latent), generator=generator, dtype=torch.float32)
            z = mean + (0.5 * log_var).exp() * noise
            off = (z - prior_mean) ** 2 * (-prior_log_var).exp()
            ratio = 0.5 * (noise**2 + log_var - off - prior_log_var).sum(1)  # log p(z | c) - log q(z | x, c)
            bounds.append(log_likelihood(network, rows, z, c) + ratio)
        return (torch.stack(bounds).logsumexp(0) - math.log(samples)).double().numpy()
