"""All of a batch to learn."""

from __future__ import annotations

from acquisition.bayes import Bayes


class IntegratedVariance(Bayes):
    """Any number of objectives: every pick is the design whose evaluation lowers most the variance averaged over the
    generator's prior samples (`Learning`), wherever the best values are. For a map of the space, or its model."""

    kind = "integrated_variance"
    objectives_allowed = range(1, 1000)
    leans = False

    def __init__(self, rows: bool = False, cost_aware: bool = False) -> None:
        super().__init__(split=1.0, rows=rows, cost_aware=cost_aware)
