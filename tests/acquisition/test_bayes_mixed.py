"""Selection in a mixed space where some designs cannot be built: failures teach, and the search beats chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from acquisition.bayes import QLogNEI
from loop.space import Space
from loop.types import Design, Estimate, Failure, Objective, Parameter, Pick, Proposal, Record

MIXED = Space(
    [
        Parameter("kind", "choices", ("a", "b", "c")),
        Parameter("x", "real", bounds=(0.0, 1.0), step=0.01),
        Parameter("y", "real", bounds=(0.0, 1.0), step=0.01),
    ]
)


def recorded(design: Design, value: float, se: float = 0.01) -> Record:
    return Record(design, "md", "screen", "simulation", {"f": Estimate(value, se, "1")}, 3, 0)


def failed(design: Design, cause: str = "unphysical", oracle: str = "md") -> Failure:
    return Failure(design, oracle, "screen", cause, "for the test", 0)  # type: ignore[arg-type]


def pooled(designs: Sequence[Design]) -> list[Proposal]:
    return [Proposal(design, "uniform") for design in designs]


def fitted(acquisition: QLogNEI, records: Sequence[Record], failures: Sequence[Failure] = ()) -> QLogNEI:
    acquisition.fit(MIXED, [Objective("f", "maximize", "md")], records, failures, seed=1)
    return acquisition


def mixed_records(n: int, seed: int) -> tuple[list[Record], list[Failure]]:
    """Better for larger x, but kind c and small y cannot be built."""
    records, failures = [], []
    for design in MIXED.sample(n, seed=seed):
        v = design.values
        if buildable(design):
            records.append(recorded(design, float(v["x"]) + (0.5 if v["kind"] == "c" else 0.0)))
        else:
            failures.append(failed(design))
    return records, failures


def buildable(design: Design) -> bool:
    return not (design.values["kind"] == "c" and float(design.values["y"]) < 0.6)


def test_failures_teach_where_designs_cannot_be_built() -> None:
    records, failures = mixed_records(60, 7)
    acquisition = fitted(QLogNEI(), records, failures=failures)
    unseen = MIXED.sample(300, seed=8)
    said = np.exp(acquisition.log_feasibility(unseen))
    true = np.array([buildable(d) for d in unseen])
    loss = -np.mean(np.log(np.where(true, said, 1 - said)))
    base = true.mean()
    assert loss < 0.5 * -(base * math.log(base) + (1 - base) * math.log(1 - base))
    assert np.mean((said > 0.5) == true) > 0.9
    picks = acquisition.select(pooled(unseen), 8, [], seed=9)
    assert sum(buildable(p.proposal.design) for p in picks) >= 7


def test_without_the_failures_the_same_records_lead_into_the_wall() -> None:
    records, failures = mixed_records(60, 7)
    unseen = pooled(MIXED.sample(300, seed=8))
    blind = fitted(QLogNEI(split=0), records).select(unseen, 8, [], seed=9)
    taught = fitted(QLogNEI(split=0), records, failures=failures).select(unseen, 8, [], seed=9)
    assert sum(buildable(p.proposal.design) for p in blind) < sum(buildable(p.proposal.design) for p in taught)


@pytest.mark.parametrize("cause", ["infrastructure", "cancelled"])
def test_failures_of_the_machine_teach_nothing(cause: str) -> None:
    records, failures = mixed_records(40, 7)
    machine = [failed(f.design, cause) for f in failures] + [failed(f.design, oracle="other") for f in failures]
    unseen = MIXED.sample(100, seed=8)
    told = fitted(QLogNEI(), records, failures=machine)
    blind = fitted(QLogNEI(), records)
    assert (told.log_feasibility(unseen) == 0).all()
    assert told.select(pooled(unseen), 4, [], seed=9) == blind.select(pooled(unseen), 4, [], seed=9)
    again = told.select(pooled([failures[0].design]), 1, [], seed=9)
    assert again[0].proposal.design == failures[0].design


def test_same_inputs_same_picks_and_the_callers_random_state_is_untouched() -> None:
    records, failures = mixed_records(30, 12)
    pool = pooled(MIXED.sample(200, seed=13))
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first = fitted(QLogNEI(), records, failures=failures)
    torch.manual_seed(8)
    second = fitted(QLogNEI(), records, failures=failures)
    torch.manual_seed(7)
    a, b = first.select(pool, 4, [], seed=14), second.select(pool, 4, [], seed=14)
    assert a == b
    assert first.select(pool, 4, [], seed=14) == a
    designs = [p.design for p in pool]
    assert all(np.array_equal(x, y) for x, y in zip(first.predict(designs), second.predict(designs), strict=True))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def regret(select: Callable[[list[Record], list[Proposal], int], list[Pick]], seed: int) -> float:
    """What is missing to the best of a pool of 300 after 6 + 12 noisy evaluations in batches of 4."""
    rng = np.random.default_rng(seed)
    shift = {kind: rng.normal() for kind in "abc"}
    centre = {kind: rng.uniform(0.2, 0.8, 2) for kind in "abc"}

    def f(design: Design) -> float:
        v = design.values
        away = (float(v["x"]) - centre[str(v["kind"])][0]) ** 2 + (float(v["y"]) - centre[str(v["kind"])][1]) ** 2
        return shift[str(v["kind"])] - 6 * away

    designs = MIXED.sample(306, seed=seed)
    records = [recorded(d, f(d) + 0.05 * rng.normal(), se=0.05) for d in designs[:6]]
    pool = pooled(designs[6:])
    for turn in range(3):
        picked = [pick.proposal.design for pick in select(records, pool, turn)]
        records += [recorded(d, f(d) + 0.05 * rng.normal(), se=0.05) for d in picked]
        pool = [p for p in pool if p.design not in picked]
    return max(f(d) for d in designs) - max(f(r.design) for r in records)


@pytest.mark.slow
def test_it_beats_random_search_on_a_mixed_problem() -> None:
    def guided(records: list[Record], pool: list[Proposal], turn: int) -> list[Pick]:
        return fitted(QLogNEI(), records).select(pool, 4, [], seed=turn)

    def blind(records: list[Record], pool: list[Proposal], turn: int) -> list[Pick]:
        order = np.random.default_rng(turn).permutation(len(pool))[:4]
        return [Pick(pool[i], "random") for i in order]

    paired = [(regret(guided, seed), regret(blind, seed)) for seed in range(20)]
    assert sum(a < b for a, b in paired) >= 16
    assert np.mean([a for a, _ in paired]) < 0.4 * np.mean([b for _, b in paired])
