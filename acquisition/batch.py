"""A batch: what it is taken from, how it is shared between improving and learning, and how learning and exploring picks
are found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acquisition.encoding import Encoding
from acquisition.search import SOURCE, VARIATION
from acquisition.surrogate import Surrogate
from loop.types import Design, Pick, Proposal

if TYPE_CHECKING:
    from acquisition.finite import FinitePosterior

REFERENCE_POINTS = 256


@dataclass(frozen=True)
class Stage:
    """What a batch is chosen from: the encoded `rows` (n, width) and the joint posterior of the pool (positions
    0 .. pool - 1), the observed designs and the pending ones."""

    surrogates: Sequence[Surrogate]
    rows: np.ndarray
    posterior: FinitePosterior
    pool: int
    observed: range
    pending: range
    seed: int


class Batch:
    """Picks taken one after another from a pool. To every log score the log probability of feasibility is added, and
    the discount for what the design costs; all (n,)."""

    def __init__(self, pool: Sequence[Proposal], log_feasibility: np.ndarray, log_discount: np.ndarray) -> None:
        self.pool, self.log_feasibility = pool, log_feasibility
        self._allowance = log_feasibility + log_discount
        self._left = np.zeros(len(pool))
        self.chosen: list[int] = []
        self.picks: list[Pick] = []

    def take(self, role: str, scores: np.ndarray, *, weighed: bool = True) -> int:
        """Take the design with the best score (n,), the first of equals, and return its position. Without `weighed` the
        scores have feasibility in them already, and no discount."""
        values = scores + (self._allowance if weighed else self._left)
        best = int(np.argmax(values))
        self.picks.append(Pick(self.pool[best], role, float(values[best])))
        self.chosen.append(best)
        self._allowance[best] = self._left[best] = -np.inf
        return best

    def best(self, scores: np.ndarray, n: int) -> np.ndarray:
        """Positions of the n designs that are left with the best weighed scores, those given being (pool,)."""
        return np.argsort(-(scores + self._allowance), kind="stable")[:n]


def learning_share(q: int, decided: int, split: float, until: int | None = None) -> int:
    """How many of the next q picks learn, when `decided` designs were decided before: over a campaign the share is
    `split` however the picks are batched (with a half: every second pick when they come one at a time). Once `until`
    designs are decided none learns."""
    end = decided + q if until is None else max(decided, min(decided + q, until))
    return math.floor(end * split + 1e-9) - math.floor(decided * split + 1e-9)


def is_added(generator: str) -> bool:
    """Whether a source adds to the pool beside the generator, and what it adds crowds few places."""
    return generator in (SOURCE, VARIATION) or generator.endswith(":synthetic")


def reference(pool: Sequence[Proposal], seed: int) -> list[int]:
    """Positions of up to 256 pool members that stand for the designs that matter: the generator's prior samples
    (source `...:prior`), or the whole pool where it has none, without what was added to it, which crowds few places."""
    prior = [i for i, proposal in enumerate(pool) if proposal.generator.endswith(":prior")]
    drawn = [i for i, proposal in enumerate(pool) if not is_added(proposal.generator)]
    members = prior or drawn or list(range(len(pool)))
    if len(members) <= REFERENCE_POINTS:
        return members
    chosen = np.random.default_rng(seed).choice(len(members), REFERENCE_POINTS, replace=False)
    return [members[i] for i in sorted(chosen)]


class Learning:
    """By how much an observation at each design would lower the variance averaged over the reference points, summed
    over the objectives, each standardised, so that all count alike.

    BoTorch's qNegIntegratedPosteriorVariance up to a constant (Seo et al., IJCNN 2000), by the rank-one update that is
    exact for a Gaussian process: mean over points of cov(point, x)^2 / (var(x) + noise).

    `covariances` holds one (n, n) posterior covariance per objective, `noises` the noise variance of a new observation.
    """

    def __init__(self, covariances: Sequence[np.ndarray], noises: Sequence[float], points: Sequence[int]) -> None:
        self._covariances = [np.array(covariance) for covariance in covariances]
        self._noises = list(noises)
        self._points = list(points)

    def observe(self, i: int) -> None:
        """Take design i as observed (the value does not matter to the variance)."""
        for covariance, noise in zip(self._covariances, self._noises, strict=True):
            column = covariance[:, i].copy()
            covariance -= np.outer(column, column / (column[i] + noise))

    def gains(self, n: int) -> np.ndarray:
        """(n,) of the first n designs."""
        total = np.zeros(n)
        for covariance, noise in zip(self._covariances, self._noises, strict=True):
            variance = np.maximum(covariance.diagonal()[:n], 0)
            total += np.square(covariance[:n, self._points]).mean(1) / (variance + noise)
        return total


def space_filling(
    encoding: Encoding, pool: Sequence[Design], taken: Sequence[Design], q: int, seed: int
) -> tuple[list[int], list[float]]:
    """Positions of q pool members, each the farthest from everything taken before it (maximin), and these distances.

    Ties, and the first pick where nothing is taken, are decided by the seed.
    """
    order = np.random.default_rng(seed).permutation(len(pool))
    rows = encoding.rows(pool)[order]
    nearest = np.full(len(pool), np.inf)
    if taken:
        nearest = encoding.distances(rows, encoding.rows(taken)).min(1)
    picks, distances = [], []
    for _ in range(min(q, len(pool))):
        best = int(np.argmax(nearest))
        picks.append(int(order[best]))
        distances.append(float(nearest[best]))
        nearest = np.minimum(nearest, encoding.distances(rows, rows[[best]])[:, 0])
        nearest[best] = -np.inf
    return picks, distances
