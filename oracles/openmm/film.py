"""A sandwich film: a rigid oxide slab with polymer filling the gap to the slab's own periodic image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.types import Value

if TYPE_CHECKING:
    import openmm


@dataclass(frozen=True)
class Size:
    """How large a film is built, in nm.

    `lateral` are the smallest box edges along x and y (the slab's cell is repeated until both are reached),
    `slab_thickness` the wanted distance between the slab's outermost atom planes, `gap` the space between the slab and
    its image before densification (the number of chains follows from it and the polymer's density), `cutoff` the
    largest nonbonded cut-off (a small box lowers it).
    """

    lateral: tuple[float, float]
    slab_thickness: float
    gap: float
    cutoff: float


SIZES: Mapping[str, Size] = {
    "smoke": Size(lateral=(1.95, 1.65), slab_thickness=0.5, gap=1.2, cutoff=0.9),
    "screen": Size(lateral=(1.9, 1.9), slab_thickness=0.7, gap=1.6, cutoff=0.9),
}


@dataclass(frozen=True)
class Seeds:
    """The three independent sources of a replica's disorder: hydroxyl and ligand sites, chains, velocities."""

    surface: int
    chains: int
    velocities: int


@dataclass(frozen=True)
class Film:
    """Everything a simulation needs; lengths nm, charges e.

    `system` holds the full force field: bonded forces in group 0, one NonbondedForce (PME) in group 1, hydrogens of
    organic molecules at 3 amu (taken from their heavy atom) with X-H bonds constrained, slab atoms of mass 0,
    hydroxyl hydrogens at 4 amu; zero-stiffness bonds make the slab one molecule for a barostat. `flexible` has the same
    atoms without constraints and without nonbonded force: what a push-off adds its soft repulsion to.
    """

    system: openmm.System
    flexible: openmm.System
    topology: openmm.app.Topology
    positions: np.ndarray
    """(N, 3) nm, molecules whole."""
    box: np.ndarray
    """(3,) nm, orthogonal."""
    slab: np.ndarray
    """Indices of the frozen atoms."""
    surface: np.ndarray
    """Slab, hydroxyl hydrogens and ligands."""
    polymer: np.ndarray
    chains: tuple[np.ndarray, ...]
    """Atoms of each chain."""
    monomers: tuple[np.ndarray, ...]
    """Atoms of each repeat unit (end groups belong to the end units), chain by chain."""
    backbones: tuple[np.ndarray, ...]
    """Backbone atoms of each chain, in order."""
    top: float
    """z of the upper outermost atom plane of the oxide (hydroxyl hydrogens included), nm; polymer starts here ..."""
    bottom: float
    """... and ends at the periodic image of this lower one."""
    area: float
    slab_height: float
    """top - bottom, nm."""
    dq: float
    """e added to every metal atom to make the surface neutral."""
    provenance: Mapping[str, Any]
    """Oxide model, force fields, termination, realised densities, counts, seeds, package versions (JSON values)."""


def build_film(values: Mapping[str, Value], size: Size, seeds: Seeds, cache: Path | None = None) -> Film:
    """Build the film of a design; `cache` is where fitted force-field parameters are kept (default: user cache).

    Raises OracleFailure("infeasible", ...) for a design that `feasible.check` refuses.
    """
    raise NotImplementedError
