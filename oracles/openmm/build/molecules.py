"""Molecules as graphs: chains joined from repeat units, with the repeat unit of each atom and the backbone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.build.repeat_units import RepeatUnit

if TYPE_CHECKING:
    from rdkit import Chem


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


def chain(units: Sequence[RepeatUnit], sequence: str, head: str = "[H]", tail: str = "[H]") -> Molecule:
    """Repeat units joined head to tail and closed by end groups, which belong to the first and last unit.

    `sequence` names the units in order, A the first of `units`, B the second; a small letter is a unit built in tail
    first. End groups are SMILES whose last (head) or first (tail) atom is bound to the chain, or [H].
    """
    from rdkit import Chem

    whole = Chem.RWMol()
    monomers: list[int] = []
    backbone: list[int] = []

    def append(part: Chem.Mol, monomer: int) -> int:
        first = whole.GetNumAtoms()
        whole.InsertMol(part)
        monomers.extend([monomer] * part.GetNumAtoms())
        return first

    open_end = None
    if head != "[H]":
        open_end = append(Chem.MolFromSmiles(head), 0) + Chem.MolFromSmiles(head).GetNumAtoms() - 1
    for k, letter in enumerate(sequence):
        unit = units["AB".index(letter.upper())]
        path = unit.backbone if letter.isupper() else unit.backbone[::-1]
        first = append(unit.graph, k)
        if open_end is not None:
            whole.AddBond(open_end, first + path[0], Chem.BondType.SINGLE)
        backbone += [first + i for i in path]
        open_end = backbone[-1]
    if tail != "[H]":
        whole.AddBond(backbone[-1], append(Chem.MolFromSmiles(tail), len(sequence) - 1), Chem.BondType.SINGLE)
    Chem.SanitizeMol(whole)
    return _numbered(whole.GetMol(), np.array(monomers), backbone)


def molecule(smiles: str, monomers: np.ndarray, backbone: Sequence[int]) -> Molecule:
    """The molecule of a SMILES, given the repeat unit and the backbone of its heavy atoms in SMILES order.

    Hydrogens share their heavy atom's repeat unit; atoms are ordered by repeat unit.
    """
    from rdkit import Chem

    return _numbered(Chem.MolFromSmiles(smiles), monomers, backbone)


def _numbered(heavy: Chem.Mol, monomers: np.ndarray, backbone: Sequence[int]) -> Molecule:
    from rdkit import Chem

    full = Chem.AddHs(heavy)
    ends = sorted(((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in full.GetBonds()), key=max)
    owners = [atom.GetIdx() if atom.GetAtomicNum() > 1 else atom.GetNeighbors()[0].GetIdx() for atom in full.GetAtoms()]
    order = np.argsort(monomers[owners], kind="stable")
    full = Chem.RenumberAtoms(full, order.tolist())
    position = np.argsort(order)
    for atom in full.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return Molecule(
        smiles=Chem.MolToSmiles(full),
        elements=tuple(atom.GetSymbol() for atom in full.GetAtoms()),
        bonds=tuple((int(position[i]), int(position[j])) for i, j in ends),
        monomer=monomers[owners][order],
        backbone=position[list(backbone)],
    )
