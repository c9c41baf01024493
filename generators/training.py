"""Training of the conditional VAE: evidence lower bound with a ramped KL weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.network import Network, likelihood, one_thread, posterior, prior
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from generators.encoding import Encoding
    from loop.types import Design

LEVELS = 4
UNKNOWN = -1
DROPOUT = 0.3
"""Share of known levels hidden in training, so that the unconditional model stays trained."""
CONDITION_HASTE = 10.0
"""Learning rate of the condition's weights, which start at zero, over that of the rest."""
IMPORTANCE_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard to train. The KL weight rises linearly from `beta_start` to `beta` over the first 40 %
    of the steps; the learning rate falls from `rate` along a half cosine."""

    steps: int
    beta: float
    beta_start: float = 0.0
    rate: float = 6e-3
    batch: int = 128


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


def negative_elbo(network: Network, rows: Rows, c: Tensor, noise: Tensor, beta: float) -> Tensor:
    """Mean over the batch of -log p(x | z, c) + beta KL(q(z | x, c) || p(z | c))."""
    mean, log_var = posterior(network.weights, rows.inputs, c)
    prior_mean, prior_log_var = prior(network.weights, c)
    z = mean + (0.5 * log_var).exp() * noise
    distance = (log_var.exp() + (mean - prior_mean) ** 2) * (-prior_log_var).exp()
    kl = 0.5 * (prior_log_var - log_var + distance - 1.0).sum(1)
    return (beta * kl - log_likelihood(network, rows, z, c)).mean()


def train(start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None) -> Network:
    """The network after `schedule.steps` steps of Adam from `start`, which is left as it was. Rows are drawn with
    probability proportional to `weights` (n,), or evenly. The same arguments give the same weights, bit for bit."""
    import torch

    with torch.enable_grad(), one_thread():
        parameters = {name: w.clone().requires_grad_() for name, w in start.weights.items()}
        network = Network(start.shape, parameters)
        young = [p for name, p in parameters.items() if name.endswith(".condition")]
        old = [p for name, p in parameters.items() if not name.endswith(".condition")]
        groups = [{"params": old, "haste": 1.0}, {"params": young, "haste": CONDITION_HASTE}]
        optimiser = torch.optim.Adam([g for g in groups if g["params"]], lr=schedule.rate, fused=True)
        generator = torch.Generator().manual_seed(derive(seed, "train"))
        chances = torch.ones(len(rows.inputs)) if weights is None else torch.tensor(weights, dtype=torch.float32)
        draws = torch.multinomial(chances, schedule.steps * schedule.batch, replacement=True, generator=generator)
        for step, picked in enumerate(torch.split(draws, schedule.batch)):
            done = step / schedule.steps
            beta = schedule.beta_start + (schedule.beta - schedule.beta_start) * min(1.0, done / 0.4)
            for group in optimiser.param_groups:
                group["lr"] = group["haste"] * schedule.rate * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
            batch = rows.take(picked)
            c = one_hot_levels(_hide_some(batch.levels, generator))
            noise = torch.randn((schedule.batch, start.shape.latent), generator=generator, dtype=torch.float32)
            loss = negative_elbo(network, batch, c, noise, beta)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    return Network(start.shape, {name: w.detach() for name, w in parameters.items()})


def _hide_some(levels: Tensor, generator: Generator) -> Tensor:
    """Levels with some made UNKNOWN: all of a row, or single objectives of it."""
    import torch

    rows, objectives = levels.shape
    if not objectives:
        return levels
    hidden = torch.rand((rows, 1), generator=generator) < DROPOUT
    if objectives > 1:
        hidden = hidden | (torch.rand((rows, objectives), generator=generator) < DROPOUT)
    return levels.masked_fill(hidden, UNKNOWN)


def log_density(network: Network, rows: Rows) -> np.ndarray:
    """(n,) importance-weighted bounds on log p(x) (Burda, Grosse and Salakhutdinov, ICLR 2016, arXiv 1509.00519),
    IMPORTANCE_SAMPLES each, all levels unknown, the noise fixed."""
    import torch

    generator = torch.Generator().manual_seed(0)
    samples, n = IMPORTANCE_SAMPLES, len(rows.inputs)
    with torch.no_grad(), one_thread():
        c = torch.zeros((n, network.shape.condition), dtype=torch.float32)
        mean, log_var = posterior(network.weights, rows.inputs, c)
        bounds = []
        for _ in range(samples):
            noise = torch.randn((1, network.shape.latent), generator=generator, dtype=torch.float32)
            z = mean + (0.5 * log_var).exp() * noise
            ratio = 0.5 * (noise**2 + log_var - z**2).sum(1)  # log p(z) - log q(z | x)
            bounds.append(log_likelihood(network, rows, z, c) + ratio)
        return (torch.stack(bounds).logsumexp(0) - math.log(samples)).double().numpy()
