"""All of a batch to learn."""

from __future__ import annotations

from acquisition.bayes import Bayes


class Learner(Bayes):
    """Any number of objectives; no pick improves."""

    objectives_allowed = range(1, 1000)
    leans = False

    def __init__(self, rows: bool = False, robust: bool = False, cost_aware: bool = False) -> None:
        super().__init__(split=1.0, rows=rows, robust=robust, cost_aware=cost_aware)


class IntegratedVariance(Learner):
    """Every pick is the design whose evaluation lowers most the variance averaged over the whole space (`Learning`),
    wherever the best values are. For a map of the space, or its model."""

    kind = "integrated_variance"
