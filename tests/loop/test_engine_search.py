"""Once the answers are understood, what a direct search of the space finds competes with the generator's pool, and is
counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

RIDGE = '''
"""A narrow ridge that no random draw hits; nothing lies beyond 9."""
from loop import Check, Estimate

class Ridge:
    properties, fidelities, isolation = {"height": "m"}, ("climbed",), "inline"
    def check(self, design, fidelity):
        return [Check("not beyond 9", design.values["a"] <= 9)]
    def cost(self, design, fidelity):
        return 0.0
    def evaluate(self, design, task, workdir):
        a, b, c = (design.values[name] for name in "abc")
        return {"height": Estimate(-(a - 8.5) ** 2 - (b - 3) ** 2 - (c - 6) ** 2, 0.01, "m")}
'''
CAMPAIGN = """
name: ridge
seed: 5
space: {a: {real: [0, 10]}, b: {real: [0, 10]}, c: {integer: [0, 10]}, rock: {choices: [gneiss, schist]}}
constraints: [{forbid: {rock: schist, b: {max: 5}}}]
objectives: [{property: height, goal: maximize}]
oracles: {climb: {kind: "ridge:Ridge"}}
generator: {kind: uniform}
acquisition: {kind: qlognei, split: 0}
initial: 48
batch: 2
stop: {evaluations: 54}
execution: {slots: 1}
"""


def test_a_search_joins_the_pool_and_keeps_every_rule(plugin, loop) -> None:
    folder: Path = plugin("ridge", RIDGE)
    path = folder / "campaign.yaml"
    path.write_text(CAMPAIGN)
    loop("run", path)
    with loop.reader(path) as reader:
        pools = [decision.info["pool"] for decision in reader.decisions()]
        picks = Counter((row.round, row.pick.proposal.generator) for row in reader.proposals())
    assert [pool.get("search", 0) > 0 for pool in pools] == [False, True, True, True], pools
    assert pools[2]["uniform"] == 700 and pools[2]["variation"] == 300
    assert sum(picks[number, "search"] for number in (1, 2, 3)) > 0
    rows = loop.exported(path)
    assert all(float(row["a"]) <= 9 and (row["rock"] == "gneiss" or float(row["b"]) > 5) for row in rows)
    assert max(float(row["height"]) for row in rows) > -0.1
