"""What a generator is told of the objectives: a level per design, and how often to train on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from generators.training import LEVELS, UNKNOWN
from loop.space import Space, SpaceError, within
from loop.types import Design, Objective, Record

if TYPE_CHECKING:
    import numpy as np

REAL_WEIGHT = 4.0
RANK_OFFSET = 0.01


def measured_utilities(
    space: Space, records: Sequence[Record], objectives: Sequence[Objective]
) -> dict[Design, np.ndarray]:
    """(objectives,) mean utility per really evaluated design of the space; NaN where an objective was not reported.
    Synthetic records are left out: a generator must not learn from itself."""
    import numpy as np

    values: dict[Design, list[list[float]]] = {}
    for record in records:
        if record.kind != "synthetic" and lies_in(space, record.design):
            per_objective = values.setdefault(record.design, [[] for _ in objectives])
            for found, objective in zip(per_objective, objectives, strict=True):
                if record.oracle == objective.oracle and objective.property in record.estimates:
                    found.append(objective.utility(record.estimates[objective.property].mean))
    return {
        design: np.array([np.mean(found) if found else np.nan for found in per_objective])
        for design, per_objective in values.items()
        if any(per_objective)
    }


def lies_in(space: Space, design: Design) -> bool:
    """True for a canonical design of the space, such as one recorded before the space was amended may not be."""
    try:
        same = space.canonicalise(design.values) == design
    except SpaceError:
        return False
    return same and all(within(p, design.values[p.name]) for p in space.parameters if p.molecules)


def levels(utilities: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """(n, m) levels of utilities by the quartiles of the corpus: 0 worst .. 3 best, UNKNOWN for NaN and where the
    corpus is all alike."""
    import numpy as np

    out = np.full(utilities.shape, UNKNOWN)
    for k in range(utilities.shape[1]):
        edges = np.quantile(corpus[:, k], np.arange(1, LEVELS) / LEVELS)
        if edges[-1] > edges[0]:
            known = np.isfinite(utilities[:, k])
            out[known, k] = np.searchsorted(edges, utilities[known, k], side="right")
    return out


def rank_weights(utilities: np.ndarray, real: np.ndarray) -> np.ndarray:
    """(n,) training weights 1 / (0.01 n + rank), rank 0 the best by standardised mean utility (Tripp, Daxberger and
    Hernandez-Lobato, NeurIPS 2020, arXiv 2006.09191), times four for `real` (n,) rows."""
    import numpy as np

    spread = utilities.std(0)
    score = ((utilities - utilities.mean(0)) / np.where(spread > 0, spread, 1.0)).mean(1)
    rank = np.empty(len(score))
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
    return np.where(real, REAL_WEIGHT, 1.0) / (RANK_OFFSET * len(score) + rank)


def condition_row(wanted: Mapping[str, int | None], properties: Sequence[str]) -> np.ndarray:
    """One condition row for the levels wanted; an objective not named is unknown.

    Raises ValueError for a property that is no objective, or a level that is not 0 to 3.
    """
    import numpy as np

    for name, level in wanted.items():
        if name not in properties:
            raise ValueError(f"no objective {name!r} to condition on; there are {', '.join(properties) or 'none'}")
        if level is not None and level not in range(LEVELS):
            raise ValueError(f"{name}: level {level!r} is not 0 (worst quarter) to {LEVELS - 1} (best), or None")
    row = np.zeros((len(properties), LEVELS), dtype=np.float32)
    for i, name in enumerate(properties):
        level = wanted.get(name)
        if level is not None:
            row[i, level] = 1.0
    return row.reshape(-1)
