"""A molecule put together from a head and what is generated, R, and taken apart again.

A head is a SMILES with R, such as `O=C([OH:1])R` or `*CC(*)R`. Heads with several R carry the same group at each.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Mol

R = re.compile(r"\[R\]|R(?![a-z])")
OPEN = 99
"""Map number of the place of R in a parsed head."""


class BadMolecule(ValueError):
    """A SMILES or a head that cannot be used; the message names the cure."""


def parsed(smiles: str) -> Mol:
    """The molecule of a SMILES. Raises BadMolecule where it is none."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        graph = Chem.MolFromSmiles(smiles, sanitize=False)
        if graph is None or not graph.GetNumAtoms():
            raise BadMolecule(f"{smiles!r} cannot be read as SMILES; check brackets, ring digits and element names")
        problems = [problem.Message() for problem in Chem.DetectChemistryProblems(graph)]
        if problems:
            raise BadMolecule(f"{smiles!r} cannot exist: {'; '.join(problems)}")
        return Chem.MolFromSmiles(smiles)


def canonical(smiles: str) -> str:
    """The one SMILES of a molecule; map numbers are kept. Raises BadMolecule."""
    from rdkit import Chem

    return Chem.MolToSmiles(parsed(smiles))


@lru_cache(maxsize=10_000)
def unmarked(smiles: str) -> str:
    """Canonical SMILES without map numbers: the same however its head is marked. Raises BadMolecule."""
    from rdkit import Chem

    graph = Chem.RWMol(parsed(smiles))
    for atom in graph.GetAtoms():
        atom.SetAtomMapNum(0)
    return Chem.MolToSmiles(graph)


@cache
def head(template: str) -> Mol:
    """The parsed head, its R as open atoms with map number OPEN. Raises BadMolecule where it is no SMILES with R."""
    if not R.search(template):
        raise BadMolecule(f"the head {template!r} has no R; write it as a SMILES with R, such as O=C(O)R")
    open_atom = f"[*:{OPEN}]"
    try:
        graph = parsed(R.sub(open_atom, template))
    except BadMolecule as error:
        raise BadMolecule(f"head {str(error).replace(open_atom, 'R')}") from error
    for atom in _places(graph):
        if atom.GetDegree() != 1 or atom.GetBonds()[0].GetBondTypeAsDouble() != 1.0:
            raise BadMolecule(f"each R of the head {template!r} must have one single bond, to an atom of the head")
    return graph


def join(template: str, rest: Mol) -> str:
    """Canonical SMILES of the head with `rest` at each R: `rest` is R with an open atom in front, bound to its first
    atom, or that open atom alone for hydrogen. Raises BadMolecule."""
    from rdkit import Chem, rdBase

    whole = Chem.RWMol(head(template))
    for place in [atom.GetIdx() for atom in _places(whole)]:
        root = whole.GetNumAtoms()
        whole.InsertMol(rest)
        (neighbour,) = whole.GetAtomWithIdx(place).GetNeighbors()
        for begin in whole.GetAtomWithIdx(root).GetNeighbors():
            whole.AddBond(neighbour.GetIdx(), begin.GetIdx(), Chem.BondType.SINGLE)
        whole.GetAtomWithIdx(root).SetAtomMapNum(OPEN)
    for atom in reversed(_places(whole)):
        whole.RemoveAtom(atom.GetIdx())
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(whole)
        except (Chem.AtomValenceException, Chem.KekulizeException) as error:
            raise BadMolecule(f"the head {template} cannot carry this group: {error}") from error
    return Chem.MolToSmiles(whole)


@lru_cache(maxsize=256)
def split(template: str, smiles: str) -> Mol:
    """R of a molecule, as `join` takes it. Raises BadMolecule where the molecule is not the head with R."""
    from rdkit import Chem

    graph = parsed(smiles)
    pattern = Chem.RWMol(head(template))
    stumps = [place.GetNeighbors()[0].GetIdx() for place in _places(pattern)]
    for atom in reversed(_places(pattern)):
        pattern.RemoveAtom(atom.GetIdx())
    stump = stumps[0] - sum(place.GetIdx() < stumps[0] for place in _places(head(template)))
    whole = Chem.MolToSmiles(graph)
    for match in graph.GetSubstructMatches(pattern, uniquify=False):
        rest = _beyond(graph, match[stump], set(match))
        if join(template, rest) == whole:
            return rest
    raise BadMolecule(f"{smiles} is not {template} with something in place of R")


def _places(graph: Mol) -> list[Atom]:
    """The open atoms that stand for R, in the order of their indices."""
    return [atom for atom in graph.GetAtoms() if atom.GetAtomMapNum() == OPEN]


def _beyond(graph: Mol, stump: int, kept: set[int]) -> Mol:
    """What is bound to the stump outside the kept atoms (its first such neighbour, if it has several), behind an open
    atom."""
    from rdkit import Chem

    outside = [n.GetIdx() for n in graph.GetAtomWithIdx(stump).GetNeighbors() if n.GetIdx() not in kept]
    group, ahead = {stump}, set(outside[:1])
    while ahead:
        group |= ahead
        ahead = {n.GetIdx() for i in ahead for n in graph.GetAtomWithIdx(i).GetNeighbors()} - group - kept
    rest = Chem.RWMol(graph)
    rest.ReplaceAtom(stump, Chem.Atom(0))
    for index in sorted(set(range(graph.GetNumAtoms())) - group, reverse=True):
        rest.RemoveAtom(index)
    root = sum(index < stump for index in group)
    order = [root, *(i for i in range(rest.GetNumAtoms()) if i != root)]
    return Chem.RenumberAtoms(rest, order)
