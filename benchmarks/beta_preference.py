"""Does hydroxylated magnetite (001) favour beta PVDF? Both ends of the film and of its bulk, seed by seed.

    python -m benchmarks.beta_preference [--fidelity screen] [--replicas 3] [--temperature 300] --folder DIR

Only the two-ended runs, not the film of the other properties: about two CPU-minutes a replica at `screen`. Run again
with the same folder it goes on. Prints each replica and the mean with the standard error over replicas.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from loop import Design, Task
from loop.seeds import derive
from loop.types import Value
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.film import build_film
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.two_ended import PROPERTIES, Pair

DESIGN: dict[str, Value] = {
    "oxide": "magnetite",
    "facet": "001",
    "termination": "octahedral",
    "hydroxyl_density": 4.0,
    "polymer": "PVDF",
}


def replica(number: int, fidelity: str, temperature: float, folder: Path) -> dict[str, float]:
    """The three properties of one replica."""
    values = with_defaults({**DESIGN, "temperature": temperature})
    design = Design(values)
    task = Task(f"{design.id}-{number}", design.id, "openmm", fidelity, number, seed=1000 + number)
    workdir = folder / f"{design.id}-{fidelity}-{number}"
    question = {"design": dict(values), "fidelity": fidelity, "seed": task.seed}
    pair = Pair(build_film, choose(), folder / "cache", question)
    found = pair.outcome(values, task, workdir, derive(task.seed, "surface"))
    for check in found.checks:
        if check.flagged:
            print(f"replica {number}: {check.name} {check.value:.2f}, {check.detail}")
    return {name: estimate.mean for name, estimate in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fidelity", default="screen")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=300.0)
    parser.add_argument("--folder", type=Path, required=True, help="kept and gone on with")
    arguments = parser.parse_args()
    found: list[dict[str, float]] = []
    for number in range(arguments.replicas):
        found.append(replica(number, arguments.fidelity, arguments.temperature, arguments.folder))
        print(number, {name: round(value, 2) for name, value in found[-1].items()}, flush=True)
    for name, unit in PROPERTIES.items():
        values = [one[name] for one in found]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        mean = statistics.mean(values)
        print(f"{name} {mean:.2f} +- {error:.2f} {unit}, {abs(mean) / error:.1f} standard errors from 0")


if __name__ == "__main__":
    main()
