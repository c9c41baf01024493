"""What keeping a run on one core wins: the same film stepped free and on a core of its own.

    python -m benchmarks.one_core [--repeats 5] [--steps 500]

Each block makes a fresh Context (its threads stay where they were started) and steps it; the two kinds alternate, so
that a busy machine slows both alike. Wall times; the ratio depends on what waking a sleeping core costs here.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import nullcontext

import numpy as np

from oracles.openmm.build.film import Film, build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.cores import one_core
from oracles.openmm.simulate.platforms import Compute, choose
from oracles.openmm.simulate.pushoff import push_off

DESIGN = {"oxide": "magnetite", "facet": "001", "hydroxyl_density": 4.0, "polymer": "PVDF"}


def milliseconds_per_step(film: Film, positions: np.ndarray, compute: Compute, steps: int) -> float:
    """Wall time of production steps on a fresh Context, after a short start."""
    import openmm

    integrator = openmm.LangevinMiddleIntegrator(400.0, 1.0, 0.0005)
    integrator.setRandomNumberSeed(1)
    context = compute.context(film.system, integrator)
    context.setPositions(positions)
    openmm.LocalEnergyMinimizer.minimize(context, 20.0, 200)
    context.setVelocitiesToTemperature(400.0, 1)
    integrator.step(300)
    integrator.setStepSize(0.004)
    integrator.step(100)
    start = time.perf_counter()
    integrator.step(steps)
    return 1e3 * (time.perf_counter() - start) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=500)
    arguments = parser.parse_args()
    compute = choose("CPU")
    film = build_film(DESIGN, SIZES["screen"], Seeds(1, 2, 3))
    positions = push_off(film, 150, 4, compute)
    free, kept = [], []
    for _ in range(arguments.repeats):
        for taken, place in ((free, nullcontext()), (kept, one_core())):
            with place:
                taken.append(milliseconds_per_step(film, positions, compute, arguments.steps))
        print(f"free {free[-1]:5.2f} ms per step   on one core {kept[-1]:5.2f}   ratio {free[-1] / kept[-1]:.2f}")
    ratios = [a / b for a, b in zip(free, kept, strict=True)]
    print(
        f"{len(film.positions)} atoms: median {statistics.median(free):.2f} ms free, {statistics.median(kept):.2f} ms "
        f"on one core; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
