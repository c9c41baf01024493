"""Oxide and polymer in a periodic box: what a simulation is given, whatever the shape of the surface between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openmm

CONTACT = 0.1
"""nm beyond a surface that belong to its contact with the polymer, not to the polymer's room."""


@dataclass(frozen=True)
class Specimen(ABC):
    """Everything a simulation needs; lengths nm, charges e.

    `system` holds the full force field: bonded forces in group 0, one NonbondedForce (PME) in group 1, hydrogens of
    organic molecules at 3 amu (taken from their heavy atom) with X-H bonds constrained, slab atoms (a ligand's anchors
    are some) of mass 0, hydroxyl hydrogens at 16 amu; zero-stiffness bonds make the slab one molecule for a barostat.
    `flexible` has the same atoms without constraints and without nonbonded force: what a push-off adds its soft
    repulsion to.

    A box has one free edge, its height, that the pressure moves; the kind of specimen says what the others do then.
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
    """Backbone atoms of each chain, in order; cut where a dihedral would turn about a bond that cannot, as in rings."""
    dq: float
    """e added to every metal atom to make the surface neutral."""
    slab_dipole: float
    """e nm of the oxide without hydroxyls and ligands along a film's z, which is none where the cut is symmetric."""
    provenance: Mapping[str, Any]
    """Oxide model, force fields, termination, realised densities, counts, seeds, package versions (JSON values)."""

    @property
    @abstractmethod
    def interface(self) -> float:
        """nm^2 of all surfaces that face the polymer."""

    @property
    @abstractmethod
    def roughness(self) -> float:
        """nm that the surface's hollows lie below where distances are counted from."""

    @abstractmethod
    def cell(self, height: float) -> np.ndarray:
        """(3,) nm of the box of a height."""

    @abstractmethod
    def room(self, height: float) -> float:
        """nm^3 that the polymer has in the box of a height: not the oxide's, the ligands' or the contact's."""

    @property
    @abstractmethod
    def packed_room(self) -> float:
        """nm^3 that the polymer has at the density it was packed for."""

    @abstractmethod
    def distances(self, x: np.ndarray, heights: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(frames, points) distance d nm of points from the nearest surface, below 0 inside it, and (frames, points, 3)
        the outward normal there.

        `x` (frames, points, 3) nm in any periodic image, `heights` (frames,) of the box, and (frames, 3) how far the
        slab has `moved` from where it was built.
        """

    @abstractmethod
    def reach(self, height: float) -> tuple[float, float]:
        """Between which distances d (nm) polymer is to be found in the box of a height: from where ligands end inwards
        to midway between the surface and its image."""

    @abstractmethod
    def volume(self, d: np.ndarray) -> np.ndarray:
        """nm^3 from the surface (all of them) to distances d, negative below it."""

    @abstractmethod
    def rescaled(self, positions: np.ndarray, old: float, new: float) -> np.ndarray:
        """`positions` (N, 3) nm after the box height goes from `old` to `new` nm: chains move as rigid bodies."""

    @abstractmethod
    def barostat(self, temperature: float) -> tuple[openmm.Force, str]:
        """What moves the box edges, idle as yet, and the name of its pressure (bar) as a parameter of a Context."""
