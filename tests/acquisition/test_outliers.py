"""Records that the others do not bear out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from acquisition.bayes import QLogNEI
from acquisition.encoding import Encoding
from acquisition.ensemble import Pairs
from acquisition.outliers import outlying
from acquisition.process import RARITY, Process, reproducible
from acquisition.surrogate import Surrogate
from loop.space import Space
from loop.types import Design, Estimate, Objective, Parameter, Proposal, Record

SPACE = Space(
    [
        Parameter("oxide", "choices", ("magnetite", "silica", "rutile")),
        Parameter("density", "real", bounds=(0.0, 8.0)),
        Parameter("temperature", "real", bounds=(280.0, 480.0)),
    ]
)
ENCODING = Encoding(SPACE)
HIGH = Objective("strength", "maximize", "md", "MPa")
ERROR = 0.3


def truth(design: Design) -> float:
    v = design.values
    shift = {"magnetite": 0.0, "silica": 2.0, "rutile": -3.0}[str(v["oxide"])]
    return 40 + shift + 4 * float(np.sin(float(v["density"]) / 2)) + 0.02 * (float(v["temperature"]) - 380)


def measured(n: int, wrong: int, seed: int) -> tuple[list[Record], set[str]]:
    """Records with errors as stated, and the ids of those designs whose value is 15 to 25 MPa too high."""
    rng = np.random.default_rng(seed)
    designs = SPACE.sample(n, seed=seed)
    off = set(rng.choice(n, wrong, replace=False).tolist())
    values = [truth(d) + ERROR * rng.normal() + (i in off) * rng.uniform(15, 25) for i, d in enumerate(designs)]
    records = [
        Record(d, "md", "screen", "simulation", {"strength": Estimate(v, ERROR, "MPa", 6.0)}, 1, 0)
        for d, v in zip(designs, values, strict=True)
    ]
    return records, {designs[i].id for i in off}


def in_doubt(surrogate: Surrogate) -> set[str]:
    return {r.design.id for r, doubt in zip(surrogate.records, surrogate.doubts, strict=True) if doubt > 0}


def error(surrogate: Surrogate) -> float:
    """Root mean square over designs that nothing is known of."""
    unseen = SPACE.sample(200, seed=99)
    mean, _ = surrogate.predict(ENCODING.rows(unseen))
    return float(np.sqrt(np.mean(np.square(mean - [truth(d) for d in unseen]))))


def test_what_is_added_raises_the_evidence_most() -> None:
    """Of one outlier: against the multivariate normal density over a grid of variances."""
    rows = ENCODING.rows(SPACE.sample(15, seed=3))
    values = 0.5 * rows[:, 0] - rows[:, 1]
    values[4] += 3.0
    with reproducible(0):
        model = Process(ENCODING, rows, values, np.full(15, 0.01)).model
        own = model.likelihood.noise_covar.noise.detach()
        covariance = Pairs(model).noisy_covariance().detach().numpy()
        added = outlying(model, model.train_inputs[0], model.train_targets, own, 5, RARITY)
    assert torch.nonzero(added)[:, 0].tolist() == [4]
    off = model.train_targets.numpy() - model.mean_module.constant.item()

    def evidence(extra: float) -> float:
        more = np.diag([extra if i == 4 else 0.0 for i in range(15)])
        return float(multivariate_normal(np.zeros(15), covariance + more).logpdf(off))

    best = float(added[4])
    assert evidence(best) > max(evidence(best * factor) for factor in (0.5, 0.9, 1.1, 2.0))
    assert evidence(best) - evidence(0.0) > RARITY


@pytest.mark.parametrize("seed", range(3))
def test_wrong_records_are_found_and_cost_little(seed: int) -> None:
    records, wrong = measured(40, 3, seed)
    with reproducible(0):
        trusting, robust = (Surrogate(ENCODING, HIGH, records, robust=some) for some in (False, True))
    assert in_doubt(robust) == wrong and not trusting.doubts.any()
    assert error(robust) < 0.5 * error(trusting)
    assert robust.usual_noise * robust.scale**2 < 1.0, "a new record is not expected to be wrong"
    assert len(robust.doubted()) == 3 and "MPa" not in robust.doubted()[0]


def test_good_records_are_not_in_doubt() -> None:
    with reproducible(0):
        found = [in_doubt(Surrogate(ENCODING, HIGH, measured(30, 0, seed)[0], robust=True)) for seed in range(4)]
    assert sum(map(len, found)) <= 1, "one of 2000 is expected to look wrong"


def test_the_notes_say_which_record_is_in_doubt_and_it_is_nothing_to_beat() -> None:
    records, wrong = measured(30, 1, 5)
    pool = [Proposal(design, "uniform") for design in SPACE.sample(60, seed=7)]
    acquisition = QLogNEI(split=0, robust=True)
    acquisition.fit(SPACE, [HIGH], records, [], seed=1)
    (note,) = acquisition.notes
    assert note.startswith("robust: strength ") and wrong.pop() in note
    picks = acquisition.select(pool, 2, [], seed=1)
    best = sorted((truth(proposal.design) for proposal in pool), reverse=True)
    assert truth(picks[0].proposal.design) >= best[9]
