"""Designs that a person holds plausible, without values: what is like them, and whether the answers bear them out.

The search leans towards what is like them by a prior on where the optimum is (Hvarfner et al., ICLR 2022, arXiv
2204.11051): DECAY / n times the log ratio of their density to that of all valid designs is added to the log scores of
the picks that improve, n being the designs with an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from acquisition.cheap import LEAST_JUDGES
from acquisition.encoding import Encoding
from acquisition.surrogate import Surrogate
from loop.ledger import Gate
from loop.seeds import derive
from loop.space import Space
from loop.types import Design

SOURCE = "plausible designs"
DECAY = 10.0
"""Designs with an answer up to which the log ratio counts in full (beta of Hvarfner et al., section 5)."""
MOST = 4.0
"""Nats: no design counts for more than 55 times as plausible as usual, nor as rarer."""
CORPUS = 500
"""Valid designs that the plausible ones are told from."""
FOLDS = 5
STRENGTHS = 10.0 ** np.arange(-4, 2)
"""Inverse penalties of the regression, from one that leaves nothing of its weights; cross-validation picks."""
TELLS = 0.05
"""Least spread of the log ratio over valid designs, in nats, that is called a difference."""
SLOPE = 0.5
"""Standard deviation of what the property is taken to rise with the log ratio before there are answers, both in units
of their spread: half-normal, since plausible means better."""
AGAINST = -math.log(3)
"""Log odds from which on evidence is more than a bare mention (Jeffreys, Theory of Probability, 1961)."""
LEAST_CONVINCED = 20
"""Answered designs from which on the odds must be for the plausible designs, not only not against them."""


class Likeness:
    """The log ratio of two densities, that of plausible designs and that of valid ones, from a classifier that tells
    them apart (Qin, Biometrika 85 (1998) 619; Sugiyama, Suzuki & Kanamori, Density Ratio Estimation in Machine
    Learning, 2012, chapter 4): logistic regression on choices, numbers, descriptors and squares of the last two. Its
    penalty is the one that predicts designs left out best, so that the ratio is next to 1 everywhere where nothing
    tells them apart. `spread` is its standard deviation over valid designs.

    The densities of two trained networks have a ratio that ranks designs worse (`benchmarks.plausible`).
    """

    def __init__(self, space: Space, encoding: Encoding, plausible: Sequence[Design], *, seed: int) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        self._encoding = encoding
        valid = space.sample(CORPUS, seed=derive(seed, "valid"))
        if min(len(valid), len(plausible)) < FOLDS:
            raise ValueError(f"{len(plausible)} plausible of {len(valid)} valid designs; {FOLDS} of each are needed")
        table, labels = columns(encoding, [*valid, *plausible]), np.repeat([0, 1], [len(valid), len(plausible)])
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=derive(seed, "folds") % 2**32)
        models = [LogisticRegression(C=strength, max_iter=500) for strength in STRENGTHS]
        scores = [cross_val_score(m, table, labels, cv=folds, scoring="neg_log_loss").mean() for m in models]
        self._model = models[int(np.argmax(scores))].fit(table, labels)
        self._offset = math.log(len(plausible) / len(valid))
        self.spread = float(self(valid).std())

    def __call__(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) log ratios in nats, at most MOST either way."""
        odds = self._model.decision_function(columns(self._encoding, designs))
        return np.asarray(np.clip(odds - self._offset, -MOST, MOST))


def columns(encoding: Encoding, designs: Sequence[Design]) -> np.ndarray:
    """(n, columns): choices one-hot, numbers and descriptors from -1 to 1 and their squares."""
    rows, k, c = encoding.rows(designs), encoding.n_numeric, encoding.n_numeric + encoding.n_categorical
    chosen = [np.eye(size)[rows[:, k + i].astype(int)] for i, size in enumerate(encoding.choices)]
    numbers = 2 * np.column_stack([rows[:, :k], rows[:, c:]]) - 1
    return np.hstack([*chosen, numbers, numbers**2])


class Leaning:
    """What is added to the log scores of designs, and the gate that says why, or why nothing is."""

    def __init__(self, likeness: Likeness, surrogates: Sequence[Surrogate], answered: int) -> None:
        """`answered` counts the designs with an answer."""
        self._likeness = likeness
        self.gate = judged(likeness, surrogates, answered)
        self.weight = DECAY / max(answered, DECAY) if self.gate.admitted else 0.0

    def __call__(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) nats; zeros where the leaning is off."""
        if not self.weight or not designs:
            return np.zeros(len(designs))
        return self.weight * self._likeness(designs)


def judged(likeness: Likeness, surrogates: Sequence[Surrogate], answered: int) -> Gate:
    """Whether the search leans: unjudged before LEAST_JUDGES answered designs, then unless the odds are AGAINST it,
    and from LEAST_CONVINCED on only where they are for it."""
    name = ", ".join(s.objective.property for s in surrogates)
    if likeness.spread < TELLS:
        return told(name, np.zeros(1), False, "nothing sets the plausible designs apart from other valid ones")
    if answered < LEAST_JUDGES:
        return told(name, np.zeros(1), True, f"{answered} answered designs, from {LEAST_JUDGES} on they are judged")
    gains = np.concatenate([evidence(likeness, s) for s in surrogates])
    odds = float(gains.sum())
    asked = 0.0 if answered >= LEAST_CONVINCED else AGAINST
    reason = f"log odds {odds:+.1f} by {answered} answered designs that better ones are like them"
    if odds < asked:
        reason += f", where {asked:+.1f} is asked"
    return told(name, gains, odds >= asked, reason)


def told(name: str, gains: np.ndarray, leans: bool, reason: str) -> Gate:
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0
    verdict = "the search leans towards them" if leans else "the search does not lean towards them"
    return Gate(SOURCE, name, "prior", float(gains.mean()), error, leans, f"{reason}: {verdict}")


def evidence(likeness: Likeness, surrogate: Surrogate) -> np.ndarray:
    """(n,) what each record adds, in nats, to the log Bayes factor of `the utility rises with the log ratio` against
    `it does not`, given what the surrogate expects of it from the records before: designs that were picked because they
    are like the plausible ones, and are good because the surrogate knew, are no evidence.

    The utility is the surrogate's process plus a slope, half-normal with SLOPE, times the log ratio, and a constant
    that may be anything (conjugate; Kass & Raftery, J. Am. Stat. Assoc. 90 (1995) 773).
    """
    from scipy.special import log_ndtr

    ratio = likeness([record.design for record in surrogate.records]) / likeness.spread
    constant, x, y = surrogate.whitened(np.column_stack([np.ones(len(ratio)), ratio, surrogate.observed_utility()])).T
    unit = constant / np.linalg.norm(constant)
    x, y = (column - unit * (unit @ column) for column in (x, y))
    precision = np.cumsum(x * x) + SLOPE**-2
    slope = np.cumsum(x * y) / np.sqrt(precision)
    factor = math.log(2) + log_ndtr(slope) + slope**2 / 2 - np.log(SLOPE**2 * precision) / 2
    return np.diff(factor, prepend=0.0)
