"""Any number of goals, each pick for another compromise among them."""

from __future__ import annotations

from typing import Any

from acquisition.batch import Stage
from acquisition.bayes import Bayes
from acquisition.goals import chebyshev
from acquisition.improve import Improvement


class ScalarisedImprovement(Improvement):
    """log of the expected improvement of an augmented Chebyshev scalarisation whose weights are drawn for every pick
    anew: q-ParEGO (Daulton et al., NeurIPS 2020, section 5) with log noisy expected improvement.

    BoTorch's qLogNParEGO scales the goals by the posterior means, which are all the same where the values are; here
    they are scaled by what was observed.
    """

    _exact = False

    def _build(self) -> Any:
        return self._noisy_improvement(chebyshev(self._surrogates, (self._seed, len(self._pending))), of_goals=True)


class ParEGO(Bayes):
    """Two goals or more, the default from five on. A goal's threshold is an outcome constraint here."""

    kind = "parego"
    other = "it takes two or more; for one write acquisition: {kind: qlognei}"
    objectives_allowed = range(2, 1000)

    def _improvement(self, stage: Stage) -> Improvement:
        return ScalarisedImprovement(stage.surrogates, stage.posterior, stage.observed, self.samples, stage.seed)
