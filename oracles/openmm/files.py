"""Files a person looks at: trajectory, topology, series, profiles, and the last frames of a run that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

TRAJECTORY, TOPOLOGY, SERIES = "trajectory.dcd", "topology.pdb", "observables.npz"
PROFILES = "profiles.json"
"""The name by which the report knows it."""
ANGSTROM_PER_NM = 10.0


def write_run(film: Specimen, series: Mapping[str, np.ndarray], folder: Path, interval: float) -> tuple[str, ...]:
    """Write the frames for viewing (one every `interval` ps), the topology at the last of them and the observables'
    series; return the three names, relative to `folder`."""
    from openmm.app import DCDFile

    box = film.cell(float(series["height"][-1]))
    with (folder / TRAJECTORY).open("wb") as file:
        trajectory = DCDFile(file, film.topology, interval)
        for positions in series["view"]:
            trajectory.writeModel(positions, unitCellDimensions=box)
    write_pdb(film, series["view"][-1:], folder / TOPOLOGY)
    kept = {name: values for name, values in series.items() if values.ndim == 1}
    np.savez_compressed(folder / SERIES, **kept)  # type: ignore[arg-type]  # numpy's stub forgets the arrays
    return TRAJECTORY, TOPOLOGY, SERIES


def write_profiles(profiles: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """Write the file of profiles, as docs/writing_an_oracle.md has it, and return its name."""
    (folder / PROFILES).write_text(json.dumps(profiles, allow_nan=False), encoding="utf-8")
    return PROFILES


def write_pdb(film: Specimen, frames: np.ndarray, path: Path) -> str:
    """Write `frames` (k, N, 3) nm as models of one PDB file and return its name."""
    from openmm.app import PDBFile

    with path.open("w") as file:
        PDBFile.writeHeader(film.topology, file)
        for number, positions in enumerate(frames, start=1):
            PDBFile.writeModel(film.topology, ANGSTROM_PER_NM * positions.astype(float), file, number)
        PDBFile.writeFooter(film.topology, file)
    return path.name
