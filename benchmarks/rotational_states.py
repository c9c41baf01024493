"""Rotational isomeric states of a polymer's backbone bonds from its force field: for `coil` in polymers.yaml.

    python -m benchmarks.rotational_states PVC PMMA

A chain of three units with two backbone atoms each has three backbone torsions. From each of their 27 combinations of
trans and gauche the chain is minimised without restraint in a medium of relative permittivity 3 (polymer melts: 2 to
4); chiral units once iso- and once syndiotactic. With Boltzmann weights at 400 K over what stayed in its wells, printed
per bond of the repeat unit: gauche, -kT ln p(g)/p(t) for one sign of gauche, and clash, -kT ln p(g+g-)/p(g+g+) with the
bond before, both at most 30 kJ/mol, and the mean angle of gauche.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product

import numpy as np
import openmm

from oracles.openmm.build.assemble import build_isolated
from oracles.openmm.build.chains import grow
from oracles.openmm.build.geometry import dihedral
from oracles.openmm.build.polymers import Polymer, polymer
from oracles.openmm.build.sequences import hands
from oracles.openmm.forcefield.assign import assign

UNITS = 3
PERMITTIVITY = 3.0
LIMIT = 30.0
"""kJ/mol; a state this high does not occur."""
KT = 0.00831446 * 400
GAUCHE = 65.0


def wells(kind: Polymer, tacticity: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States (n, torsions) in -1, 0, 1, their energies (n,) in kJ/mol and torsions (n, torsions) in degrees."""
    molecule = kind.chain("A" * UNITS)
    parameters = assign(molecule, kind.force_field)
    side = hands(molecule, tacticity, 0)
    screened = replace(parameters, charges=parameters.charges / np.sqrt(PERMITTIVITY))
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(build_isolated(molecule, screened), openmm.VerletIntegrator(0.001), reference)
    path = molecule.backbone
    bonds = len(path) - 3
    kept = []
    for states in product((0, 1, -1), repeat=bonds):
        angles = np.array([180.0 if state == 0 else state * GAUCHE for state in states])
        context.setPositions(grow(molecule, parameters, angles, side))
        openmm.LocalEnergyMinimizer.minimize(context, 1.0, 0)
        state = context.getState(energy=True, positions=True)
        x = state.getPositions(asNumpy=True)._value
        found = np.degrees([dihedral(*x[path[k : k + 4]]) for k in range(bonds)])
        if (np.where(np.abs(found) > 120, 0, np.sign(found)) == states).all():
            kept.append((states, state.getPotentialEnergy()._value, found))
    states, energies, torsions = zip(*kept, strict=True)
    return np.array(states), np.array(energies), np.array(torsions)


def report(name: str) -> None:
    kind = polymer(name, "sage")
    each = [wells(kind, tacticity) for tacticity in ("isotactic", "syndiotactic")[: 1 + kind.chiral]]
    states, torsions = np.concatenate([s for s, _, _ in each]), np.concatenate([t for _, _, t in each])
    weights = np.concatenate([np.exp(-(e - e.min()) / KT) / np.exp(-(e - e.min()) / KT).sum() for _, e, _ in each])
    period = len(kind.units[0].repeat.backbone)
    trans, gauche = states == 0, states != 0
    for bond in range(period):
        here = [k for k in range(states.shape[1]) if (k + 1) % period == bond]
        free = _free(weights @ gauche[:, here] / 2, weights @ trans[:, here])
        pairs = [k for k in here if k > 0]
        sign = states[:, pairs] * states[:, [k - 1 for k in pairs]]
        clash = _free(weights @ (sign == -1), weights @ (sign == 1))
        angle = np.average(np.abs(torsions[:, here]), weights=weights[:, None] * gauche[:, here])
        print(f"{name} bond {bond}: gauche {free:6.1f}  clash {clash:6.1f}  angle {angle:5.1f}", flush=True)


def _free(some: np.ndarray, others: np.ndarray) -> float:
    """kJ/mol by which some states are less favoured than others."""
    ratio = max(float(some.sum() / max(others.sum(), 1e-12)), 1e-12)
    return float(np.clip(-KT * np.log(ratio), -LIMIT, LIMIT))


if __name__ == "__main__":
    for polymer_name in sys.argv[1:]:
        report(polymer_name)
