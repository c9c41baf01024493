"""How busy are the slots between decisions? Runs real `smoke` films under both schedules and reads the store.

    python -m benchmarks.slots [--designs 8]

A slot is busy from the moment an attempt is submitted to it until its result is in. Decisions (fit, propose, select)
and the last, incomplete filling of the slots at the end of a campaign are not the scheduler's to fill: time spent
deciding is left out, and so is everything after the last submission.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from loop.campaign import load
from loop.engine import run
from loop.store import Reader

CAMPAIGN = """
name: slots
seed: {seed}
space:
  oxide:            {{choices: [magnetite, periclase]}}
  hydroxyl_density: {{real: [0, 8], unit: 1/nm^2, step: 0.5}}
  polymer:          {{choices: [PVDF, PE]}}
objectives: [{{property: adhesion_energy, goal: maximize}}]
oracles: {{smoke: {{kind: openmm, fidelity: smoke, replicates: 2}}}}
generator: {{kind: uniform}}
acquisition: {{kind: qlognei}}
initial: 4
batch: 4
stop: {{evaluations: {designs}}}
execution: {{slots: 2, schedule: {schedule}}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=8)
    designs = parser.parse_args().designs
    print(f"{'schedule':10s} {'busy':>6s} {'deciding':>9s} {'wall':>8s}")
    for schedule in ("rounds", "async"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "slots.yaml"
            path.write_text(CAMPAIGN.format(seed=1, designs=designs, schedule=schedule))
            campaign = load(path)
            with contextlib.redirect_stdout(io.StringIO()):
                code = run(campaign)
            if code:
                raise SystemExit(f"the campaign ended with {code}")
            busy, deciding, wall = shares(campaign.run_folder, campaign.execution.slots)
        print(f"{schedule:10s} {busy:6.1%} {deciding:8.1f}s {wall:7.1f}s")


def shares(folder: Path, slots: int) -> tuple[float, float, float]:
    """Busy share of the slots, seconds spent deciding while a slot was free, and the wall time considered."""
    with Reader.open(folder) as reader:
        spans = [(at(row.submitted_at), at(row.ended_at)) for row in reader.attempts() if row.ended_at]
        decisions = [(at(row.at) - float(row.info["seconds"]), at(row.at)) for row in reader.decisions()]
    start, end = min(began for began, _ in spans), max(began for began, _ in spans)
    idle = deciding = 0.0
    edges = sorted({start, end, *(t for span in [*spans, *decisions] for t in span if start < t < end)})
    for left, right in pairwise(edges):
        middle = (left + right) / 2
        free = slots - sum(began <= middle < ended for began, ended in spans)
        if any(began <= middle < ended for began, ended in decisions) and free:
            deciding += right - left
        else:
            idle += free * (right - left)
    return 1 - idle / (slots * (end - start - deciding)), deciding, end - start


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


if __name__ == "__main__":
    main()
