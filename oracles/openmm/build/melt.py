"""The chains of a film: their molecules, parameters and conformations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loop.seeds import derive
from loop.types import OracleFailure, Value
from oracles.openmm.build.chains import grow
from oracles.openmm.build.hollow import Hollow, pack_around
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.packing import DoesNotFit, Gap, pack_coils, pack_extended
from oracles.openmm.build.pentanes import beside
from oracles.openmm.build.polymers import Polymer, polymer
from oracles.openmm.build.rotors import Rotors, coil, repeated
from oracles.openmm.build.sequences import hands, sequences
from oracles.openmm.build.threading import threaded
from oracles.openmm.forcefield.assign import Uncovered, assign_all, sources
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.materials import catalogue


@dataclass(frozen=True)
class Melt:
    """One molecule with its parameters per chain, in the order of their units `sequences`."""

    polymer: Polymer
    sequences: tuple[str, ...]
    members: tuple[tuple[Molecule, Parameters], ...]
    tacticity: str

    @property
    def molecules(self) -> list[Molecule]:
        return [molecule for molecule, _ in self.members]

    @property
    def mass(self) -> float:
        """g/mol of all chains."""
        return sum(self.polymer.mass(sequence) for sequence in self.sequences)

    def provenance(self) -> dict[str, Any]:
        """Force field, counts and what the chains turned out to be (JSON values)."""
        letters = "".join(self.sequences)
        realised: dict[str, Any] = {"chains": len(self.sequences), "polymer_model": sources(self.polymer.force_field)}
        if len(self.polymer.units) > 1 or not letters.isupper():
            realised["comonomer_fraction"] = letters.upper().count("B") / len(letters)
            realised["head_to_head"] = sum(letter.islower() for letter in letters) / len(letters)
            realised["sequences"] = list(self.sequences)
        if self.polymer.chiral:
            realised["tacticity"] = self.tacticity
        return realised


def melt(design: Mapping[str, Value], chains: int, pvdf_model: str, seed: int, cache: Path | None = None) -> Melt:
    """The chains of a whole design. Raises OracleFailure("infeasible", ...) where the force field lacks terms."""
    kind = polymer(str(design["polymer"]), pvdf_model)
    orders = order_of(design, chains, seed)
    molecules = {sequence: kind.chain(sequence) for sequence in sorted(set(orders))}
    try:
        parameters = dict(zip(molecules, assign_all(list(molecules.values()), kind.force_field, cache), strict=True))
    except Uncovered as error:
        raise OracleFailure("infeasible", f"polymer {kind.name}: {error}") from error
    members = tuple((molecules[sequence], parameters[sequence]) for sequence in orders)
    return Melt(kind, orders, members, tacticity_of(design, kind))


def order_of(design: Mapping[str, Value], chains: int, seed: int) -> tuple[str, ...]:
    """The units of each chain of a whole design."""
    return sequences(
        chains,
        int(design["chain_length"]),
        float(design["comonomer_fraction"]),
        str(design["arrangement"]),
        float(design["head_to_head"]),
        seed,
    )


def tacticity_of(design: Mapping[str, Value], kind: Polymer) -> str:
    """The wanted tacticity; the polymer's own where the design leaves it open. Chains without stereocentres have
    none, and are built like isotactic ones."""
    if not kind.chiral:
        return "isotactic"
    return kind.tacticity if design["tacticity"] == catalogue.AUTO else str(design["tacticity"])


def place(chains: Melt, design: Mapping[str, Value], gap: Gap, seed: int) -> list[np.ndarray]:
    """(n, 3) nm of each chain in the gap. Raises OracleFailure("infeasible", ...) where they do not fit."""
    if design["start"] == "coil":
        return _coiled(pack_coils, chains, design, gap, gap.lateral, seed)
    rng = np.random.default_rng(seed)
    try:
        pattern = chains.polymer.starts[str(design["start"])]["torsions"]
        straight = [
            grow(*member, repeated(pattern, len(member[0].backbone) - 3), side)
            for member, side in zip(chains.members, _sides(chains, seed), strict=True)
        ]
        ends = [molecule.backbone[[0, -1]] for molecule in chains.molecules]
        axes = [x[last] - x[first] for x, (first, last) in zip(straight, ends, strict=True)]
        return pack_extended(list(zip(straight, axes, strict=True)), gap, rng)
    except DoesNotFit as error:
        raise OracleFailure("infeasible", f"chain_length {design['chain_length']}: {error}") from error


def place_around(chains: Melt, design: Mapping[str, Value], hollow: Hollow, seed: int) -> list[np.ndarray]:
    """As `place`, around a particle."""
    return _coiled(pack_around, chains, design, hollow, hollow.period, seed)


def _coiled(
    pack: Callable[..., list[np.ndarray]],
    chains: Melt,
    design: Mapping[str, Value],
    room: Gap | Hollow,
    period: tuple[float, ...],
    seed: int,
) -> list[np.ndarray]:
    """Coils packed into a room that repeats with a `period` along x, y and, where it has three edges, z."""
    turns, sides = _backbones(chains, seed)

    def conformation(chain: int, draw: int) -> np.ndarray:
        return grow(*chains.members[chain], coil(turns[chain], float(design["temperature"]), draw), sides[chain])

    def entangled(placed: Sequence[np.ndarray]) -> bool:
        return _entangled(chains.molecules, placed, period)

    try:
        return pack(conformation, len(turns), room, np.random.default_rng(seed), entangled)
    except DoesNotFit as error:
        raise OracleFailure("infeasible", f"chain_length {design['chain_length']}: {error}") from error


def shapes(chains: Melt, temperature: float, seed: int) -> list[np.ndarray]:
    """(n, 3) nm of each chain alone, a coil about its centre, wherever it is to be placed."""
    turns, sides = _backbones(chains, seed)
    draws = [coil(turn, temperature, derive(seed, "coil", k)) for k, turn in enumerate(turns)]
    grown = [grow(*member, draw, side) for member, draw, side in zip(chains.members, draws, sides, strict=True)]
    return [x - x.mean(axis=0) for x in grown]


def _backbones(chains: Melt, seed: int) -> tuple[list[Rotors], list[np.ndarray]]:
    """The rotors of each chain, and the sides of its substituents."""
    turns, sides = [chains.polymer.rotors(sequence) for sequence in chains.sequences], _sides(chains, seed)
    if chains.polymer.chiral:
        parts = zip(turns, chains.members, sides, strict=True)
        turns = [rotors.crowded(beside(*member, side)) for rotors, member, side in parts]
    return turns, sides


def _sides(chains: Melt, seed: int) -> list[np.ndarray]:
    return [hands(molecule, chains.tacticity, derive(seed, k)) for k, molecule in enumerate(chains.molecules)]


def _entangled(molecules: Sequence[Molecule], placed: Sequence[np.ndarray], lateral: tuple[float, ...]) -> bool:
    """Whether a ring of the last chain placed, or a bond of it, is caught in another chain or in itself."""
    *others, x = placed
    last = molecules[len(others)]
    if threaded(last, x, last, x, None):
        return True
    pairs = zip(molecules, others, strict=False)
    return any(threaded(last, x, kind, y, lateral) or threaded(kind, y, last, x, lateral) for kind, y in pairs)
