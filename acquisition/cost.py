"""Designs judged per expected cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loop.types import Proposal

CHEAPEST = 0.25
"""No design counts as cheaper than this part of the pool's median, so that none is picked for its price alone."""


def log_discount(pool: Sequence[Proposal]) -> np.ndarray | None:
    """(n,) minus the logarithm of each design's cost in units of the pool's median: added to the logarithm of an
    expected gain it makes that a gain per second (Snoek, Larochelle & Adams, NeurIPS 2012, section 3.2). A design
    without a cost has the median; None where all are.
    """
    costs = np.array([np.nan if proposal.cost is None else proposal.cost for proposal in pool], dtype=float)
    known = np.isfinite(costs) & (costs > 0)
    if not known.any():
        return None
    relative = np.where(known, costs, np.median(costs[known])) / np.median(costs[known])
    return np.asarray(-np.log(np.maximum(relative, CHEAPEST)))
