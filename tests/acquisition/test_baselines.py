"""Random and Sobol selection."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from acquisition.baselines import Random, Sobol
from acquisition.encoding import Encoding
from loop.plugins import find
from loop.space import Space
from loop.types import Design, Estimate, Failure, Objective, Parameter, Proposal, Record

SPACE = Space(
    [Parameter("kind", "choices", ("a", "b")), Parameter("x", "real", bounds=(0.0, 1.0), step=0.01)],
)
OBJECTIVES = [Objective("f", "maximize", "md"), Objective("g", "minimize", "md")]


def record(design: Design) -> Record:
    return Record(design, "md", "screen", "simulation", {"f": Estimate(1.0, 0.1, "1")}, 1, 0)


POOL = [Proposal(design, "uniform") for design in SPACE.sample(150, seed=1)]


@pytest.mark.parametrize("acquisition", [Random(), Sobol()])
def test_picks_are_distinct_new_and_repeatable(acquisition: Random | Sobol) -> None:
    designs = [p.design for p in POOL]
    failure = Failure(designs[1], "md", "screen", "infeasible", "no", 0)
    acquisition.fit(SPACE, OBJECTIVES, [record(designs[0])], [failure], seed=2)
    picks = acquisition.select([*POOL, *POOL], 40, [designs[2]], seed=3)
    picked = [pick.proposal.design for pick in picks]
    assert len(set(picked)) == 40 and not set(picked) & set(designs[:3])
    assert acquisition.select([*POOL, *POOL], 40, [designs[2]], seed=3) == picks
    assert len(acquisition.select(POOL[:5], 40, [], seed=3)) == 3
    mean, variance = acquisition.predict(designs[:4])
    assert (mean == 0).all() and (variance == 1).all() and mean.shape == (4, 2)


def test_every_member_of_the_pool_is_equally_likely() -> None:
    acquisition = Random()
    acquisition.fit(SPACE, OBJECTIVES, [], [], seed=0)
    counts = Counter(
        pick.proposal.design for seed in range(2000) for pick in acquisition.select(POOL[:10], 2, [], seed=seed)
    )
    assert len(counts) == 10
    assert max(abs(count - 400) for count in counts.values()) < 5 * np.sqrt(2000 * 0.2 * 0.8)


def test_the_sobol_sequence_goes_on_over_the_rounds_and_fills_evenly() -> None:
    acquisition, designs = Sobol(), []
    for turn in range(8):
        acquisition.fit(SPACE, OBJECTIVES, [record(d) for d in designs], [], seed=turn)
        designs += [pick.proposal.design for pick in acquisition.select(POOL, 4, [], seed=turn)]
    acquisition.fit(SPACE, OBJECTIVES, [], [], seed=9)
    at_once = [pick.proposal.design for pick in acquisition.select(POOL, 32, [], seed=9)]
    assert designs == at_once
    rows = Encoding(SPACE).rows(designs)
    assert Counter(rows[:, 1]) == {0.0: 16, 1.0: 16}
    assert np.abs(np.histogram(rows[:, 0], bins=4, range=(0, 1))[0] - 8).max() <= 2


@pytest.mark.parametrize("kind", ["qlognei", "qlognehvi", "random", "sobol"])
def test_the_campaign_files_kind_names_the_class(kind: str) -> None:
    assert find("acquisition", kind).__module__.startswith("acquisition.")
