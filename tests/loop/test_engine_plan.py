"""A campaign that knows how long it is learns first and improves at last."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

CAMPAIGN = """
name: slope
seed: 3
space: {a: {real: [0, 10]}, b: {real: [0, 10]}}
objectives: [{property: height, goal: maximize}]
oracles: {walk: {kind: formula, properties: {height: {expression: "a - b**2 / 10", unit: m, se: 0.01}}}}
generator: {kind: uniform}
acquisition: {kind: qlognei, split: 0.5}
initial: 4
batch: 4
stop: STOP
execution: {slots: 1}
"""


@pytest.mark.parametrize("stop", ["{evaluations: 20}", "{rounds: 4}"])
def test_the_last_picks_of_a_campaign_of_known_length_improve(tmp_path: Path, loop, stop: str) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN.replace("STOP", stop))
    loop("run", path)
    with loop.reader(path) as reader:
        roles = Counter((row.round, row.pick.role) for row in reader.proposals() if row.round)
    assert roles == {(1, "improve"): 2, (1, "learn"): 2, (2, "improve"): 4, (3, "improve"): 4, (4, "improve"): 4}
