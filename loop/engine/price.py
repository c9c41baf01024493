"""What evaluating a design is expected to cost, for acquisitions that ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from loop.types import Proposal

if TYPE_CHECKING:
    from loop.campaign import Campaign


def priced(campaign: Campaign, pool: Sequence[Proposal]) -> list[Proposal]:
    """The proposals with their `cost`: seconds of all replicates at every oracle that answers an objective."""
    names = dict.fromkeys(objective.oracle for objective in campaign.objectives)
    specs = [campaign.oracles[name] for name in names]
    return [
        replace(p, cost=sum(spec.replicates * float(spec.oracle.cost(p.design, spec.fidelity)) for spec in specs))
        for p in pool
    ]
