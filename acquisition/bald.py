"""All of a batch to learn which model is right."""

from __future__ import annotations

import sys

import numpy as np

from acquisition.batch import Batch, Stage
from acquisition.informative import Learner
from acquisition.surrogate import Surrogate


class BALD(Learner):
    """Every pick is the design on whose value the models of the ensemble disagree most, so that its answer says most
    about the hyperparameters: how fast properties change with what, and which parameters matter (Bayesian active
    learning by disagreement: Houlsby, Huszar, Ghahramani & Lengyel, arXiv 1112.5745). It always has an ensemble,
    however many records there are.
    """

    kind = "bald"
    settled = sys.maxsize

    def _learn(self, stage: Stage, batch: Batch, q: int) -> None:
        models = [Disagreement(surrogate, stage.rows) for surrogate in stage.surrogates]
        for i in [*stage.pending, *batch.chosen]:
            for model in models:
                model.observe(i)
        for _ in range(q):
            gains = np.sum([model.gains(stage.pool) for model in models], axis=0)
            chosen = batch.take("learn", np.log(np.maximum(gains, 1e-300)))
            for model in models:
                model.observe(chosen)


class Disagreement:
    """The members of one surrogate's ensemble at a set of designs, as further designs are observed."""

    def __init__(self, surrogate: Surrogate, rows: np.ndarray) -> None:
        """`rows` (n, width) are the encoded designs."""
        self._noise = surrogate.usual_noise
        members = [(mean.numpy(), covariance.numpy()) for mean, covariance in surrogate.joints(rows)]
        self._means = np.stack([mean for mean, _ in members])
        self._covariances = [covariance.copy() for _, covariance in members]

    def gains(self, n: int) -> np.ndarray:
        """(n,) information in nats that a noisy value of each of the first n designs gives about which member is right:
        the entropy of their mixture, taken as normal, less the mean of their own."""
        own = np.stack([np.maximum(c.diagonal()[:n], 0) for c in self._covariances]) + self._noise
        mixed = own.mean(0) + self._means[:, :n].var(0)
        return np.asarray(0.5 * (np.log(mixed) - np.log(own).mean(0)))

    def observe(self, i: int) -> None:
        """Take design i as observed, with the value that the members expect on average (kriging believer: Ginsbourger,
        Le Riche & Carraro, Comput. Intell. Expensive Optim. Probl. (2010) 131)."""
        believed = self._means[:, i].mean()
        for mean, covariance in zip(self._means, self._covariances, strict=True):
            column = covariance[:, i].copy()
            weight = column / (column[i] + self._noise)
            mean += weight * (believed - mean[i])
            covariance -= np.outer(weight, column)
