"""The Lennard-Jones energy between polymer and surface that the cut-off leaves out.

A third of the dispersion between a film and a slab lies beyond 0.8 nm, and cut-offs differ between cells: without
this part an adhesion energy would measure the cell. Beyond the cut-off the slab looks laterally uniform, which leaves
an integral over the distance of two planes (Janecek, J. Phys. Chem. B 2006, 110, 6264, eq. 9 to 13):

    w(z) = -2 pi int_|z|^inf (1 - S(r)) 4 eps (sigma/r)^6 r dr,    E = 1/A sum_ij sum_k w(z_i - z_j + k Lz)

with Lorentz-Berthelot mixing and S the switch that the simulation multiplied its potential with; the repulsion is a
thousandth of it at these distances. OpenMM's own long-range correction assumes a homogeneous box, which a film is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.simulate.energy import nonbonded

if TYPE_CHECKING:
    import openmm

REACH = 5.0
"""nm; a film's dispersion with slabs farther away is below 0.1 kJ/mol/nm^2."""
GRID = 4096


class DispersionTail:
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
        self._area, self._height = float(box[0] * box[1]), float(box[2])
        self._grid = np.linspace(0, REACH, GRID)
        cutoff = force.getCutoffDistance()._value
        switch = force.getSwitchingDistance()._value if force.getUseSwitchingFunction() else cutoff
        self._plane = plane_integral(self._grid, switch, cutoff)

    def __call__(self, positions: np.ndarray) -> float:
        """The missing energy at `positions` (N, 3) nm."""
        z = positions[:, 2]
        layers, counts = np.unique(
            np.column_stack([self._sigma, self._epsilon, z.round(4)])[self._surface], axis=0, return_counts=True
        )
        sigma = (self._sigma[self._polymer][:, None] + layers[None, :, 0]) / 2
        c6 = 4 * np.sqrt(self._epsilon[self._polymer][:, None] * layers[None, :, 1]) * sigma**6 * counts
        apart = z[self._polymer][:, None] - layers[None, :, 2]
        apart -= self._height * np.round(apart / self._height)
        images = int(np.ceil(REACH / self._height))
        energy = 0.0
        for k in range(-images, images + 1):
            distance = np.abs(apart + k * self._height)
            energy -= float((c6 * np.interp(distance, self._grid, self._plane, right=0.0)).sum())
        return energy / self._area


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
