"""Does the static scan tell designs apart as `smoke` simulations do, and at what cost?

    python -m benchmarks.adhesion_scan FOLDER ... [--least 2] [--run 12] [--replicas 2] [--slots 2]

Reads every finished `smoke` replica below the folders (`--run` first makes those of so many random designs in the first
one), scans each design that has two of them or more once, and prints Pearson's and Spearman's correlation of the
adhesion energy and its parts over all designs and within each polymer, and the CPU seconds of a scan.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import random_designs, replicas
from loop import Design, OracleFailure, Task
from loop.seeds import derive
from oracles.openmm import OpenMMOracle
from oracles.openmm.build.feasible import DEFAULTS
from oracles.openmm.scan import AdhesionScan

FIDELITY = "smoke"


@dataclass(frozen=True)
class Compared:
    """One design: property -> mean over its replicas, and property -> value of the scan."""

    design: Design
    simulated: dict[str, float]
    scanned: dict[str, float]
    seconds: float

    @property
    def polymer(self) -> str:
        return str(self.design.values.get("polymer", DEFAULTS["polymer"]))


def simulated(folders: Sequence[Path], least: int) -> Iterator[tuple[Design, dict[str, str], dict[str, float]]]:
    """Design, models and mean properties of every design with enough replicas."""
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for folder in folders:
        for parent in sorted({path.parent.parent for path in folder.rglob("manifest.json")}):
            for asked, answer in replicas.finished(parent):
                if asked.get("fidelity") == FIDELITY and "pvdf_model" in asked and "estimates" in answer:
                    models = {name: asked[name] for name in ("oxide_model", "pvdf_model")}
                    key = json.dumps([asked["design"], models], sort_keys=True)
                    found[key][asked["seed"]] = answer["estimates"]
    for key, by_seed in sorted(found.items()):
        if len(by_seed) >= least:
            design, models = json.loads(key)
            means = {name: fmean(e[name]["mean"] for e in by_seed.values()) for name in AdhesionScan.properties}
            yield Design(design), models, means


def scan(design: Design, models: dict[str, str], seed: int) -> tuple[dict[str, float], float]:
    """Its values, and CPU seconds."""
    task = Task(design.id, design.id, "scan", "scan", 0, derive(seed, "scan", design.id))
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        outcome = AdhesionScan(models["oxide_model"], models["pvdf_model"]).evaluate(design, task, Path(folder))
    return {name: e.mean for name, e in outcome.items()}, time.process_time() - started


def show(compared: Sequence[Compared]) -> None:
    from scipy.stats import pearsonr, spearmanr

    print("| designs | | " + " | ".join(f"`{name}`" for name in AdhesionScan.properties) + " |")
    print("|---|---|" + "---|" * len(AdhesionScan.properties))
    for name in ("all", *sorted({one.polymer for one in compared})):
        chosen = [one for one in compared if name in ("all", one.polymer)]
        if len(chosen) > 3:
            columns = [
                ([one.simulated[p] for one in chosen], [one.scanned[p] for one in chosen])
                for p in AdhesionScan.properties
            ]
            cells = [f"{pearsonr(*xy)[0]:.2f}, {spearmanr(*xy)[0]:.2f}" for xy in columns]
            print(f"| {name} | {len(chosen)} | {' | '.join(cells)} |")
    print(f"\nPearson, Spearman. {fmean(one.seconds for one in compared):.1f} CPU-s a scan, imports left out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--least", type=int, default=2, help="replicas of a design that is compared")
    parser.add_argument("--run", type=int, default=0, metavar="DESIGNS")
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.run:
        designs = random_designs.valid(OpenMMOracle(), arguments.run, arguments.seed)
        asked = [(design, 9000 + k) for design in designs for k in range(arguments.replicas)]
        for told in replicas.run(asked, FIDELITY, arguments.folders[0], arguments.slots):
            if isinstance(told, str):
                print(told)
    compared = []
    for design, models, means in simulated(arguments.folders, arguments.least):
        try:
            compared.append(Compared(design, means, *scan(design, models, arguments.seed)))
        except OracleFailure as failure:
            print(f"{dict(design.values)}: {failure}")
    show(compared)


if __name__ == "__main__":
    main()
