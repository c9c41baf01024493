"""Places chains in a cube around a particle. Overlaps between chains are left for the push-off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.build.packing import AVOGADRO, SLACK, WALL, DoesNotFit, random_rotation
from oracles.openmm.build.slab import folded

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

CONFORMATIONS, PLACES = 60, 40
"""Conformations tried for a chain, and places of each."""
CHOICE = 5
"""Places clear of the particle of which a chain takes the one farthest from the chains already there."""
BESIDE = 0.2
"""nm kept from ligands at placement: bonds of 0.15 nm cross none of theirs, and none runs through a ring of six."""


@dataclass(frozen=True)
class Hollow:
    """Where the polymer goes: a periodic cube of `edge` nm but for a ball of `radius` nm about its middle and what is
    near one of the `obstacles` (n, 3) nm."""

    edge: float
    radius: float
    obstacles: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(folded(self.obstacles, np.full(3, self.edge)), boxsize=self.edge)

    def clear(self, x: np.ndarray) -> bool:
        """Whether the points (n, 3) nm, in any periodic image, are outside ball and obstacles."""
        if np.linalg.norm(_nearest(x - self.middle, self.edge), axis=1).min() <= self.radius + WALL:
            return False
        near, _ = self._tree.query(folded(x, np.full(3, self.edge)), distance_upper_bound=BESIDE)
        return bool(np.isinf(near).all())

    @property
    def middle(self) -> np.ndarray:
        return np.full(3, self.edge / 2)

    @property
    def period(self) -> tuple[float, ...]:
        return (self.edge,) * 3


def ball(radius: float) -> float:
    """nm^3."""
    return 4 / 3 * pi * radius**3


def chains_around(mass: float, density: float, edge: float, radius: float) -> int:
    """Whole chains (g/mol) that fill a cube less the slack around a ball (nm) at the density (g/cm^3); at least one."""
    return max(1, round(density * AVOGADRO * ((edge - SLACK) ** 3 - ball(radius)) / mass))


def hollow_for(mass: float, density: float, radius: float) -> Hollow:
    """The cube in which all chains together (g/mol) have the density (g/cm^3) around a ball, and the slack."""
    return Hollow(float((mass / (density * AVOGADRO) + ball(radius)) ** (1 / 3)) + SLACK, radius)


def pack_around(
    conformation: Callable[[int, int], np.ndarray],
    chains: int,
    hollow: Hollow,
    rng: np.random.Generator,
    entangled: Callable[[Sequence[np.ndarray]], bool] = lambda placed: False,
) -> list[np.ndarray]:
    """Chains spread over the cube in random orientations, none with an atom in the ball or at an obstacle: with bonds
    of 0.15 nm none runs through it. They may cross the cube's faces.

    Arguments as of `packing.pack_coils`. Raises DoesNotFit where none of many conformations finds a place.
    """
    placed: list[np.ndarray] = []
    for chain in range(chains):
        for _ in range(CONFORMATIONS):
            x = conformation(chain, int(rng.integers(2**62)))
            x = (x - x.mean(axis=0)) @ random_rotation(rng).T
            free = _clear_places(x, hollow, placed, rng)
            found = next((x + place for place in free if not entangled([*placed, x + place])), None)
            if found is not None:
                placed.append(found)
                break
        else:
            raise DoesNotFit(
                f"chain {chain + 1} of {chains} finds no place around a particle in a box of {hollow.edge:.1f} nm; "
                "use shorter chains or a larger fidelity"
            )
    return placed


def _clear_places(
    x: np.ndarray, hollow: Hollow, placed: Sequence[np.ndarray], rng: np.random.Generator
) -> list[np.ndarray]:
    """Centres (3,) nm at which the chain stays out of the ball, the one farthest from the others' first."""
    clear = []
    for place in rng.random((PLACES, 3)) * hollow.edge:
        if hollow.clear(x + place):
            clear.append(place)
        if len(clear) == CHOICE:
            break
    if not placed:
        return clear
    others = np.array([y.mean(axis=0) for y in placed])
    return sorted(clear, key=lambda c: -np.linalg.norm(_nearest(others - c, hollow.edge), axis=1).min())


def _nearest(apart: np.ndarray, edge: float) -> np.ndarray:
    return np.asarray(apart - np.round(apart / edge) * edge)
