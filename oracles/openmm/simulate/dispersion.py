"""The Lennard-Jones energy between polymer and surface that the cut-off leaves out.

A third of the dispersion between a film and a slab lies beyond 0.8 nm, and cut-offs differ between cells: without
this part an adhesion energy would measure the cell. Beyond the cut-off the slab looks laterally uniform, which leaves
an integral over the distance of two planes (Janecek, J. Phys. Chem. B 2006, 110, 6264, eq. 9 to 13):

    w(z) = -2 pi int_|z|^inf (1 - S(r)) 4 eps (sigma/r)^6 r dr,    E = 1/A sum_ij sum_k w(z_i - z_j + k Lz)

with Lorentz-Berthelot mixing and S the switch that the simulation multiplied its potential with; the repulsion is a
thousandth of it at these distances. A particle looks the same from all sides: shells take the place of planes.
OpenMM's own long-range correction assumes a homogeneous box, which neither is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.build.film import Film
from oracles.openmm.build.specimen import Specimen
from oracles.openmm.build.suspension import Suspension
from oracles.openmm.simulate.energy import nonbonded

if TYPE_CHECKING:
    import openmm

REACH = 5.0
"""nm; a film's dispersion with slabs farther away is below 0.1 kJ/mol/nm^2."""
GRID = 4096
SMALLEST = 0.05
"""nm from a particle's centre: no polymer comes so near, and a shell as small is a point."""


