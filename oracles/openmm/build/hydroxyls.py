"""Hydroxyl groups on the faces of a slab.

Every metal bound to the oxygen holds the group's angle: held by one alone, the hydrogen swings down to a neighbouring
oxygen and is torn off (11 of 50 runs on crowded periclase, corundum and hematite ran away, none of 50 this way).
Their pattern is random: spread out evenly, four per nm^2 hold PVDF on magnetite by half the Coulomb energy, because
patches of hydroxyls and patches without attract more than their average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oracles.openmm.build.slab import Slab
from oracles.openmm.forcefield.oxides import hydroxyl_gain
from oracles.openmm.materials import catalogue


@dataclass(frozen=True)
class Hydroxyls:
    """Hydroxyl groups of both faces: the oxygens that carry them (slab indices) and the hydrogens' positions, nm.

    angles: (metal, oxygen index into `oxygens`, equilibrium angle in rad) of every metal-O-H angle.
    """

    oxygens: np.ndarray
    positions: np.ndarray
    angles: tuple[tuple[int, int, float], ...]


def hydroxyl_charge(model: str) -> float:
    """e that one hydroxyl group adds to the surface: its hydrogen's, and what its oxygen gains."""
    return float(catalogue.data(model)["hydrogen"]["charge"]) + hydroxyl_gain(model)


def count(density: float, area: float) -> int:
    """Hydroxyl groups on one face: density (1/nm^2) times area (nm^2), rounded."""
    return round(density * area)


def add_hydroxyls(
    slab: Slab, per_face: int, model: str, seed: int, blocked: Sequence[int] | np.ndarray = ()
) -> Hydroxyls:
    """Hydroxyls on `per_face` random oxygens of each face but the `blocked`."""
    rng = np.random.default_rng(seed)
    length = float(catalogue.data(model)["hydroxyl_bond"]["length"])
    theta = np.deg2rad(catalogue.data(model)["hydroxyl_angle"]["angle"])
    oxygens: list[int] = []
    positions: list[np.ndarray] = []
    angles: list[tuple[int, int, float]] = []
    for exposed, outward in ((slab.upper, 1.0), (slab.lower, -1.0)):
        face = exposed[~np.isin(exposed, blocked)]
        for oxygen in rng.choice(len(face), per_face, replace=False):
            atom = int(face[oxygen])
            positions.append(slab.positions[atom] + (0, 0, outward * length))
            angles += [(int(metal), len(oxygens), theta) for metal in slab.bound_metals(atom)]
            oxygens.append(atom)
    return Hydroxyls(np.array(oxygens, dtype=int), np.array(positions).reshape(-1, 3), tuple(angles))
