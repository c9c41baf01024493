"""A critic that tells packs of corpus designs from packs of generated ones.

Wasserstein distance with gradient penalty: Arjovsky, Chintala and Bottou, ICML 2017 (arXiv 1701.07875); Gulrajani et
al., NeurIPS 2017 (arXiv 1704.00028). Packing against mode collapse: Lin et al., NeurIPS 2018 (arXiv 1712.04086).
Choices are generated as Gumbel-softmax draws: Jang, Gu and Poole, ICLR 2017 (arXiv 1611.01144).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.network import Network, Shape, layers, likelihood, prior
from generators.training import Optimiser, Rows, Schedule, conditions, drawn

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

PACK = 2
PENALTY = 5.0
STEPS = 2
"""Critic steps per step of the generator."""
SOFTNESS = 0.3
"""Temperature of the relaxed choices."""


class Critic:
    """Learns beside a generator: `learn` is the `before` of `train`, `score` the generator's aim.

    A critic must not see what pinned fields hold: in corpus designs they take the value of some design where the field
    is free, so that what the decoder says of them does not matter, as in the likelihood.
    """

    def __init__(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None
    ) -> None:
        import torch

        self.shape, self._levels, self._schedule = start.shape, rows.levels, schedule
        self.weights = {n: w.clone().requires_grad_() for n, w in start.weights.items() if n.startswith("critic.")}
        self._optimiser = Optimiser(self.weights, schedule)
        generator = torch.Generator().manual_seed(seed)
        self._real = free_features(start.shape, rows, generator)
        self._picked = drawn(rows, STEPS * schedule.steps * schedule.batch, weights, generator).view(
            schedule.steps, STEPS, schedule.batch
        )

    def learn(self, network: Network, step: int, generator: Generator) -> None:
        import torch

        for picked in self._picked[step]:
            c = conditions(self._levels.index_select(0, picked), generator)
            with torch.no_grad():
                fake = generated(network, c, generator)
            real = self._real.index_select(0, picked)
            loss = self.score(fake, c).mean() - self.score(real, c).mean() + self._penalty(real, fake, c, generator)
            self._optimiser.step(loss, step)

    def score(self, features: Tensor, c: Tensor) -> Tensor:
        """(n / PACK,) the critic's opinion, higher for what looks like the corpus."""
        packs = len(features) // PACK
        return layers(self.weights, "critic", features.reshape(packs, -1), c.reshape(packs, -1)).squeeze(1)

    def _penalty(self, real: Tensor, fake: Tensor, c: Tensor, generator: Generator) -> Tensor:
        """How far the critic's slope is from 1 between real and generated packs."""
        import torch

        share = torch.rand((len(real) // PACK, 1), generator=generator).repeat_interleave(PACK, dim=0)
        between = torch.lerp(fake, real, share).requires_grad_()
        (slope,) = torch.autograd.grad(self.score(between, c).sum(), between, create_graph=True)
        steepness: Tensor = slope.reshape(len(real) // PACK, -1).norm(dim=1)
        return PENALTY * ((steepness - 1.0) ** 2).mean()

    def trained(self, network: Network) -> Network:
        """The network with this critic's weights."""
        return Network(network.shape, {**network.weights, **{n: w.detach() for n, w in self.weights.items()}})


def generated(network: Network, c: Tensor, generator: Generator) -> Tensor:
    """(n, features) relaxed designs drawn from the prior, one per row of conditions."""
    import torch

    mean, log_var = prior(network.weights, c)
    z = mean + (0.5 * log_var).exp() * torch.randn((len(c), network.shape.latent), generator=generator)
    logits, mean, sd = likelihood(network.weights, network.shape, z, c)
    gumbel = -torch.empty_like(logits).exponential_(generator=generator).log()
    chosen = torch.softmax((logits + gumbel) / SOFTNESS, dim=2) if network.shape.sizes else logits
    numbers = mean + sd * torch.randn(mean.shape, generator=generator)
    return torch.cat([_blocks(network.shape, chosen), numbers.clamp(0.0, 1.0)], dim=1)


def free_features(shape: Shape, rows: Rows, generator: Generator) -> Tensor:
    """(n, features) the rows as the critic sees them, every pinned field filled from a row where it is free."""
    import torch
    from torch.nn.functional import one_hot

    choices, numbers = rows.choices.clone(), rows.numbers.clone()
    columns = [*choices.unbind(1), *numbers.unbind(1)]
    for column, free in zip(columns, rows.free.bool().unbind(1), strict=True):
        donors = free.nonzero().squeeze(1)
        if 0 < len(donors) < len(free):
            index = torch.randint(len(donors), (int((~free).sum()),), generator=generator)
            column[~free] = column[donors[index]]
    hot = one_hot(choices, shape.widest).to(torch.float32) if shape.sizes else choices.float().unsqueeze(2)
    return torch.cat([_blocks(shape, hot), numbers], dim=1)


def _blocks(shape: Shape, choices: Tensor) -> Tensor:
    """(n, sum of sizes) of (n, C, widest): one block per field, as wide as it has choices."""
    import torch

    blocks = [choices[:, i, :size] for i, size in enumerate(shape.sizes)]
    return torch.cat(blocks, dim=1) if blocks else choices.reshape(len(choices), 0)
