"""From a correlated series of one run to a mean with a standard error.

The error of one run is a lower bound: independent replicas scatter one to five times as much in energies and far more
in conformations, so the kernel combines replicas. Method: Chodera, J. Chem. Theory Comput. 2016, 12, 1799 (pymbar).
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from loop.types import Estimate

MAX_DISCARD = 0.5
MIN_N_EFF = 10.0


@dataclass(frozen=True, slots=True)
class Equilibration:
    """Where a run has settled: `start` is the first fraction of it left out (at most a half), `fraction` the one found,
    `n_eff` the uncorrelated samples after it. Not `settled`: more than half, or fewer than ten samples."""

    start: float
    fraction: float
    n_eff: float

    @property
    def settled(self) -> bool:
        return self.fraction <= MAX_DISCARD and self.n_eff >= MIN_N_EFF


def timeseries() -> Any:
    """pymbar's module, imported without its notices."""
    logging.getLogger("pymbar").setLevel(logging.ERROR)
    from pymbar import timeseries

    return timeseries


def find_equilibration(series: np.ndarray) -> Equilibration:
    """Where `series` (frames,) has the most uncorrelated samples left. ValueError where it is not finite, or short."""
    series = _usable(series)
    if series.std() == 0:
        return Equilibration(0.0, 0.0, float(len(series)))
    start, _, n_eff = timeseries().detect_equilibration(series, nskip=max(1, len(series) // 20))
    fraction = float(start) / len(series)
    return Equilibration(min(fraction, MAX_DISCARD), fraction, float(n_eff))


def inefficiency(series: np.ndarray) -> float:
    """Statistical inefficiency g >= 1 of `series` (frames,): frames per uncorrelated sample; 1 for a constant one."""
    series = _usable(series)
    if series.std() == 0:
        return 1.0
    return float(timeseries().statistical_inefficiency(series))


def estimate(series: np.ndarray, unit: str, run: Equilibration) -> Estimate:
    """Mean of `series` (frames,) after the run's equilibration, with se = SD sqrt(g / n).

    Where the run has not settled, half the drift between its two halves is added in quadrature.
    """
    return ratio(series, np.ones(len(series)), unit, run)


def ratio(numerator: np.ndarray, denominator: np.ndarray, unit: str, run: Equilibration) -> Estimate:
    """Ratio of sums R = sum(a) / sum(b) of two series (frames,), its error from the residuals (a - R b) / mean(b): the
    mean over all that `denominator` counts. ValueError where it counts nothing."""
    a, b = (after(_usable(series), run) for series in (numerator, denominator))
    if b.sum() == 0:
        raise ValueError("a mean over nothing")
    mean = float(a.sum() / b.sum())
    residual = (a - mean * b) / b.mean()
    n_eff = len(a) / inefficiency(residual)
    se = float(residual.std(ddof=1)) / math.sqrt(n_eff)
    method = f"one run: {len(a)} frames, statistical inefficiency {len(a) / n_eff:.2f}"
    if not run.settled:
        half = len(a) // 2
        drift = abs(residual[half:].mean() - residual[:half].mean()) / 2
        se = math.hypot(se, drift)
        method += "; not settled: half the drift added"
    return Estimate(mean, se, unit, n_eff, method)


def relaxed(heights: np.ndarray) -> np.ndarray:
    """The box heights (samples,) of the second half of a stage under pressure."""
    return heights[len(heights) // 2 :]


def after(series: np.ndarray, run: Equilibration) -> np.ndarray:
    """The part of a series that follows the run's equilibration."""
    return series[int(run.start * len(series)) :]


def _usable(series: np.ndarray) -> np.ndarray:
    series = np.asarray(series, dtype=float)
    if len(series) < 4 or not np.isfinite(series).all():
        raise ValueError(f"a series needs at least 4 finite values, this one has {np.isfinite(series).sum()}")
    return series
