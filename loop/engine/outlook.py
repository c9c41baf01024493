"""What a campaign may still gain, by its surrogate: what the stop criteria `expected_gain` and `regret` look at.

A pure function of a fit and its pool, so that a killed campaign stops where an uninterrupted one does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loop.standing import reference_point, standings
from loop.types import Design, Objective

if TYPE_CHECKING:
    from loop.campaign.model import Stop
    from loop.engine.fitting import Fit

LEAST_DESIGNS = 20
"""Designs with every objective before the model is asked: of fewer it knows too little to say that no more is to be
had (no method that was measured beat random search on so few)."""

DELTA = 0.1
"""Probability that the true values leave the confidence bounds (Makarova et al. 2022)."""

DIRECTIONS, SAMPLES, PROMISING = 256, 128, 64
"""Directions that hypervolume is averaged over, samples of the posterior that a gain is averaged over, and how many of
the pool's candidates, those that could gain most with luck, it is worked out for."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`gain`: what the best candidate is expected to add; `regret`: by how much the best design of the pool can surpass
    the known ones, in all likelihood, at most.

    One goal: in standard deviations of the known designs' utilities. Several: in shares of the hypervolume that
    the known designs cover.
    """

    gain: float
    regret: float

    def reason(self, stop: Stop) -> str:
        """The criterion that is reached, in words; empty for none."""
        if stop.expected_gain is not None and self.gain < stop.expected_gain:
            return f"the next design is expected to gain {self.gain:.2g}, less than {stop.expected_gain:g}"
        if stop.regret is not None and self.regret < stop.regret:
            least = f"{self.regret:.2g}, less than {stop.regret:g}"
            return f"no candidate is likely to surpass the known designs by more than {least}"
        return ""


@dataclass(frozen=True)
class Beliefs:
    """Mean and standard deviation, each (n, objectives), of the utilities of some designs; `limits` (objectives,) are
    the utilities that outcome constraints ask for (minus infinity for a goal), `most` (objectives,) those that none
    can exceed, `wished` (objectives,) which are goals."""

    mean: np.ndarray
    sd: np.ndarray
    limits: np.ndarray
    most: np.ndarray
    wished: np.ndarray

    def bound(self, width: float) -> np.ndarray:
        """(n, goals) utilities `width` standard deviations from the mean; minus infinity where an outcome constraint is
        broken even so."""
        utilities = np.minimum(self.mean + width * self.sd, self.most)
        kept = (utilities >= self.limits).all(1)
        return np.asarray(np.where(kept[:, None], utilities[:, self.wished], -np.inf))

    def allowed(self) -> np.ndarray:
        """(n,) probability that all outcome constraints are kept, each as if independent of the others."""
        from scipy.special import ndtr

        margins = (self.mean - self.limits) / np.maximum(self.sd, 1e-300)
        return np.asarray(ndtr(margins).prod(1))

    def sampled(self, normals: np.ndarray) -> np.ndarray:
        """(samples, n, goals) utilities for standard normals (samples, goals)."""
        mean, sd = self.mean[:, self.wished], self.sd[:, self.wished]
        return np.asarray(np.minimum(mean + normals[:, None] * sd, self.most[self.wished]))

    def of(self, rows: np.ndarray) -> Beliefs:
        return Beliefs(self.mean[rows], self.sd[rows], self.limits, self.most, self.wished)


def outlook(fit: Fit, pool: Sequence[Design], *, seed: int) -> Outlook | None:
    """Of the round that the fit decides. None without a surrogate, with fewer than LEAST_DESIGNS complete designs, and
    where none keeps the outcome constraints or, with several goals, the thresholds.

    The surrogate's standard deviations are widened where left-out records were farther off than it expected. Gain:
    expected improvement on the best posterior mean (of the hypervolume, with several goals), weighed by the probability
    that outcome constraints are kept. Regret: the greatest upper confidence bound in the pool and among the known
    designs less the greatest lower one among the known (Makarova et al., AutoML-Conf 2022), or the same of
    hypervolumes.
    """
    known = standings(fit.history.records, fit.objectives)
    if len(known) < LEAST_DESIGNS or not pool or not any(standing.allowed for standing in known):
        return None
    widening = overconfidence(fit)
    if widening is None:
        return None
    before, ahead = (beliefs(fit, d, widening) for d in ([s.design for s in known], pool))
    width = confidence(len(pool) + len(known), len(known))
    spread = np.std([standing.utilities for standing in known], axis=0, ddof=1)
    if not (spread > 0).all():
        return None
    if len(spread) == 1:
        return single(before, ahead, width, float(spread[0]))
    corner = np.array(reference_point(known, fit.objectives))
    return several(before, ahead, width, spread, corner, seed)


def confidence(designs: int, evaluated: int) -> float:
    """Standard deviations to a confidence bound that holds for all of so many designs: sqrt(beta / 5) with beta =
    2 log(designs * evaluated^2 * pi^2 / (6 DELTA)), and the fifth as in the experiments of Srinivas et al. (ICML 2010,
    theorem 1) and Makarova et al."""
    return math.sqrt(2 * math.log(designs * evaluated**2 * math.pi**2 / (6 * DELTA)) / 5)


def overconfidence(fit: Fit) -> np.ndarray | None:
    """(objectives,) root mean square of the left-out records' distances from their predictions, in the standard
    deviations of these, 1 at least; None without a surrogate of every objective."""
    squares: dict[str, list[float]] = {o.property: [] for o in fit.objectives}
    for residual in fit.witness.residuals() if fit.witness else ():
        squares[residual.property].append(residual.z**2)
    if not all(squares.values()):
        return None
    return np.array([max(1.0, math.sqrt(float(np.mean(values)))) for values in squares.values()])


def beliefs(fit: Fit, designs: Sequence[Design], widening: np.ndarray) -> Beliefs:
    mean, variance = fit.acquisition.predict(designs)
    objectives = fit.objectives
    limits = [threshold(o) if o.constrains else -np.inf for o in objectives]
    most = [0.0 if o.goal == "target" else np.inf for o in objectives]
    wished = np.array([not o.constrains for o in objectives])
    return Beliefs(mean, np.sqrt(variance) * widening, np.array(limits), np.array(most), wished)


def threshold(objective: Objective) -> float:
    assert objective.threshold is not None, "outcome constraints have one"
    return objective.utility(objective.threshold)


def single(before: Beliefs, ahead: Beliefs, width: float, spread: float) -> Outlook | None:
    """With one goal, in closed form (Jones, Schonlau & Welch, J. Global Optim. 13 (1998) 455)."""
    from scipy.special import ndtr

    best, safe = float(before.bound(0.0).max()), float(before.bound(-width).max())
    if not math.isfinite(best):
        return None
    mean, sd = ahead.mean[:, ahead.wished][:, 0], np.maximum(ahead.sd[:, ahead.wished][:, 0], 1e-300)
    u = (mean - best) / sd
    gains = sd * (u * ndtr(u) + np.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)) * ahead.allowed()
    highest = max(float(ahead.bound(width).max()), float(before.bound(width).max()))
    return Outlook(max(0.0, float(gains.max())) / spread, (highest - safe) / spread)


def several(
    before: Beliefs, ahead: Beliefs, width: float, spread: np.ndarray, corner: np.ndarray, seed: int
) -> Outlook | None:
    """With several goals, by hypervolume as the average over directions of the farthest reach along each (Golovin &
    Zhang, ICML 2020); the same directions for all, so that most of their error cancels."""
    rng = np.random.default_rng(seed)
    m = len(spread)
    directions = np.abs(rng.standard_normal((DIRECTIONS, m)))
    directions = np.maximum(directions / np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)

    def reach(utilities: np.ndarray) -> np.ndarray:
        """(directions, n) how far each point (n, goals) reaches along each direction, to the power m."""
        scaled = np.maximum((utilities - corner) / spread, 0.0)
        return np.asarray((scaled / directions[:, None]).min(-1) ** m)

    covered = reach(before.bound(0.0)).max(1)
    now = float(covered.mean())
    if now <= 0:
        return None
    upper, safe = reach(ahead.bound(width)), reach(before.bound(-width)).max(1)
    highest = np.maximum(upper.max(1), reach(before.bound(width)).max(1))
    lucky = np.maximum(upper - covered[:, None], 0.0).mean(0)
    promising = ahead.of(np.argsort(-lucky, kind="stable")[:PROMISING])
    normals = rng.standard_normal((SAMPLES, m))
    gains = sum(np.maximum(reach(sample) - covered[:, None], 0.0).mean(0) for sample in promising.sampled(normals))
    expected = np.asarray(gains) / SAMPLES * promising.allowed()
    return Outlook(float(expected.max()) / now, float((highest - safe).mean()) / now)
