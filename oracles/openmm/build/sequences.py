"""The order of units along each chain of a film, and the side on which each carries its side groups."""

from __future__ import annotations

import numpy as np

from loop.seeds import derive
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import stereocentres

ARRANGEMENTS = ("random", "alternating", "block")
TACTICITIES = ("isotactic", "syndiotactic", "atactic")


def sequences(
    chains: int, length: int, fraction: float, arrangement: str, head_to_head: float, seed: int
) -> tuple[str, ...]:
    """The units of each chain, A or B, a small letter built in tail first.

    `fraction` of the units are B: in `random` chains, those of the whole film (to the nearest unit) shuffled over its
    chains; in `block` chains, the last of each chain (to the nearest); `alternating` chains begin with A.
    `head_to_head` of the units, drawn over the whole film, are inverted, none at a chain's end, whose end group is made
    for it: one alone makes a head-to-head and a tail-to-tail link.
    """
    rng = np.random.default_rng(derive(seed, "sequences"))
    units = chains * length
    if arrangement == "random":
        letters = np.full(units, "A")
        letters[rng.choice(units, count(fraction, units), replace=False)] = "B"
    elif arrangement == "alternating":
        letters = np.tile(np.resize(["A", "B"], length), chains)
    else:
        second = count(fraction, length)
        letters = np.tile(["A"] * (length - second) + ["B"] * second, chains)
    inner = np.flatnonzero(~np.isin(np.arange(units) % length, (0, length - 1)))
    inverted = rng.choice(inner, min(count(head_to_head, units), len(inner)), replace=False)
    letters[inverted] = np.char.lower(letters[inverted])
    return tuple("".join(letters[k * length : (k + 1) * length]) for k in range(chains))


def count(share: float, units: int) -> int:
    """Units nearest to a share of all."""
    return round(share * units)


def hands(molecule: Molecule, tacticity: str, seed: int) -> np.ndarray:
    """(backbone atoms,) 1 or -1: on which side, seen along the chain, each carries its first side group.

    Isotactic units are all alike, syndiotactic ones alternate, the stereocentres of atactic ones are drawn one by one.
    """
    backbone = molecule.backbone
    if tacticity == "isotactic":
        return np.ones(len(backbone))
    if tacticity == "syndiotactic":
        return np.where(molecule.monomer[backbone] % 2 == 0, 1.0, -1.0)
    drawn = np.random.default_rng(derive(seed, "tacticity")).choice([1.0, -1.0], len(backbone))
    return np.where(stereocentres(molecule.smiles, tuple(backbone.tolist())), drawn, 1.0)
