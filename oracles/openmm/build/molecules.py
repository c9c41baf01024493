"""Molecules as graphs: chains grown from a repeat unit's SMILES, with their repeat units and backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Molecule:
    """Atoms and bonds of one molecule; `monomer` gives the repeat unit of each atom, `backbone` its chain atoms.

    `smiles` carries every atom's index plus one as its map number.
    """

    smiles: str
    elements: tuple[str, ...]
    bonds: tuple[tuple[int, int], ...]
    monomer: np.ndarray
    backbone: np.ndarray

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        table: list[list[int]] = [[] for _ in self.elements]
        for i, j in self.bonds:
            table[i].append(j)
            table[j].append(i)
        return tuple(tuple(sorted(row)) for row in table)

    @property
    def angles(self) -> list[tuple[int, int, int]]:
        """(i, j, k) around every atom j, i < k."""
        return [(i, j, k) for j, row in enumerate(self.neighbours) for i, k in combinations(row, 2)]

    @property
    def torsions(self) -> list[tuple[int, int, int, int]]:
        """(i, j, k, l) about every bond j-k."""
        return [
            (i, j, k, m)
            for j, k in self.bonds
            for i in self.neighbours[j]
            for m in self.neighbours[k]
            if i != k and m != j and i != m
        ]


def chain(polymer: Mapping[str, Any], n: int) -> Molecule:
    """head-(repeat unit)n-tail of a catalogue polymer; end groups belong to the first and last unit."""
    from rdkit import Chem

    unit = polymer["repeat_unit"]
    inner = unit.strip("*")
    if not (unit.startswith("*") and unit.endswith("*")) or "*" in inner:
        raise ValueError(f"repeat unit {unit!r} must be written head to tail, as *...*")
    head = "" if polymer["head"] == "[H]" else polymer["head"]
    tail = "" if polymer["tail"] == "[H]" else polymer["tail"]
    smiles = head + inner * n + tail
    open_unit = Chem.MolFromSmiles(unit)
    per_unit = open_unit.GetNumAtoms() - 2
    last = open_unit.GetAtomWithIdx(per_unit + 1).GetNeighbors()[0].GetIdx() - 1
    heavy = Chem.MolFromSmiles(smiles)
    head_atoms = Chem.MolFromSmiles(head).GetNumAtoms() if head else 0
    backbone = list(Chem.GetShortestPath(heavy, head_atoms, head_atoms + (n - 1) * per_unit + last))
    monomers = np.clip((np.arange(heavy.GetNumAtoms()) - head_atoms) // per_unit, 0, n - 1)
    return molecule(smiles, monomers, backbone)


def molecule(smiles: str, monomers: np.ndarray, backbone: Sequence[int]) -> Molecule:
    """The molecule of a SMILES, given the repeat unit and the backbone of its heavy atoms in SMILES order.

    Hydrogens share their heavy atom's repeat unit; atoms are ordered by repeat unit.
    """
    from rdkit import Chem

    full = Chem.AddHs(Chem.MolFromSmiles(smiles))
    owners = [atom.GetIdx() if atom.GetAtomicNum() > 1 else atom.GetNeighbors()[0].GetIdx() for atom in full.GetAtoms()]
    order = np.argsort(monomers[owners], kind="stable")
    full = Chem.RenumberAtoms(full, order.tolist())
    position = np.argsort(order)
    for atom in full.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return Molecule(
        smiles=Chem.MolToSmiles(full),
        elements=tuple(atom.GetSymbol() for atom in full.GetAtoms()),
        bonds=tuple((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in full.GetBonds()),
        monomer=monomers[owners][order],
        backbone=position[list(backbone)],
    )
