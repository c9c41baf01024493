"""A campaign that knows how long it is learns first and improves at last."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

SLOPE = '''
"""Values that rise with a and wave with b."""
import math
from loop import Estimate

class Slope:
    properties, fidelities, isolation = {"height": "m"}, ("walked",), "inline"
    def check(self, design, fidelity):
        return []
    def cost(self, design, fidelity):
        return 0.0
    def evaluate(self, design, task, workdir):
        a, b = design.values["a"], design.values["b"]
        return {"height": Estimate(a + math.sin(b), 0.01, "m")}
'''
CAMPAIGN = """
name: slope
seed: 3
space: {a: {real: [0, 10]}, b: {real: [0, 10]}}
objectives: [{property: height, goal: maximize}]
oracles: {walk: {kind: "slope:Slope"}}
generator: {kind: uniform}
acquisition: {kind: qlognei, split: 0.5}
initial: 4
batch: 4
stop: STOP
execution: {slots: 1}
"""


def roles(loop, folder: Path, stop: str) -> list[Counter[str]]:
    path = folder / "campaign.yaml"
    path.write_text(CAMPAIGN.replace("STOP", stop).replace("name: slope", f"name: slope{len(stop)}"))
    loop("run", path)
    with loop.reader(path) as reader:
        rounds = [Counter[str]() for _ in range(1 + max(row.round for row in reader.proposals()))]
        for row in reader.proposals():
            rounds[row.round][row.pick.role] += 1
    return rounds[1:]


def test_the_last_picks_of_a_campaign_of_known_length_improve(plugin, loop) -> None:
    folder = plugin("slope", SLOPE)
    for stop in ("{evaluations: 20}", "{rounds: 4}"):
        assert roles(loop, folder, stop) == [
            {"improve": 2, "learn": 2},
            {"improve": 4},
            {"improve": 4},
            {"improve": 4},
        ]
