"""Single chains: rotational isomeric states drawn with a seed, and coordinates grown from torsions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.forcefield.parameters import Parameters

GAS_CONSTANT = 0.00831446
"""kJ/mol/K, CODATA 2018."""
STATES = np.array([0, 1, -1])
"""trans, gauche+, gauche-."""


def torsions(polymer: Mapping[str, Any], bonds: int, start: str, temperature: float, seed: int) -> np.ndarray:
    """(bonds,) torsions in degrees (trans 180) of successive backbone bonds, the first being the polymer's bond 1.

    `coil` draws rotational isomeric states; a catalogue start repeats its own torsions.
    """
    # The torsion about bond i of the repeat unit needs a backbone atom before it: a chain's first is about bond 1.
    if start != "coil":
        pattern = polymer["starts"][start]["torsions"]
        return np.array([pattern[i % len(pattern)] for i in range(bonds)], dtype=float)
    rng = np.random.default_rng(seed)
    coil = polymer["coil"]
    states = sample_states(*boltzmann_weights(coil, bonds, temperature), rng)
    centres = np.where(states == 0, 180.0, states * float(coil["gauche_angle"]))
    return np.asarray(centres + rng.normal(0.0, coil["width"], bonds))


def boltzmann_weights(coil: Mapping[str, Any], bonds: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (bonds, 3) of each bond's states and (bonds, 3, 3) of (previous state, state) pairs."""
    kT = GAS_CONSTANT * temperature
    period = len(coil["gauche"])
    kinds = (np.arange(bonds) + 1) % period
    single = np.ones((bonds, 3))
    single[:, 1:] = np.exp(-np.array(coil["gauche"])[kinds] / kT)[:, None]
    pair = np.ones((bonds, 3, 3))
    pair[:, 1, 2] = pair[:, 2, 1] = np.exp(-np.array(coil["clash"])[kinds] / kT)
    return single, pair


def sample_states(single: np.ndarray, pair: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One exact draw of the states of a chain with nearest-neighbour pairs (Flory, Statistical Mechanics of Chain
    Molecules, 1969): backward sums first, then each bond given the one before it."""
    ahead = np.ones_like(single)
    for i in range(len(single) - 2, -1, -1):
        ahead[i] = pair[i + 1] @ (single[i + 1] * ahead[i + 1])
        ahead[i] /= ahead[i].max()
    chosen: list[int] = []
    for i in range(len(single)):
        weights = single[i] * ahead[i] * (pair[i][chosen[-1]] if chosen else 1.0)
        chosen.append(int(rng.choice(3, p=weights / weights.sum())))
    return STATES[chosen]


def grow(molecule: Molecule, parameters: Parameters, backbone_torsions: np.ndarray) -> np.ndarray:
    """(n, 3) nm: backbone from its torsions (degrees), all else at 120 degrees about the bonds.

    Bond lengths and angles are the force field's. The molecule must have no ring and at least four backbone atoms.
    """
    lengths = {frozenset((i, j)): r for i, j, r, _ in parameters.bonds}
    angles = {(j, frozenset((i, k))): theta for i, j, k, theta, _ in parameters.angles}
    x = np.full((len(molecule.elements), 3), np.nan)

    def place(atom: int, parent: int, grandparent: int, reference: int, torsion: float) -> None:
        length = lengths[frozenset((atom, parent))]
        angle = angles[parent, frozenset((atom, grandparent))]
        x[atom] = extend(x[reference], x[grandparent], x[parent], length, angle, torsion)

    chain = [int(i) for i in molecule.backbone]
    first, second, third = chain[:3]
    x[first] = 0.0
    x[second] = (lengths[frozenset((first, second))], 0.0, 0.0)
    bend = np.pi - angles[second, frozenset((first, third))]
    x[third] = x[second] + lengths[frozenset((second, third))] * np.array([np.cos(bend), np.sin(bend), 0.0])
    for k, torsion in enumerate(np.deg2rad(backbone_torsions)):
        place(chain[k + 3], chain[k + 2], chain[k + 1], chain[k], torsion)

    queue = list(chain)
    while queue:
        parent = queue.pop(0)
        placed = [j for j in molecule.neighbours[parent] if not np.isnan(x[j, 0])]
        missing = [j for j in molecule.neighbours[parent] if np.isnan(x[j, 0])]
        if not missing:
            continue
        # an axis to turn about: a placed neighbour that itself has another one
        grandparent, reference = next(
            (a, b) for a in placed for b in molecule.neighbours[a] if b != parent and not np.isnan(x[b, 0])
        )
        siblings = [j for j in placed if j != grandparent]
        taken = dihedral(x[reference], x[grandparent], x[parent], x[siblings[0]]) if siblings else np.pi
        step = 2 * np.pi / (len(molecule.neighbours[parent]) - 1)
        offset = step if siblings else 0.0
        for k, atom in enumerate(missing):
            place(atom, parent, grandparent, reference, taken + offset + k * step)
        queue += missing
    return x


def extend(a: np.ndarray, b: np.ndarray, c: np.ndarray, length: float, angle: float, torsion: float) -> np.ndarray:
    """The atom d bound to c with angle b-c-d and dihedral a-b-c-d (rad): Parsons et al., J. Comput. Chem. 2005, 26,
    1063 (natural extension reference frame)."""
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, along)
    return np.asarray(
        c
        + length
        * (-np.cos(angle) * along + np.sin(angle) * np.cos(torsion) * across + np.sin(angle) * np.sin(torsion) * normal)
    )


def dihedral(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """Dihedral a-b-c-d, rad in (-pi, pi], trans = pi."""
    axis = (c - b) / np.linalg.norm(c - b)
    before, after = (a - b) - ((a - b) @ axis) * axis, (d - c) - ((d - c) @ axis) * axis
    return float(np.arctan2(np.cross(axis, before) @ after, before @ after))
