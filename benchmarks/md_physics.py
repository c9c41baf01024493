"""Does the screen fidelity reproduce what is known of PVDF and polyethylene on magnetite (001), 400 K?

    python -m benchmarks.md_physics [--fidelity screen] [--replicas 3] [--slots 2] [--case NAME ...] [--folder DIR]

Runs replicas of each case side by side and prints means with the standard error over replicas beside what is expected:
polyethylene sticks by dispersion alone; hydroxyls make PVDF stick more; the bare surface turns the dipoles of the first
layer away from itself. Run again with the same `--folder` it goes on. `--case "PVDF, 4 OH" --slots 3` times one whole
candidate, its three replicas at once.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import replicas
from loop import Design
from loop.types import Value
from oracles.openmm.simulate.energy import MJ_PER_M2

SURFACE: dict[str, Value] = {"oxide": "magnetite", "facet": "001", "termination": "octahedral", "temperature": 400.0}
CASES: Mapping[str, dict[str, Value]] = {
    "PVDF, bare": {**SURFACE, "polymer": "PVDF", "hydroxyl_density": 0.0},
    "PVDF, 4 OH": {**SURFACE, "polymer": "PVDF", "hydroxyl_density": 4.0},
    "PE, 4 OH": {**SURFACE, "polymer": "PE", "hydroxyl_density": 4.0},
}
SHOWN = ("adhesion_energy", "adhesion_coulomb", "adhesion_lj", "interphase_dipole", "layer_population", "film_density")
Means = dict[str, tuple[float, float]]


def run(cases: Sequence[str], fidelity: str, number: int, slots: int, folder: Path) -> dict[str, Means]:
    """(mean, standard error over replicas) of every property, by case."""
    asked = [(Design(CASES[case]), 1000 + k) for case in cases for k in range(number)]
    told = replicas.run(asked, fidelity, folder, slots)
    means: dict[str, Means] = {}
    for k, case in enumerate(cases):
        own = told[k * number : (k + 1) * number]
        for reason in (t for t in own if isinstance(t, str)):
            print(reason)
        good = [t for t in own if not isinstance(t, str)]
        means[case] = {prop: mean_and_error([t[prop].mean for t in good]) for prop in SHOWN} if good else {}
    return means


def mean_and_error(values: list[float]) -> tuple[float, float]:
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return statistics.mean(values), error


def show(means: Mapping[str, Means]) -> None:
    print(f"{'':12s}" + "".join(f"{prop:>22s}" for prop in SHOWN))
    for case, values in means.items():
        print(f"{case:12s}" + "".join(f"{mean:13.3f} +- {error:5.3f}" for mean, error in values.values()))
    if not all(means.get(case) for case in CASES):
        return
    bare, hydroxylated, polyethylene = (means[case] for case in CASES)
    coulomb, lj = (polyethylene[f"adhesion_{part}"][0] / MJ_PER_M2 for part in ("coulomb", "lj"))
    dipole, error = bare["interphase_dipole"]
    print(f"PE: Coulomb {-coulomb:.1f}, LJ {-lj:.1f} kJ/mol/nm^2")
    print(
        f"PVDF: adhesion with hydroxyls over bare {hydroxylated['adhesion_energy'][0] / bare['adhesion_energy'][0]:.2f}"
    )
    print(
        f"PVDF: first-layer dipole bare {dipole:+.2f} D, {dipole / error:.1f} standard errors from 0; "
        f"hydroxylated {hydroxylated['interphase_dipole'][0]:+.2f} D"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fidelity", default="screen")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--folder", default=None, help="kept and gone on with; default: a temporary one")
    parser.add_argument("--case", action="append", choices=CASES, help="only this case; may be given again")
    arguments = parser.parse_args()
    cases, started = arguments.case or tuple(CASES), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.folder or temporary)
        show(run(cases, arguments.fidelity, arguments.replicas, arguments.slots, folder))
    print(f"{len(cases) * arguments.replicas} replicas in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
