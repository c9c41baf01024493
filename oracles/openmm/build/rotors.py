"""Rotational isomeric states of a chain's bonds, drawn with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from oracles.openmm.constants import GAS_CONSTANT

STATES = np.array([0, 1, -1])
"""trans, gauche+, gauche-."""


@dataclass(frozen=True)
class Rotors:
    """Successive bonds that turn, one entry each: kJ/mol of gauche over trans, kJ/mol of a g+g- pair with the bond
    before, kJ/mol of a side group that two gauche bonds set against another end, degrees of gauche from cis, degrees of
    standard deviation about a state; `crowding` (bonds, 3, 3) kJ/mol of those side groups by the states of the bond
    before and of each."""

    gauche: np.ndarray
    clash: np.ndarray
    side_clash: np.ndarray
    gauche_angle: np.ndarray
    width: np.ndarray
    crowding: np.ndarray | float = 0.0

    def __len__(self) -> int:
        return len(self.gauche)

    def crowded(self, beside: np.ndarray) -> Rotors:
        """The same bonds in a chain with so many side groups against each other (`pentanes.beside`)."""
        return replace(self, crowding=self.side_clash[:, None, None] * beside)


def repeated(pattern: Sequence[float], bonds: int) -> np.ndarray:
    """(bonds,) torsions in degrees that repeat a pattern."""
    return np.resize(np.array(pattern, dtype=float), bonds)


def coil(rotors: Rotors, temperature: float, seed: int) -> np.ndarray:
    """(bonds,) torsions in degrees (trans 180), drawn from the rotational isomeric states at a temperature (K)."""
    rng = np.random.default_rng(seed)
    states = sample_states(*boltzmann_weights(rotors, temperature), rng)
    centres = np.where(states == 0, 180.0, states * rotors.gauche_angle)
    return np.asarray(centres + rng.normal(0.0, rotors.width))


def boltzmann_weights(rotors: Rotors, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (bonds, 3) of each bond's states and (bonds, 3, 3) of (previous state, state) pairs."""
    kT = GAS_CONSTANT * temperature
    single = np.ones((len(rotors), 3))
    single[:, 1:] = np.exp(-rotors.gauche / kT)[:, None]
    pair = np.ones((len(rotors), 3, 3))
    pair[:, 1, 2] = pair[:, 2, 1] = np.exp(-rotors.clash / kT)
    return single, pair * np.exp(-np.asarray(rotors.crowding) / kT)


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
