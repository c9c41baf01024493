"""Does every design that passes `check` end as a record or a typed failure?

    python -m benchmarks.random_designs [--designs 60] [--slots 2] [--seed 1] [--oxide-model clayff] [--folder DIR]

Draws designs at random over the whole catalogue (oxide, facet, termination, hydroxyls, ligand, polymer, start,
temperature), keeps those that the oracle's own `check` passes and runs one `smoke` replica of each. Prints one line per
design, then the count of records, of failures by cause, and of records with a value that is not a number. Run again
with the same `--folder` it goes on.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from loop import Design, OracleFailure, Task
from loop.seeds import derive
from loop.types import Value
from oracles.openmm import OpenMMOracle
from oracles.openmm.materials import catalogue

FIDELITY = "smoke"


def draw(rng: np.random.Generator) -> dict[str, Value]:
    """One point of the catalogue, valid or not."""
    oxide = str(rng.choice(list(catalogue.data("oxides"))))
    facets = catalogue.oxide(oxide)["facets"]
    facet = str(rng.choice(list(facets)))
    ligands = list(catalogue.data("ligands")["ligands"])
    grafted = rng.random() < 0.4
    return {
        "oxide": oxide,
        "facet": facet,
        "termination": str(rng.choice(list(facets[facet]["ends"]))),
        "hydroxyl_density": round(float(rng.uniform(0, 10)), 1),
        "ligand": str(rng.choice(ligands)) if grafted else catalogue.NO_LIGAND,
        "ligand_density": round(float(rng.uniform(0.3, 2.0)), 1) if grafted else 0.0,
        "polymer": str(rng.choice(list(catalogue.data("polymers")))),
        "chain_length": int(rng.integers(4, 9)),
        "temperature": float(rng.integers(35, 46) * 10),
    }


def valid(oracle: OpenMMOracle, count: int, seed: int) -> list[Design]:
    """`count` different designs that the oracle would run."""
    rng = np.random.default_rng(derive(seed, "designs"))
    found: dict[str, Design] = {}
    while len(found) < count:
        design = Design(draw(rng))
        if all(check.passed for check in oracle.check(design, FIDELITY)):
            found[design.id] = design
    return list(found.values())


def replica(design: Design, seed: int, model: str, folder: str) -> tuple[str, str, float]:
    """How a design ended, what it says, and the wall time in s."""
    started = time.monotonic()
    task = Task(design.id, design.id, "openmm", FIDELITY, 0, derive(seed, "task", design.id))
    workdir = Path(folder) / design.id
    workdir.mkdir(parents=True, exist_ok=True)
    try:
        outcome = OpenMMOracle(oxide_model=model).evaluate(design, task, workdir)
    except OracleFailure as failure:
        return failure.cause, str(failure), time.monotonic() - started
    sound = all(math.isfinite(e.mean) and math.isfinite(e.se) for e in outcome.values())
    passed = all(check.passed for check in outcome.checks)
    said = f"{outcome['adhesion_energy'].mean:6.1f} mJ/m^2, {outcome['film_density'].mean:.2f} g/cm^3"
    tries = outcome.provenance.get("tries") or []
    return "record" if sound and passed else "BAD", said + (f", {len(tries)} retries" if tries else ""), (
        time.monotonic() - started
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=60)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--oxide-model", default="clayff")
    parser.add_argument("--folder", default=None, help="kept and gone on with; default: a temporary one")
    arguments = parser.parse_args()
    oracle = OpenMMOracle(oxide_model=arguments.oxide_model)
    designs = valid(oracle, arguments.designs, arguments.seed)
    ends: Counter[str] = Counter()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(arguments.slots, mp_context=context) as pool:
        folder = arguments.folder or temporary
        work = [pool.submit(replica, d, arguments.seed, arguments.oxide_model, folder) for d in designs]
        for design, future in zip(designs, work, strict=True):
            end, said, seconds = future.result()
            ends[end] += 1
            told = " ".join(str(value) for value in design.values.values())
            print(f"{end:14s} {seconds:5.0f} s  {told:70s} {said}", flush=True)
    print(", ".join(f"{count} {end}" for end, count in ends.most_common()))


if __name__ == "__main__":
    main()
