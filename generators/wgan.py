"""The conditional Wasserstein GAN that proposes designs.

Its decoder learns from a critic alone. An encoder is fitted afterwards by the evidence lower bound, the decoder held
still: it finds the latent points of known designs and bounds the density. A GAN reconstructs what it happens to be able
to make, so its reconstruction is measured and is no gate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generators.critic import PACK, Critic, generated
from generators.network import Network
from generators.trained import Trained
from generators.training import Rows, Schedule, train
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

ENCODER_RATE = 4e-3


class WGAN(Trained):
    """A conditional Wasserstein GAN with gradient penalty and packing. Campaign keys as of `cvae`."""

    name = "wgan"
    pack = PACK
    reconstructs = False
    schedule = Schedule(steps=0, beta=0.02, rate=3e-3, momentum=0.5)
    update = Schedule(steps=300, beta=0.02, beta_start=0.02, rate=1.5e-3, momentum=0.5)

    def __init__(self, corpus: int = 4000, steps: int = 450) -> None:
        super().__init__(corpus, steps)

    def learn(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None
    ) -> Network:
        critic = Critic(start, rows, schedule, seed=derive(seed, "critic"), weights=weights)

        def deceive(network: Network, batch: Rows, c: Tensor, generator: Generator, beta: float) -> Tensor:
            return -critic.score(generated(network, c, generator), c).mean()

        made = train(
            start, rows, schedule, seed=seed, weights=weights, loss=deceive, parts=("decoder", "prior"),
            before=critic.learn,
        )  # fmt: skip
        slow = replace(schedule, rate=ENCODER_RATE, momentum=0.9)
        return train(
            critic.trained(made), rows, slow, seed=derive(seed, "encoder"), weights=weights, parts=("encoder",)
        )
