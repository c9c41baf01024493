"""What every specimen is made of, whatever its shape: the surface's atoms first, then the chains."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from oracles.openmm.build.assemble import Surface, build_flexible, build_system, build_topology
from oracles.openmm.build.melt import Melt
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import turning_runs


def parts(
    surface: Surface[Any], at: np.ndarray, melted: Melt, placed: list[np.ndarray], box: np.ndarray, cutoff: float
) -> dict[str, Any]:
    """Fields of a `Specimen` by name: those that follow from the surface with its atoms `at` (n, 3) nm and the chains
    `placed`, (m, 3) nm each, in a box (3,) nm."""
    first = len(surface.elements)
    ends = first + np.cumsum([0, *(len(molecule.elements) for molecule in melted.molecules)])
    atoms = [np.arange(low, high) for low, high in pairwise(ends)]
    of_chain = list(zip(melted.molecules, atoms, strict=True))
    return {
        "system": build_system(surface, melted.members, box, cutoff),
        "flexible": build_flexible(surface, melted.members, box),
        "topology": build_topology(surface, melted.molecules, [melted.polymer.residue] * len(atoms), box),
        "positions": np.concatenate([at, *placed]),
        "box": box,
        "slab": np.arange(len(surface.slab.elements)),
        "surface": np.arange(first),
        "polymer": np.concatenate(atoms),
        "chains": tuple(atoms),
        "monomers": tuple(own[molecule.monomer == unit] for molecule, own in of_chain for unit in units(molecule)),
        "backbones": tuple(own[list(run)] for molecule, own in of_chain for run in turning_runs(molecule)),
        "dq": surface.dq,
    }


def units(molecule: Molecule) -> range:
    """The numbers of a chain's repeat units."""
    return range(int(molecule.monomer.max()) + 1)
