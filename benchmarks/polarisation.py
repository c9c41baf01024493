"""Which observable tells surfaces apart by how they polarise PVDF, per minute of CPU?

    python -m benchmarks.polarisation FOLDER [--fidelity screen] [--seeds 6] [--surfaces 14] [--slots 2]

Runs every surface with every seed, seed after seed (again with the same folder it goes on), and prints for each
candidate: signal over noise of one run (spread of the true means over the scatter between seeds), the same per square
root of its CPU minutes (replicas add up like that) and of three runs, whether the first and the second half of the
seeds rank the surfaces alike (Spearman), and the share of the noise that a seed has in common for all surfaces. Equal
seeds are equal random numbers for chains, hydroxyl sites and velocities; differences between surfaces lose that share.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, variance

import numpy as np

from benchmarks import replicas
from loop import Design
from loop.types import Outcome, Value

SURFACES: tuple[dict[str, Value], ...] = (
    {"oxide": "magnetite", "termination": "octahedral", "hydroxyl_density": 0.0},
    {"oxide": "magnetite", "termination": "octahedral", "hydroxyl_density": 2.0},
    {"oxide": "magnetite", "termination": "octahedral", "hydroxyl_density": 4.0},
    {"oxide": "magnetite", "termination": "octahedral", "hydroxyl_density": 6.0},
    {"oxide": "magnetite", "termination": "tetrahedral", "hydroxyl_density": 0.0},
    {"oxide": "magnetite", "termination": "tetrahedral", "hydroxyl_density": 4.0},
    {"oxide": "magnetite", "facet": "111", "hydroxyl_density": 0.0},
    {"oxide": "magnetite", "facet": "111", "hydroxyl_density": 4.0},
    {"oxide": "hematite", "hydroxyl_density": 0.0},
    {"oxide": "hematite", "hydroxyl_density": 4.0},
    {"oxide": "corundum", "hydroxyl_density": 0.0},
    {"oxide": "corundum", "hydroxyl_density": 4.0},
    {"oxide": "periclase", "hydroxyl_density": 0.0},
    {"oxide": "periclase", "hydroxyl_density": 4.0},
)
FIELD_PHASE = "field"
SEED = 9000


@dataclass(frozen=True)
class Candidate:
    """An observable made from a replica's answer; `fielded` where it needs the runs in a field, and pays for them."""

    name: str
    value: Callable[[Outcome], float]
    fielded: bool = False


CANDIDATES = (
    Candidate("first-layer dipole, D", lambda found: found["interphase_dipole"].mean),
    Candidate("dipole along the surface's field, D", lambda found: found["aligned_dipole"].mean),
    Candidate("the surface's own field, V/nm", lambda found: found["surface_field"].mean),
    Candidate("areal dipole, D/nm^2", lambda found: found["interphase_dipole"].mean * found["layer_population"].mean),
    Candidate("Coulomb adhesion, mJ/m^2", lambda found: found["adhesion_coulomb"].mean),
    Candidate("response near the wall, D nm/V", lambda found: found["wall_response"].mean, fielded=True),
    Candidate("response of the film", lambda found: found["field_response"].mean, fielded=True),
)


def signal_over_noise(values: Sequence[Sequence[float]]) -> float:
    """Surfaces x seeds -> spread of the true means over the pooled scatter of one run: the variance of the means less
    what the seeds put into it (one-way analysis of variance); 0 where that is less than nothing."""
    degrees = sum(len(row) - 1 for row in values)
    noise = sum(variance(row) * (len(row) - 1) for row in values if len(row) > 1) / degrees
    signal = variance([fmean(row) for row in values]) - noise * fmean(1 / len(row) for row in values)
    return math.sqrt(max(signal, 0.0) / noise)


def agreement(values: Sequence[Sequence[float]]) -> float:
    """Spearman's rank correlation between the means of the first and of the second half of the seeds."""
    from scipy.stats import spearmanr

    halves = [[fmean(row[: len(row) // 2]), fmean(row[len(row) // 2 :])] for row in values]
    return float(spearmanr(halves).statistic)


def common_noise(values: Sequence[Sequence[float]]) -> float:
    """Share of the scatter between seeds that a seed puts into all surfaces alike: what is left of the seeds' effect
    (two-way analysis of variance) over the whole; 0 where it is less than nothing. Surfaces without all seeds are left
    out."""
    seeds = max(map(len, values))
    table = np.array([row for row in values if len(row) == seeds])
    within = table - table.mean(axis=1, keepdims=True)
    effect = within.mean(axis=0)
    rest = ((within - effect) ** 2).sum() / ((len(table) - 1) * (seeds - 1))
    common = (effect**2).sum() / (seeds - 1) - rest / len(table)
    return float(max(common, 0.0) / (max(common, 0.0) + rest))


def answers(folder: Path, fidelity: str, surfaces: int, seeds: int, slots: int) -> list[list[Outcome]]:
    """Surfaces x seeds, without the runs that failed and the surfaces that have less than two left."""
    designs = [Design({"polymer": "PVDF", "temperature": 400.0, **surface}) for surface in SURFACES[:surfaces]]
    asked = [(design, SEED + number) for number in range(seeds) for design in designs]
    told = replicas.run(asked, fidelity, folder, slots, observables=["field_response"])
    for reason in told:
        if isinstance(reason, str):
            print(reason)
    found = [[one for one in told[k :: len(designs)] if isinstance(one, Outcome)] for k in range(len(designs))]
    return [row for row in found if len(row) > 1]


def minutes(found: Sequence[Sequence[Outcome]], fielded: bool) -> float:
    """CPU minutes of one replica."""
    spent: list[Mapping[str, float]] = [outcome.provenance["cpu_seconds"] for row in found for outcome in row]
    return fmean(sum(s for phase, s in one.items() if fielded or phase != FIELD_PHASE) for one in spent) / 60


def show(found: Sequence[Sequence[Outcome]]) -> None:
    print(f"{len(found)} surfaces, {min(map(len, found))} to {max(map(len, found))} seeds each\n")
    print(
        "| candidate | CPU min a run | S/N of one run | S/N per root CPU min | of three runs "
        "| rank agreement | noise in common |"
    )
    print("|---|---|---|---|---|---|---|")
    for candidate in CANDIDATES:
        values = [[candidate.value(outcome) for outcome in row] for row in found]
        ratio, price = signal_over_noise(values), minutes(found, candidate.fielded)
        print(
            f"| {candidate.name} | {price:.2f} | {ratio:.1f} | {ratio / math.sqrt(price):.1f} "
            f"| {ratio * math.sqrt(3):.1f} | {agreement(values):.2f} | {common_noise(values):.0%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fidelity", default="screen")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--surfaces", type=int, default=len(SURFACES))
    parser.add_argument("--slots", type=int, default=2)
    arguments = parser.parse_args()
    show(answers(arguments.folder, arguments.fidelity, arguments.surfaces, arguments.seeds, arguments.slots))


if __name__ == "__main__":
    main()
