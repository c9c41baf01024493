"""What production costs beside the integrator: segments of a replica against a bare OpenMM loop of the same System.

    python -m benchmarks.md_overhead [--repeats 5] [--steps 2000]

Blocks alternate, so that a busy machine slows both alike; CPU time is compared, and wall time printed beside it. The
ratio is as noisy as the machine; the time a segment spends outside `integrator.step`, measured within it, is not.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from oracles.openmm.build.film import build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.cores import one_core
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.replica import Replica, segments
from oracles.openmm.simulate.segments import Journal

DESIGN = {"oxide": "magnetite", "facet": "001", "hydroxyl_density": 4.0, "polymer": "PVDF"}
TEMPERATURE = 400.0
TARGET = 0.03


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """CPU and wall seconds of `work`."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def bare_loop(replica: Replica, journal: Journal, steps: int) -> Callable[[], None]:
    """A Context of the film's System alone, at the replica's present state, stepped without a pause."""
    import openmm

    stage = replica.fidelity.production
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, stage.friction, stage.step_fs * 1e-3)
    engine = Engine(replica.film, TEMPERATURE, replica.compute, seed=1)
    engine.begin(stage, 1, journal.checkpoint(), journal.entries[-1]["height"])
    state = engine.context.getState(positions=True, velocities=True)
    system = engine.context.getSystem()
    context = replica.compute.context(system, integrator)
    context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
    context.setPositions(state.getPositions())
    context.setVelocities(state.getVelocities())
    integrator.step(10)
    return lambda: context.getIntegrator().step(steps)


class Stopwatch:
    """Counts the CPU time spent inside an engine's steps."""

    def __init__(self, engine: Engine) -> None:
        self._step = engine.step
        self.inside = 0.0

    def __call__(self, steps: int) -> None:
        self.inside += timed(lambda: self._step(steps))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000, help="steps per block and segment")
    arguments = parser.parse_args()

    screen = FIDELITIES["screen"]
    production = replace(screen.production, steps=(arguments.repeats + 1) * arguments.steps, segment=arguments.steps)
    fidelity = replace(screen, equilibration=FIDELITIES["smoke"].equilibration, push_off=150, production=production)
    film = build_film(DESIGN, SIZES["screen"], Seeds(1, 2, 3))
    plan = list(enumerate(segments(fidelity), start=1))
    with tempfile.TemporaryDirectory() as folder, one_core():
        journal = Journal(Path(folder), {})
        replica = Replica(film, fidelity, TEMPERATURE, 4, choose("auto"), journal)
        engine = Engine(film, TEMPERATURE, replica.compute, seed=1)
        stopwatch = Stopwatch(engine)
        engine.step = stopwatch  # type: ignore[method-assign]
        replica.prepare(engine)
        rows = []
        for index, (stage, steps, previous) in plan:
            if stage is not production or previous is not production:
                replica.advance(engine, index, stage, steps, previous)  # the first one creates what later ones reuse
                continue
            bare = timed(bare_loop(replica, journal, steps))
            stopwatch.inside = 0.0
            ours = timed(lambda: replica.advance(engine, index, stage, steps, previous))  # noqa: B023
            rows.append((*bare, *ours, stopwatch.inside))
    report(rows, len(film.positions), arguments.steps, replica.compute.platform)


def report(rows: list[tuple[float, ...]], atoms: int, steps: int, platform: str) -> None:
    print(f"{atoms} atoms on {platform}, blocks of {steps} steps")
    print("block   bare CPU s   replica CPU s   ratio     bare wall s   replica wall s   ratio   outside step()")
    for k, (bare, bare_wall, ours, ours_wall, inside) in enumerate(rows, start=1):
        print(
            f"{k:5d}   {bare:10.2f}   {ours:13.2f}   {ours / bare:5.3f}   "
            f"{bare_wall:13.2f}   {ours_wall:14.2f}   {ours_wall / bare_wall:5.3f}   {(ours - inside) / inside:12.2%}"
        )
    ratios = sorted(ours / bare for bare, _, ours, _, _ in rows)
    median = statistics.median(ratios)
    outside = statistics.median((row[2] - row[4]) / row[4] for row in rows)
    rate = steps / statistics.median(row[0] for row in rows)
    print(
        f"median overhead {median - 1:+.1%} of CPU time ({ratios[0] - 1:+.1%} to {ratios[-1] - 1:+.1%}), "
        f"target {TARGET:.0%};\nmedian time outside step() {outside:.2%} of that inside; "
        f"bare loop {rate:.0f} steps per CPU-second"
    )


if __name__ == "__main__":
    main()
