"""Baselines that learn nothing: what a campaign is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acquisition.encoding import Encoding
from acquisition.feasibility import answered, failed
from acquisition.surrogate import distinct
from loop.space import Space
from loop.types import Design, Failure, Objective, Pick, Proposal, Record


class Baseline:
    """Knows which designs are taken and nothing else; every design has the same prediction, mean 0 and variance 1."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._known: list[Design] = []
        self._objectives = 1

    def fit(
        self,
        space: Space,
        objectives: Sequence[Objective],
        records: Sequence[Record],
        failures: Sequence[Failure],
        *,
        seed: int,
    ) -> None:
        """Note what is known already."""
        self._encoding = Encoding(space)
        self._objectives = len(objectives)
        self._known = known(objectives, records, failures)

    def predict(self, designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n, objectives): 0 and 1, since nothing is modelled."""
        shape = (len(designs), self._objectives)
        return np.zeros(shape), np.ones(shape)


class Random(Baseline):
    """Every member of the pool is equally likely. With the generator `uniform` this is random search over valid
    designs; with another it is random search in what that one proposes."""

    def select(self, pool: Sequence[Proposal], q: int, pending: Sequence[Design], *, seed: int) -> list[Pick]:
        """q distinct picks, fewer where the pool has fewer new designs."""
        fresh = unseen(pool, [*self._known, *pending])
        order = np.random.default_rng(seed).permutation(len(fresh))[:q]
        return [Pick(fresh[i], "random") for i in order]


class Sobol(Baseline):
    """The next points of one scrambled Sobol sequence over the encoded space, each answered by the nearest pool member.

    `scramble` is the sequence's own seed: it must not change within a campaign, so that the points go on filling it.
    """

    def __init__(self, scramble: int = 0) -> None:
        super().__init__()
        self.scramble = scramble

    def select(self, pool: Sequence[Proposal], q: int, pending: Sequence[Design], *, seed: int) -> list[Pick]:
        """q distinct picks, fewer where the pool has fewer new designs; `value` is the distance to the Sobol point."""
        import warnings

        from scipy.stats import qmc

        taken = distinct([*self._known, *pending])
        fresh = unseen(pool, taken)
        sequence = qmc.Sobol(d=self._encoding.width, scramble=True, seed=self.scramble)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an incomplete power of two: the batches complete it
            points = self._encoding.at(sequence.random(len(taken) + q)[len(taken) :])
        apart = self._encoding.distances(points, self._encoding.rows([p.design for p in fresh]))
        picks: list[Pick] = []
        for row in apart[: len(fresh)]:
            best = int(np.argmin(row))
            picks.append(Pick(fresh[best], "sobol", float(row[best])))
            apart[:, best] = np.inf
        return picks


def known(objectives: Sequence[Objective], records: Sequence[Record], failures: Sequence[Failure]) -> list[Design]:
    """Distinct designs that have answered an objective's oracle, or failed there in a way that teaches."""
    return distinct([*(r.design for r in answered(objectives, records)), *failed(objectives, records, failures)])


def unseen(pool: Sequence[Proposal], taken: Sequence[Design]) -> list[Proposal]:
    """The proposals of the pool, in its order, whose designs are neither taken nor proposed before in it."""
    seen, fresh = set(taken), []
    for proposal in pool:
        if proposal.design not in seen:
            seen.add(proposal.design)
            fresh.append(proposal)
    return fresh
