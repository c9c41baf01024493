"""Interaction energy of the polymer with the surface, Coulomb and Lennard-Jones apart.

Defined over the nonbonded force alone as U(all) - U(polymer only) - U(surface only), without the homogeneous long-range
correction. The Coulomb energy is quadratic in the charges, so its cross term also equals half the change of U on
turning the sign of every polymer charge: two evaluations instead of three; the forces that go with it likewise. The
Lennard-Jones cross term is summed over polymer-surface pairs directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from oracles.openmm.simulate.platforms import Compute

if TYPE_CHECKING:
    import openmm

MJ_PER_M2 = 1.66053906660
"""mJ/m^2 in one kJ/mol/nm^2 (1e18 / 6.02214076e23 * 1e6)."""
SIGN = "polymer_sign"
LENNARD_JONES = "4*sqrt(eps1*eps2)*((s/r)^12 - (s/r)^6); s = (sigma1 + sigma2)/2"


class Interaction(NamedTuple):
    """Coulomb and Lennard-Jones energy, kJ/mol, and the Coulomb force (N, 3) kJ/mol/nm on each atom of the other
    side's charges."""

    coulomb: float
    lj: float
    pull: np.ndarray


class InteractionEnergy:
    """Evaluates the Interaction between `polymer` and all other atoms of a System with one NonbondedForce.

    Raises ValueError where an exception pair (1-2 to 1-4 neighbours) joins polymer and surface: then the two are one
    molecule and an interaction energy has no meaning.
    """

    def __init__(self, system: openmm.System, polymer: np.ndarray, box: np.ndarray, compute: Compute) -> None:
        import openmm

        inside = np.zeros(system.getNumParticles(), dtype=bool)
        inside[polymer] = True
        force = nonbonded(system)
        self._coulomb, self._lj = (
            compute.context(_boxed(system, part, box), openmm.VerletIntegrator(0.001))
            for part in (_coulomb(force, inside), _lennard_jones(force, inside))
        )

    def __call__(self, positions: np.ndarray) -> Interaction:
        """At `positions` (N, 3) nm, in the box given at construction."""
        self._coulomb.setPositions(positions)
        self._lj.setPositions(positions)
        (same, forces), (turned, turned_forces) = (self._with_sign(sign) for sign in (1.0, -1.0))
        lj = self._lj.getState(energy=True).getPotentialEnergy()._value
        return Interaction((same - turned) / 2, float(lj), (forces - turned_forces) / 2)

    def _with_sign(self, sign: float) -> tuple[float, np.ndarray]:
        self._coulomb.setParameter(SIGN, sign)
        state = self._coulomb.getState(energy=True, forces=True)
        return float(state.getPotentialEnergy()._value), state.getForces(asNumpy=True)._value

    def restart(self) -> None:
        """Forget what earlier evaluations left (neighbour lists), so that results depend on positions alone."""
        self._coulomb.reinitialize()
        self._lj.reinitialize()


def potential_energies(system: openmm.System, frames: np.ndarray, box: np.ndarray, compute: Compute) -> np.ndarray:
    """(frames,) kJ/mol of a System in a box (3,) nm at `frames` (frames, N, 3) nm, all forces included."""
    import openmm

    with compute.core():
        context = compute.context(system, openmm.VerletIntegrator(0.001))
        context.setPeriodicBoxVectors(*np.diag(box))
        energies = []
        for positions in frames:
            context.setPositions(positions.astype(float))
            energies.append(context.getState(energy=True).getPotentialEnergy()._value)
    return np.array(energies)


def nonbonded(system: openmm.System) -> openmm.NonbondedForce:
    """The one NonbondedForce of a System; ValueError unless there is exactly one."""
    import openmm

    forces = [force for force in system.getForces() if isinstance(force, openmm.NonbondedForce)]
    if len(forces) != 1:
        raise ValueError(f"a film has one NonbondedForce, this System has {len(forces)}")
    return forces[0]


def charges(system: openmm.System) -> np.ndarray:
    """(N,) e, of the atoms of a System with one NonbondedForce."""
    force = nonbonded(system)
    return np.array([force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles())])


def _coulomb(force: openmm.NonbondedForce, inside: np.ndarray) -> openmm.NonbondedForce:
    """The electrostatics of `force` alone; polymer charges scale with the parameter `polymer_sign`. Products of
    exception pairs stay as they are: both atoms lie on one side."""
    import openmm

    copy = openmm.NonbondedForce()
    copy.setNonbondedMethod(force.getNonbondedMethod())
    copy.setCutoffDistance(force.getCutoffDistance())
    copy.setEwaldErrorTolerance(force.getEwaldErrorTolerance())
    copy.setUseDispersionCorrection(False)
    copy.addGlobalParameter(SIGN, 1.0)
    for i in range(force.getNumParticles()):
        charge, _, _ = force.getParticleParameters(i)
        copy.addParticle(0.0 if inside[i] else charge, 0.1, 0.0)
        if inside[i]:
            copy.addParticleParameterOffset(SIGN, i, charge, 0.0, 0.0)
    for k in range(force.getNumExceptions()):
        i, j, product, _, _ = force.getExceptionParameters(k)
        if inside[i] != inside[j]:
            raise ValueError(f"atoms {i} and {j} join polymer and surface: no interaction energy between them")
        copy.addException(i, j, product, 0.1, 0.0)
    return copy


def _lennard_jones(force: openmm.NonbondedForce, inside: np.ndarray) -> openmm.CustomNonbondedForce:
    """Lorentz-Berthelot 12-6 between polymer and surface with the cut-off and switch of `force`."""
    import openmm

    lj = openmm.CustomNonbondedForce(LENNARD_JONES)
    lj.addPerParticleParameter("sigma")
    lj.addPerParticleParameter("eps")
    for i in range(force.getNumParticles()):
        _, sigma, epsilon = force.getParticleParameters(i)
        lj.addParticle([sigma, epsilon])
    periodic = force.usesPeriodicBoundaryConditions()
    lj.setNonbondedMethod(lj.CutoffPeriodic if periodic else lj.NoCutoff)
    lj.setCutoffDistance(force.getCutoffDistance())
    lj.setUseSwitchingFunction(force.getUseSwitchingFunction())
    lj.setSwitchingDistance(force.getSwitchingDistance())
    lj.addInteractionGroup(np.flatnonzero(inside).tolist(), np.flatnonzero(~inside).tolist())
    return lj


def _boxed(system: openmm.System, force: openmm.Force, box: np.ndarray) -> openmm.System:
    """A System of as many particles in `box` (3,) nm with one force."""
    import openmm

    static = openmm.System()
    for i in range(system.getNumParticles()):
        static.addParticle(system.getParticleMass(i))
    static.setDefaultPeriodicBoxVectors(*np.diag(box))
    static.addForce(force)
    return static
