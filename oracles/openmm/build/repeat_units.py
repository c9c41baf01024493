"""Repeat units read from SMILES with two open ends, or refused with the atoms at fault."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit import Chem

ELEMENTS = ("H", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
"""With covalent bonds in OpenFF Sage 2.3.0."""
OPEN_END = 0
"""Atomic number of `*`."""


class BadUnit(ValueError):
    """A SMILES that is no repeat unit. The message names the atoms, counted from 1 in the SMILES, and the cure."""


@dataclass(frozen=True, eq=False)
class RepeatUnit:
    """A repeat unit without its open ends: heavy atoms in the order of the SMILES, and the backbone among them, the
    shortest path from the head, which carries the first open end, to the tail."""

    smiles: str
    graph: Chem.Mol
    backbone: tuple[int, ...]


@cache
def read(smiles: str) -> RepeatUnit:
    """The repeat unit of a SMILES with two `*`. Raises BadUnit."""
    from rdkit import Chem

    problems = _faults(smiles)
    if problems:
        raise BadUnit(f"repeat unit {smiles}: {'; '.join(problems)}")
    whole = Chem.MolFromSmiles(smiles)
    ends = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetAtomicNum() == OPEN_END]
    path = list(Chem.GetShortestPath(whole, *ends))[1:-1]
    graph = Chem.RWMol(whole)
    for index in (path[0], path[-1]):
        graph.GetAtomWithIdx(index).SetNoImplicit(False)
    for index in sorted(ends, reverse=True):
        graph.RemoveAtom(index)
    return RepeatUnit(smiles, graph.GetMol(), tuple(i - sum(end < i for end in ends) for i in path))


def _faults(smiles: str) -> list[str]:
    """What is wrong with it as a repeat unit; nothing where it is one."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        graph = Chem.MolFromSmiles(smiles, sanitize=False)
        if graph is None or not graph.GetNumAtoms():
            return ["it cannot be read as SMILES; check brackets, ring digits and element names"]
        unsound = [problem.Message() for problem in Chem.DetectChemistryProblems(graph)]
        if unsound:
            return [*(_counted_from_one(message) for message in unsound), "correct these atoms' bonds"]
        Chem.SanitizeMol(graph)
    return [*_atom_faults(graph), *_end_faults(graph)]


def _counted_from_one(message: str) -> str:
    return re.sub(r"# (\d+)", lambda found: str(int(found[1]) + 1), message)


def _atom_faults(graph: Chem.Mol) -> list[str]:
    from rdkit import Chem

    atoms = list(graph.GetAtoms())
    strange = [atom for atom in atoms if atom.GetSymbol() not in (*ELEMENTS, "*")]
    radicals = [atom for atom in atoms if atom.GetNumRadicalElectrons()]
    charged = [atom for atom in atoms if atom.GetFormalCharge()]
    stereo = [atom for atom in atoms if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    found = []
    if strange:
        found.append(f"OpenFF Sage has no parameters for {_named(strange)}; it has {', '.join(ELEMENTS)}")
    if radicals:
        found.append(f"{_named(radicals)} has unpaired electrons; complete its bonds or leave its hydrogens implicit")
    if Chem.GetFormalCharge(graph):
        found.append(f"its net charge is {Chem.GetFormalCharge(graph):+d} ({_named(charged)}); write it neutral")
    if stereo:
        found.append(f"{_named(stereo)} has a stereo mark; leave it out and choose a tacticity")
    if len(Chem.GetMolFrags(graph)) > 1:
        found.append("it is in several pieces; a copolymer is two repeat units with two * each, joined by a dot")
    return found


def _end_faults(graph: Chem.Mol) -> list[str]:
    ends = [atom for atom in graph.GetAtoms() if atom.GetAtomicNum() == OPEN_END]
    if len(ends) != 2:
        return [f"it has {len(ends)} open ends *, not two"]
    found = []
    for end in ends:
        single = [bond for bond in end.GetBonds() if bond.GetBondTypeAsDouble() == 1.0]
        if len(single) != 1 or end.GetDegree() != 1 or end.GetNeighbors()[0].GetAtomicNum() == OPEN_END:
            found.append(f"{_named([end])} must have one single bond, to an atom of the unit")
    return found


def _named(atoms: list[Chem.Atom]) -> str:
    return ", ".join(f"atom {atom.GetIdx() + 1} ({atom.GetSymbol()})" for atom in atoms)
