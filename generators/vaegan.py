"""The conditional VAE-GAN that proposes designs: a conditional VAE whose prior samples must also deceive a critic.

Larsen et al., ICML 2016 (arXiv 1512.09300). Designs are no images: reconstruction stays a likelihood per field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.critic import PACK, Critic, generated
from generators.network import Network
from generators.trained import Trained
from generators.training import Rows, Schedule, negative_elbo, train
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

CRITIC_WEIGHT = 0.2
"""Of the critic's opinion beside the evidence lower bound in nats."""


class VAEGAN(Trained):
    """A conditional VAE-GAN. Campaign keys as of `cvae`."""

    name = "vaegan"
    pack = PACK
    schedule = Schedule(steps=0, beta=0.02, rate=1.5e-2, batch=256)
    update = Schedule(steps=100, beta=0.02, beta_start=0.02, rate=2e-3)

    def __init__(self, corpus: int = 4000, steps: int = 450) -> None:
        super().__init__(corpus, steps)

    def learn(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None
    ) -> Network:
        critic = Critic(start, rows, schedule, seed=derive(seed, "critic"), weights=weights)

        def both(network: Network, batch: Rows, c: Tensor, generator: Generator, beta: float) -> Tensor:
            bound = negative_elbo(network, batch, c, generator, beta)
            return bound - CRITIC_WEIGHT * critic.score(generated(network, c, generator), c).mean()

        made = train(start, rows, schedule, seed=seed, weights=weights, loss=both, before=critic.learn)
        return critic.trained(made)
