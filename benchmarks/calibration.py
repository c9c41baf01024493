"""Do the error bars hold? The share of held-out replicas inside the stated 68 % and 95 % intervals.

    python -m benchmarks.calibration FOLDER          a campaign's run folder, or a folder of replicas' work folders
    python -m benchmarks.calibration FOLDER --run 12 [--fidelity smoke] [--replicas 3]   makes replicas there first

Each replica in turn is left out, and the record's own estimator (`loop.records`: scatter between replicas shrunk to the
pooled one, never below the errors within runs) makes mean and error of the others. A further replica should then lie
within z sqrt(1 + n) standard errors of the mean of n, z being 1 and 1.96. Beside it, the same with the errors within
runs alone, which is what one long run would state. The +- is the standard error over designs.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from benchmarks import replicas
from loop import Estimate
from loop.records import Replicates, combine, pools
from loop.space import Space
from loop.types import Parameter

LEVELS = {"68 %": 1.0, "95 %": 1.959964}
Estimator = Callable[[Replicates, Mapping[str, float | None]], dict[str, Estimate]]
"""Replicates of an evaluation and the pooled scatter of each property -> its estimates, as `loop.records.combine`."""


@dataclass(frozen=True)
class Coverage:
    """Share of held-out replicas inside an interval, its standard error over evaluations, and how many there were."""

    share: float
    error: float
    replicas: int


def within_runs(replicates: Replicates, pooled: Mapping[str, float | None]) -> dict[str, Estimate]:
    """The mean with the errors within runs alone."""
    estimates = {}
    for name in replicates[0]:
        told = [replicate[name] for replicate in replicates if name in replicate]
        error = math.sqrt(fmean(e.se**2 for e in told) / len(told))
        estimates[name] = Estimate(fmean(e.mean for e in told), error, told[0].unit)
    return estimates


def deviations(evaluations: Sequence[Replicates], estimator: Estimator = combine) -> dict[str, list[list[float]]]:
    """Property -> evaluation -> |replica - mean of the others| over the error of that difference, for each replica held
    out. Evaluations need three replicas or more; a property without error (set exactly) is left out."""
    usable = [replicates for replicates in evaluations if len(replicates) >= 3]
    pooled = pools(usable)
    found: dict[str, list[list[float]]] = {}
    for replicates in usable:
        rows: dict[str, list[float]] = {}
        for k, held in enumerate(replicates):
            rest = [r for i, r in enumerate(replicates) if i != k]
            without = {
                name: pool.add(values(replicates, name), -1).add(values(rest, name)).sd for name, pool in pooled.items()
            }
            for name, estimate in estimator(rest, without).items():
                if name in held and estimate.se > 0:
                    error = estimate.se * math.sqrt(1 + len(values(rest, name)))
                    rows.setdefault(name, []).append(abs(held[name].mean - estimate.mean) / error)
        for name, row in rows.items():
            found.setdefault(name, []).append(row)
    return found


def values(replicates: Replicates, name: str) -> list[float]:
    return [replicate[name].mean for replicate in replicates if name in replicate]


def coverage(rows: Sequence[Sequence[float]], z: float) -> Coverage:
    """The share of deviations within z."""
    shares = [fmean(value <= z for value in row) for row in rows]
    error = stdev(shares) / math.sqrt(len(shares)) if len(shares) > 1 else float("nan")
    return Coverage(fmean(value <= z for row in rows for value in row), error, sum(map(len, rows)))


def read(folder: Path) -> list[Replicates]:
    """Replicates by evaluation: of a campaign's run folder, or of every finished replica found below a folder."""
    grouped: dict[str, list[Mapping[str, Estimate]]] = {}
    for key, estimates in _campaign(folder) if (folder / "campaign.db").exists() else _replicas(folder):
        grouped.setdefault(key, []).append(estimates)
    return list(grouped.values())


def _campaign(folder: Path) -> list[tuple[str, Mapping[str, Estimate]]]:
    from loop.store import Reader
    from loop.types import Observed

    found: list[tuple[str, Mapping[str, Estimate]]] = []
    with Reader.open(folder) as reader:
        for row in reader.tasks("done"):
            answer = reader.observed(row.task.id)
            if isinstance(answer, Observed):
                found.append((f"{row.task.design_id} {row.task.oracle} {row.task.fidelity}", answer.estimates))
    return found


def _replicas(folder: Path) -> list[tuple[str, Mapping[str, Estimate]]]:
    found: list[tuple[str, Mapping[str, Estimate]]] = []
    for asked, answer in replicas.finished(folder):
        if "estimates" in answer:
            question = {key: value for key, value in asked.items() if key != "seed"}
            estimates = {name: Estimate(**value) for name, value in answer["estimates"].items()}
            found.append((json.dumps(question, sort_keys=True), estimates))
    return found


def run(folder: Path, designs: int, fidelity: str, number: int, slots: int) -> None:
    """Make the replicas of random designs of PVDF and PE on magnetite; goes on where it was."""
    from oracles.openmm import OpenMMOracle

    oracle = OpenMMOracle()
    space = Space(
        [
            Parameter("oxide", "fixed", ("magnetite",)),
            Parameter("polymer", "choices", ("PVDF", "PE")),
            Parameter("termination", "choices", ("octahedral", "tetrahedral")),
            Parameter("hydroxyl_density", "real", (), (0.0, 6.0), "1/nm^2", 0.5),
            Parameter("temperature", "real", (), (350.0, 450.0), "K", 10.0),
        ]
    ).with_checks([lambda design: oracle.check(design, fidelity)])
    asked = [(design, 5000 + k) for design in space.sample(designs, seed=1) for k in range(number)]
    for told in replicas.run(asked, fidelity, folder, slots):
        if isinstance(told, str):
            print(told)


def show(evaluations: Sequence[Replicates]) -> None:
    held = {"stated": deviations(evaluations), "within runs": deviations(evaluations, within_runs)}
    print(f"{len(evaluations)} evaluations\n")
    titles = [f"{name}, {level}" for name in held for level in LEVELS]
    print("| property | replicas | " + " | ".join(titles) + " |")
    print("|---|---|" + "---|" * len(titles))
    for name, rows in held["stated"].items():
        cells = [coverage(found.get(name, [[math.inf]]), z) for found in held.values() for z in LEVELS.values()]
        shown = " | ".join(f"{cell.share:.0%} +- {cell.error:.0%}" for cell in cells)
        print(f"| `{name}` | {sum(map(len, rows))} | {shown} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=int, default=0, metavar="DESIGNS")
    parser.add_argument("--fidelity", default="smoke")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.folder, arguments.run, arguments.fidelity, arguments.replicas, arguments.slots)
    show(read(arguments.folder))


if __name__ == "__main__":
    main()
