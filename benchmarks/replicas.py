"""Replicas of MD designs, side by side in processes of their own; shared by the benchmarks that need many."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from loop import Design, OracleFailure, Task
from loop.types import Outcome


def run(
    asked: Iterable[tuple[Design, int]], fidelity: str, folder: Path, slots: int, **options: Any
) -> list[Outcome | str]:
    """The outcome, or why there is none, of each (design, seed) in the order asked.

    Each has a folder of its own in `folder`: run again with the same one, what is finished is read and the rest goes
    on. `options` are the oracle's keys.
    """
    one = partial(replica, fidelity=fidelity, folder=folder, options=options)
    with ProcessPoolExecutor(slots, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(one, *zip(*asked, strict=True)))


def replica(design: Design, seed: int, fidelity: str, folder: Path, options: dict[str, Any]) -> Outcome | str:
    from oracles.openmm import OpenMMOracle

    task = Task(f"{design.id}-{seed}", design.id, "openmm", fidelity, seed, seed=seed)
    try:
        return OpenMMOracle(**options).evaluate(design, task, folder / f"{design.id}-{fidelity}-{seed}")
    except OracleFailure as failure:
        return f"{dict(design.values)}, seed {seed}: {failure}"


def finished(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(question, answer) of every replica below `folder` that has an answer, in the order of the folders' names."""
    for path in sorted(folder.glob("*/manifest.json")):
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if manifest["answer"]:
            yield manifest["question"], manifest["answer"]
