"""Do the designs differ by more than the error bar of one design?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from loop.export import given_error
from loop.types import Objective, Record


@dataclass(frozen=True, slots=True)
class Noise:
    """Signal and noise of one objective over `designs` records.

    `error` is the root mean square standard error, `spread` what the designs' values scatter beyond it:
    sqrt(max(var(means) - error^2, 0)); both in the objective's unit, None where they cannot be known. The scatter of
    observed values is that of the true ones plus the errors, which are independent of them, hence the difference of
    variances.
    """

    objective: Objective
    designs: int
    error: float | None = None
    spread: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.error is None or self.spread is None else self.spread / self.error

    @property
    def wins(self) -> bool:
        """Whether the error of one design is larger than the spread between designs."""
        return self.ratio is not None and self.ratio < 1


def noise(records: Sequence[Record], objective: Objective) -> Noise:
    """Judged on the records of the objective's oracle that give an error; synthetic ones are left out."""
    found = [
        (estimate.mean, error)
        for record in records
        if record.kind != "synthetic" and record.oracle == objective.oracle
        if (estimate := record.estimates.get(objective.property)) and (error := given_error(estimate))
    ]
    if not found:
        return Noise(objective, 0)
    mean_square = fmean(error**2 for _, error in found)
    if len(found) < 2:
        return Noise(objective, 1, math.sqrt(mean_square))
    beyond = variance([mean for mean, _ in found]) - mean_square
    return Noise(objective, len(found), math.sqrt(mean_square), math.sqrt(max(beyond, 0.0)))
