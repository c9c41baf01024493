"""The conditional variational autoencoder that proposes designs: the default family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.network import Network
from generators.trained import Trained
from generators.training import Rows, Schedule, train

if TYPE_CHECKING:
    import numpy as np


class CVAE(Trained):
    """A conditional VAE over any space. Campaign keys: `corpus`, the number of rule-valid designs to learn from, and
    `steps`, the length of the first training."""

    name = "cvae"
    schedule = Schedule(steps=0, beta=0.02, rate=1.5e-2, batch=256)
    update = Schedule(steps=300, beta=0.02, beta_start=0.02, rate=2e-3)

    def __init__(self, corpus: int = 4000, steps: int = 700) -> None:
        super().__init__(corpus, steps)

    def learn(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None
    ) -> Network:
        return train(start, rows, schedule, seed=seed, weights=weights)
