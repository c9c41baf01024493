"""What surrogates that look for something better add to a pool, and what of it they would have labelled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.draws import Draws
from acquisition.encoding import Encoding
from acquisition.promise import Promise
from acquisition.search import search
from acquisition.surrogate import Surrogate, distinct
from loop.space import Space
from loop.types import Design, Proposal

LEAST_SEARCHED = 50
"""Designs with an answer from which on the space is searched directly, however little the surrogates know."""

EXPLAINED = 0.9
"""Part of the variance of every property that its surrogate, without the record itself, must explain for the space to
be searched before. Of the rough problems of `benchmarks.sample_efficiency` records of good designs, which crowd, reach
0.87; the smooth ones pass it by 14 to 26 designs."""


@dataclass(frozen=True)
class Scout:
    """Fitted surrogates, the designs `observed` that they rest on, and what is known of failures (designs -> (n,))."""

    space: Space
    encoding: Encoding
    surrogates: Sequence[Surrogate]
    observed: Sequence[Design]
    log_feasibility: Callable[[Sequence[Design]], np.ndarray]

    @property
    def sure(self) -> bool:
        """Whether the surrogates are good enough for the space to be searched by them."""
        return len(self.observed) >= LEAST_SEARCHED or min(s.explained() for s in self.surrogates) >= EXPLAINED

    def search(self, pool: Sequence[Proposal], taken: Collection[Design], seed: int) -> list[Proposal]:
        """What is found by climbing the expected gain from the best of the pool and of the observed designs, neither in
        the pool nor taken (`acquisition.search`)."""
        rows, starts = self.encoding.rows, distinct([*(proposal.design for proposal in pool), *self.observed])
        promise = Promise(self.surrogates, rows(self.observed), seed)

        def scores(designs: Sequence[Design]) -> np.ndarray:
            return np.asarray(promise(rows(designs)) + self.log_feasibility(designs))

        return search(self.space, scores, starts, taken, seed=seed)

    def promising(self, pool: Sequence[Proposal], n: int, seed: int) -> list[Proposal]:
        """At most n of the pool: each the best in one joint draw of everything that is not known, of those not taken by
        the draws before it (`acquisition.draws`)."""
        from acquisition.finite import FinitePosterior

        designs = [proposal.design for proposal in pool]
        rows, found = self.encoding.rows(designs), dict[int, None]()
        posterior = FinitePosterior(*zip(*[s.joint(rows) for s in self.surrogates], strict=True))
        draws = Draws(self.surrogates, posterior, self.log_feasibility(designs), seed)
        for number in range(min(n, len(pool))):
            order = np.argsort(-draws(number), kind="stable")
            found[next(i for i in order.tolist() if i not in found)] = None
        return [pool[i] for i in found]
