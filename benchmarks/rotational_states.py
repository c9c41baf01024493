"""Rotational isomeric states of a polymer's backbone bonds from its force field: for `coil` in polymers.yaml.

    python -m benchmarks.rotational_states PVC PMMA

A chain of three units with two backbone atoms each has three backbone torsions. From each of their 27 combinations of
trans and gauche the chain is minimised without restraint in a medium of relative permittivity 3 (polymer melts: 2 to
4); chiral units once iso- and once syndiotactic. Printed are the energies, at most 30 kJ/mol either way, with which the
states of coils have at 400 K the averages of the wells that stayed what they were: of gauche by bond of the repeat
unit, of g+g- by the bond that comes second, and of side groups set against other ends (`pentanes`); the mean angle of
gauche; and the share of the wells' own scatter (kJ/mol, Boltzmann weights) that these energies leave.
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
from oracles.openmm.build.pentanes import beside
from oracles.openmm.build.polymers import Polymer, polymer
from oracles.openmm.build.sequences import hands
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.forcefield.assign import assign

UNITS = 3
PERMITTIVITY = 3.0
LIMIT = 30.0
"""kJ/mol; a state this high does not occur."""
KT = GAS_CONSTANT * 400
GAUCHE = 65.0
PERIOD = 2
EVERY = np.array(list(product((0, 1, -1), repeat=2 * UNITS - 3)))


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
    for states in EVERY:
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


def features(kind: Polymer, tacticity: str, states: np.ndarray) -> np.ndarray:
    """(n, 5): of states (n, torsions), gauche bonds and g+g- pairs by bond of the repeat unit, and side groups set
    against other ends."""
    molecule = kind.chain("A" * UNITS)
    crowds = beside(molecule, assign(molecule, kind.force_field), hands(molecule, tacticity, 0))
    gauche, opposite = states != 0, states[:, 1:] * states[:, :-1] == -1
    bonds = (np.arange(states.shape[1]) + 1) % PERIOD
    by_bond = [gauche[:, bonds == bond].sum(axis=1) for bond in range(PERIOD)]
    by_pair = [opposite[:, bonds[1:] == bond].sum(axis=1) for bond in range(PERIOD)]
    crowded = [crowds[k][states[:, k - 1], states[:, k]] for k in range(1, states.shape[1])]
    return np.column_stack([*by_bond, *by_pair, kind.chiral * np.sum(crowded, axis=0)]).astype(float)


def report(name: str) -> None:
    from scipy.optimize import minimize

    kind = polymer(name, "sage")
    tacticities = ("isotactic", "syndiotactic")[: 1 + kind.chiral]
    found = [wells(kind, tacticity) for tacticity in tacticities]
    shares = [np.exp(-(energies - energies.min()) / KT) for _, energies, _ in found]
    shares = [weights / weights.sum() for weights in shares]
    at_wells = [features(kind, t, states) for t, (states, _, _) in zip(tacticities, found, strict=True)]
    at_all = [features(kind, t, EVERY) for t in tacticities]
    wanted = np.mean([p @ f for p, f in zip(shares, at_wells, strict=True)], axis=0)

    def surprise(energy: np.ndarray) -> float:
        """Cross entropy of the wells under the model, whose minimum has their averages."""
        logs = [np.log(np.exp(-f @ energy / KT).sum()) for f in at_all]
        return float(wanted @ energy / KT + np.mean(logs))

    best = minimize(surprise, np.full(len(wanted), 5.0), bounds=[(-LIMIT, LIMIT)] * len(wanted)).x
    angle = np.average(
        np.concatenate([np.abs(torsions)[states != 0] for states, _, torsions in found]),
        weights=np.concatenate([(p[:, None] * (s != 0))[s != 0] for p, (s, _, _) in zip(shares, found, strict=True)]),
    )
    left = [_scatter(e - f @ best, p) for p, f, (_, e, _) in zip(shares, at_wells, found, strict=True)]
    own = [_scatter(e, p) for p, (_, e, _) in zip(shares, found, strict=True)]
    print(f"{name}: gauche {best[:2].round(1)} clash {best[2:4].round(1)} side_clash {best[4]:.1f}", end=" ")
    print(f"gauche_angle {angle:.0f}; scatter {np.mean(left):.1f} of {np.mean(own):.1f}", flush=True)


def _scatter(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt(np.cov(values, aweights=weights)))


if __name__ == "__main__":
    for polymer_name in sys.argv[1:]:
        report(polymer_name)
