"""How large films are built at each fidelity, and where their disorder comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    "smoke": Size(lateral=(1.7, 1.64), slab_thickness=0.8, gap=1.25, cutoff=0.8),
    "screen": Size(lateral=(1.9, 1.75), slab_thickness=0.8, gap=1.6, cutoff=0.8),
    "standard": Size(lateral=(3.3, 3.3), slab_thickness=0.8, gap=3.0, cutoff=0.9),
    "production": Size(lateral=(5.0, 5.0), slab_thickness=1.6, gap=6.0, cutoff=1.0),
}
"""About 550 to 700, 900 to 1200, 3000 to 4000 and 15 000 to 20 000 atoms; slabs are equally thick up to `standard`, so
that a design is neutral in all of them or in none."""


@dataclass(frozen=True)
class Seeds:
    """The three independent sources of a replica's disorder: hydroxyl and ligand sites, chains, velocities."""

    surface: int
    chains: int
    velocities: int
