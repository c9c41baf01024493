"""Replicas of the same surfaces of PVDF simulated in different ways: what the comparison of rankings reads.

    python -m benchmarks.validation.surfaces "minff smoke" [--replicas 3]   simulate; after an interruption it goes on
    python -m benchmarks.validation.surfaces --read FOLDER                  take in finished work folders instead

The surfaces are those of benchmarks/polarisation.py, whose folders `--read` understands. Results are kept in
results/replicas/, one file per way.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.polarisation import SURFACES
from benchmarks.replicas import finished, replica
from loop import Design
from loop.types import Value

FOLDER = Path(__file__).parent / "results" / "replicas"
PROPERTIES = ("adhesion_energy", "interphase_dipole", "layer_population")
FIXED: Mapping[str, Value] = {"polymer": "PVDF", "temperature": 400.0}
PVDF_MODEL = "sage"
Replicas = dict[str, dict[str, dict[str, float]]]
"""Surface -> seed -> property -> value; a replica that failed has none of the properties."""


@dataclass(frozen=True)
class Way:
    """How surfaces are simulated. Ways that are compared have seeds of their own, so that they share no packing."""

    oxide_model: str
    fidelity: str
    seed: int


WAYS: Mapping[str, Way] = {
    "clayff smoke": Way("clayff", "smoke", 7000),
    "minff smoke": Way("minff", "smoke", 7100),
    "clayff screen": Way("clayff", "screen", 9000),
    "clayff standard": Way("clayff", "standard", 7300),
}


def designs() -> dict[str, Design]:
    """The surfaces by a name that tells them apart."""
    from oracles.openmm.build.feasible import with_defaults
    from oracles.openmm.materials import catalogue

    found = {}
    for surface in SURFACES:
        design = Design({**FIXED, **surface})
        whole = with_defaults(design.values)
        facet = catalogue.facet_name(whole["oxide"], whole["facet"])
        end = catalogue.termination_name(whole["oxide"], facet, whole["termination"])
        found[f"{whole['oxide']} ({facet}) {end}, {whole['hydroxyl_density']:g} OH/nm^2"] = design
    return found


def load(name: str) -> Replicas:
    """What has been measured of a way."""
    path = _path(name)
    found: Replicas = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def measure(name: str, replicas: int) -> None:
    """Simulate that many replicas of every surface that the way can build, the first of all surfaces first; each is
    kept when it is done."""
    from oracles.openmm import OpenMMOracle

    way, found = WAYS[name], load(name)
    options: dict[str, Any] = {"oxide_model": way.oxide_model, "pvdf_model": PVDF_MODEL}
    oracle = OpenMMOracle(**options)
    possible = [
        (surface, design)
        for surface, design in designs().items()
        if all(check.passed for check in oracle.check(design, way.fidelity))
    ]
    for seed in map(str, range(way.seed, way.seed + replicas)):
        for surface, design in possible:
            if seed not in found.setdefault(surface, {}):
                found[surface][seed] = _simulate(design, int(seed), way.fidelity, options)
                _save(name, found)
                print(name, surface, seed, found[surface][seed], flush=True)


def _simulate(design: Design, seed: int, fidelity: str, options: dict[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        outcome = replica(design, seed, fidelity, Path(folder), options)
    if isinstance(outcome, str):
        print(outcome, flush=True)
        return {}
    return {name: outcome[name].mean for name in PROPERTIES}


def read(folder: Path) -> dict[str, int]:
    """Take in every answered replica of a known surface and way found in `folder`'s work folders; how many of each
    way."""
    names, ways = designs(), {(way.oxide_model, way.fidelity): name for name, way in WAYS.items()}
    surfaces = {json.dumps(dict(design.values), sort_keys=True): surface for surface, design in names.items()}
    taken: dict[str, Replicas] = {}
    counts: dict[str, int] = {}
    for question, answer in finished(folder):
        surface = surfaces.get(json.dumps(question["design"], sort_keys=True))
        name = ways.get((question["oxide_model"], question["fidelity"]))
        if surface is None or name is None or question["pvdf_model"] != PVDF_MODEL:
            continue
        estimates = answer.get("estimates", {})
        values = {key: estimates[key]["mean"] for key in PROPERTIES if key in estimates}
        found = taken.setdefault(name, load(name))
        found.setdefault(surface, {})[str(question["seed"])] = values
        counts[name] = counts.get(name, 0) + 1
    for name, found in taken.items():
        _save(name, found)
    return counts


def _save(name: str, found: Replicas) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = _path(name)
    whole = path.with_suffix(".tmp")
    whole.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    whole.replace(path)


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace(' ', '-')}.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", nargs="*", help=f"simulate: {', '.join(WAYS)}")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--read", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.way) - set(WAYS)):
        parser.error(f"no way {', '.join(unknown)}; there are {', '.join(WAYS)}")
    if arguments.read:
        print(read(arguments.read))
    for name in arguments.way:
        measure(name, arguments.replicas)


if __name__ == "__main__":
    main()
