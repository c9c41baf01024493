"""Seconds of one recommendation: fit, search the space and select four designs for two objectives from a pool of 1000
and what the search found, on one thread.

    python -m benchmarks.recommend [records ...]

The targets are 5 s at 200 records and 60 s at 2000, half of the batch improving and half learning, with 10 failures to
learn from.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from acquisition.bayes import QLogNEHVI
from loop.space import Constraint, Space
from loop.types import Design, Estimate, Failure, Objective, Parameter, Proposal, Record

SPACE = Space(
    [
        Parameter("oxide", "choices", ("magnetite", "hematite", "silica", "rutile", "periclase", "corundum")),
        Parameter("facet", "choices", ("001", "110", "111")),
        Parameter("ligand", "choices", ("none", "hexanoate", "phosphonate", "catechol", "silane")),
        Parameter("polymer", "choices", ("PVDF", "PEO", "PE", "PMMA")),
        Parameter("hydroxyl_density", "real", bounds=(0.0, 8.0), step=0.1),
        Parameter("ligand_density", "real", bounds=(0.0, 3.0), step=0.1),
        Parameter("chain_length", "integer", bounds=(8, 64)),
        Parameter("temperature", "real", bounds=(280.0, 480.0)),
        Parameter("loading", "real", bounds=(0.01, 0.15)),
    ],
    [Constraint("bare", {"ligand": ("none",)}, {"ligand_density": (0,)})],
)
OBJECTIVES = (
    Objective("adhesion", "maximize", "md", "mJ/m^2", threshold=40.0),
    Objective("dipole", "maximize", "md", "D"),
)


def answers(design: Design) -> dict[str, float]:
    """A smooth made-up surface with interactions; only its cost to the surrogate matters here."""
    v = design.values
    oxide, polymer = SPACE["oxide"].choices.index(v["oxide"]), SPACE["polymer"].choices.index(v["polymer"])
    wetting = np.sin(float(v["hydroxyl_density"]) + oxide) + 0.5 * float(v["ligand_density"]) - 0.2 * polymer
    return {
        "adhesion": 60 + 15 * wetting - 0.05 * (float(v["temperature"]) - 380) + 3 * (oxide == polymer),
        "dipole": 0.5 * np.cos(oxide + polymer) + 0.01 * float(v["chain_length"]) - 0.3 * wetting,
    }


def record(design: Design, rng: np.random.Generator) -> Record:
    units = {"adhesion": ("mJ/m^2", 3.0), "dipole": ("D", 0.1)}
    estimates = {
        name: Estimate(value + units[name][1] * rng.normal(), units[name][1], units[name][0])
        for name, value in answers(design).items()
    }
    return Record(design, "md", "screen", "simulation", estimates, 3, 0)


def recommend(n: int, seed: int) -> tuple[list[float], list[str]]:
    """Processor seconds of fitting, searching and selecting with n records, and the roles picked."""
    rng = np.random.default_rng(seed)
    designs = SPACE.sample(n + 1010, seed=seed)
    records = [record(design, rng) for design in designs[:n]]
    failures = [Failure(d, "md", "screen", "unphysical", "overlap", 0) for d in designs[n : n + 10]]
    pool = [Proposal(d, "cvae:prior" if i % 2 else "cvae:near") for i, d in enumerate(designs[n + 10 :])]
    acquisition = QLogNEHVI()
    times = [time.process_time()]
    acquisition.fit(SPACE, OBJECTIVES, records, failures, seed=seed)
    times.append(time.process_time())
    pool += acquisition.search(pool, [], seed=seed)
    times.append(time.process_time())
    picks = acquisition.select(pool, 4, [], seed=seed)
    times.append(time.process_time())
    return np.diff(times).tolist(), [pick.role for pick in picks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", nargs="*", type=int, default=[20, 100, 200])
    arguments = parser.parse_args()
    start = time.process_time()
    recommend(5, 0)
    print(f"first call, imports included: {time.process_time() - start:.2f} s")
    print("processor time\nrecords  fit [s]  search [s]  select [s]  total [s]  picks")
    for n in arguments.records:
        times, roles = recommend(n, 1)
        told = "  ".join(f"{seconds:9.2f}" for seconds in (*times, sum(times)))
        print(f"{n:7d}  {told}  {' '.join(roles)}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