class Tail(ABC):
    """Evaluates, in kJ/mol, what is missing of the LJ energy between `polymer` and all other atoms of a System with one
    NonbondedForce and a cut-off, in a box (3,) nm."""

    def __init__(self, system: openmm.System, polymer: np.ndarray, box: np.ndarray) -> None:
        force = nonbonded(system)
        inside = np.zeros(system.getNumParticles(), dtype=bool)
        inside[polymer] = True
        parameters = [force.getParticleParameters(i) for i in range(len(inside))]
        self._sigma = np.array([sigma._value for _, sigma, _ in parameters])
        self._epsilon = np.array([epsilon._value for _, _, epsilon in parameters])
        active = self._epsilon > 0
        self._polymer, self._surface = np.flatnonzero(inside & active), np.flatnonzero(~inside & active)
        self._box = box
        self._grid = np.linspace(0, REACH, GRID)
        cutoff = force.getCutoffDistance()._value
        switch = force.getSwitchingDistance()._value if force.getUseSwitchingFunction() else cutoff
        self._plane = plane_integral(self._grid, switch, cutoff)

    @abstractmethod
    def __call__(self, positions: np.ndarray) -> float:
        """The missing energy at `positions` (N, 3) nm."""

    def _layers(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(layers, 3) sigma, epsilon and place of the surface's atoms of one kind at one of the `places` (N,) nm, and
        how many atoms each has."""
        kinds = np.column_stack([self._sigma, self._epsilon, places.round(4)])[self._surface]
        return np.unique(kinds, axis=0, return_counts=True)

    def _beyond(self, distance: np.ndarray) -> np.ndarray:
        """`plane_integral` at distances, nm."""
        return np.asarray(np.interp(distance, self._grid, self._plane, right=0.0))


class DispersionTail(Tail):
    """Of a film: its layers are planes."""

    def __call__(self, positions: np.ndarray) -> float:
        z, height = positions[:, 2], float(self._box[2])
        layers, counts = self._layers(z)
        c6 = _c6(self._sigma[self._polymer][:, None], self._epsilon[self._polymer][:, None], layers) * counts
        apart = z[self._polymer][:, None] - layers[None, :, 2]
        apart -= height * np.round(apart / height)
        images = int(np.ceil(REACH / height))
        energy = 0.0
        for k in range(-images, images + 1):
            energy -= float((c6 * self._beyond(np.abs(apart + k * height))).sum())
        return energy / float(self._box[0] * self._box[1])


class ShellTail(Tail):
    """Of a particle: its layers are shells about its `centre`, (3,) nm from the first atom of the System.

    Averaged over a shell of radius s, the plane integral w at a distance d from the centre becomes
    [w(|d - s|) - w(d + s)] A / (4 pi s d): of the shell every point sees a slice per unit of distance.
    """

    def __init__(self, system: openmm.System, polymer: np.ndarray, box: np.ndarray, centre: np.ndarray) -> None:
        super().__init__(system, polymer, box)
        self._centre = centre

    def __call__(self, positions: np.ndarray) -> float:
        centre = positions[0] + self._centre
        layers, counts = self._layers(np.linalg.norm(positions - centre, axis=1))
        reach = float(layers[:, 2].max()) + REACH
        edges = np.linspace(SMALLEST, reach, GRID // 4)
        energy = 0.0
        apart = positions[self._polymer] - centre
        apart -= self._box * np.round(apart / self._box)
        n = np.ceil(reach / self._box).astype(int)
        images = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in n), indexing="ij"), axis=-1).reshape(-1, 3)
        kinds, which = np.unique(
            np.column_stack([self._sigma, self._epsilon])[self._polymer], axis=0, return_inverse=True
        )
        tables = [self._table(sigma, epsilon, layers, counts, edges) for sigma, epsilon in kinds]
        for image in images * self._box:
            distance = np.linalg.norm(apart + image, axis=1)
            for k, table in enumerate(tables):
                energy -= float(np.interp(distance[which.ravel() == k], edges, table, right=0.0).sum())
        return energy

    def _table(
        self, sigma: float, epsilon: float, layers: np.ndarray, counts: np.ndarray, distance: np.ndarray
    ) -> np.ndarray:
        """kJ/mol of one atom at each `distance` (nm) from the centre, its sign turned."""
        s, d = np.maximum(layers[:, 2], SMALLEST), distance[:, None]
        inner = self._beyond(np.abs(d - s)) - self._beyond(d + s)
        return np.asarray((inner / (4 * np.pi * s * d)) @ (_c6(sigma, epsilon, layers) * counts))


@singledispatch
def tail_of(specimen: Specimen, box: np.ndarray) -> Tail:
    """The tail of a specimen in a box (3,) nm."""
    raise TypeError(f"no dispersion tail is known of a {type(specimen).__name__}")


@tail_of.register
def _(film: Film, box: np.ndarray) -> Tail:
    return DispersionTail(film.system, film.polymer, box)


@tail_of.register
def _(suspension: Suspension, box: np.ndarray) -> Tail:
    centre = suspension.centre - suspension.positions[0]
    return ShellTail(suspension.system, suspension.polymer, box, centre)


def _c6(sigma: np.ndarray | float, epsilon: np.ndarray | float, layers: np.ndarray) -> np.ndarray:
    """4 eps sigma^6 of atoms and layers, mixed by Lorentz and Berthelot."""
    return np.asarray(4 * np.sqrt(epsilon * layers[:, 1]) * ((sigma + layers[:, 0]) / 2) ** 6)


def plane_integral(z: np.ndarray, switch: float, cutoff: float) -> np.ndarray:
    """2 pi int_z^inf (1 - S(r)) r^-5 dr for z >= 0, in 1/nm^4; S falls from 1 to 0 between switch and cut-off as
    OpenMM's does, 1 - 6x^5 + 15x^4 - 10x^3."""
    beyond: np.ndarray = np.pi / 2 * np.maximum(z, cutoff) ** -4.0
    if switch >= cutoff:
        return beyond
    r = np.linspace(switch, cutoff, 513)
    x = (r - switch) / (cutoff - switch)
    kernel = 2 * np.pi * (6 * x**5 - 15 * x**4 + 10 * x**3) * r**-5.0
    steps = (kernel[1:] + kernel[:-1]) / 2 * np.diff(r)
    from_r = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    return np.asarray(beyond + np.interp(z, r, from_r))
