"""Thompson sampling: each pick is the best design of one draw of everything that is not known."""

from __future__ import annotations

from acquisition.batch import Batch, Stage
from acquisition.bayes import Bayes
from acquisition.draws import Draws


class Thompson(Bayes):
    """Any number of goals (Thompson, Biometrika 25, 285 (1933)).

    For every pick the properties of the whole pool are drawn from their joint posterior, with several goals also the
    weights of an augmented Chebyshev scalarisation (Paria, Kandasamy & Poczos, UAI 2019), and which designs would fail:
    those whose probability of feasibility is below one uniform number. A design that fails, or misses a threshold, is
    picked only where all do, the nearest miss first (Eriksson & Poloczek, AISTATS 2021). Draws explore by themselves,
    so that no pick learns unless `split` says so.
    """

    kind = "thompson"
    objectives_allowed = range(1, 1000)
    leans = False

    def __init__(self, split: float = 0.0, rows: bool = False, robust: bool = False) -> None:
        super().__init__(split, rows=rows, robust=robust)

    def _improve(self, stage: Stage, batch: Batch, q: int) -> None:
        draws = Draws(stage.surrogates, stage.posterior, batch.log_feasibility, stage.seed)
        for number in range(q):
            batch.take("improve", draws(number), weighed=False)
