"""What a molecule's graph says about its shape: rings, bonds that turn, stereocentres of the backbone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rdkit import Chem

    from oracles.openmm.build.molecules import Molecule

EMBEDDING_SEED = 1
"""Of the distance geometry; shapes of rings do not depend on a replica's seed."""
NM_PER_ANGSTROM = 0.1
STIFF = ("[*]@[*]", "[*]=,#[*]", "[#6X3](=[#8,#16])!@[#7,#8,#16]", "[*]-[$([#6X2]#*)]")
"""Bonds that do not turn: in rings, multiple, from the carbonyl of an ester or amide, and to a triple bond, about which
no dihedral is defined."""


@dataclass(frozen=True, eq=False)
class RingSystem:
    """Rings that share atoms: `core` those atoms, `atoms` with everything bound to them, `x` (n, 3) nm their shape."""

    core: frozenset[int]
    atoms: np.ndarray
    x: np.ndarray


@cache
def rings(smiles: str) -> tuple[tuple[int, ...], ...]:
    """The smallest rings of a molecule; atoms as in `ring_systems`."""
    graph = mapped(smiles)  # which its ring information does not keep alive
    return tuple(tuple(ring) for ring in graph.GetRingInfo().AtomRings())


@cache
def ring_systems(smiles: str) -> tuple[RingSystem, ...]:
    """Ring systems of a molecule whose SMILES maps every atom to its index plus one."""
    graph = mapped(smiles)
    cores: list[set[int]] = []
    for ring in graph.GetRingInfo().AtomRings():
        joined = [core for core in cores if core & set(ring)]
        cores = [core for core in cores if core not in joined] + [set(ring).union(*joined)]
    systems = []
    for core in sorted(cores, key=min):
        around = {j.GetIdx() for i in core for j in graph.GetAtomWithIdx(i).GetNeighbors()}
        atoms = sorted(core | around)
        systems.append(RingSystem(frozenset(core), np.array(atoms), _shape(*_fragment(graph, atoms, core))))
    return tuple(systems)


@cache
def turning(smiles: str) -> frozenset[tuple[int, int]]:
    """Pairs (i, j), i < j, of bonded atoms whose bond turns; atoms as in `ring_systems`."""
    from rdkit import Chem

    graph = mapped(smiles)
    bonds = {_pair(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in graph.GetBonds()}
    for pattern in STIFF:
        found = graph.GetSubstructMatches(Chem.MolFromSmarts(pattern), uniquify=False, maxMatches=10**6)
        bonds -= {_pair(match[0], match[-1]) for match in found}
    return frozenset(bonds)


def turning_runs(molecule: Molecule) -> list[list[int]]:
    """The backbone in runs of four atoms and more in which every bond but the first and last of a run turns."""
    path, turns = molecule.backbone.tolist(), turning(molecule.smiles)
    runs: list[list[int]] = []
    for k in range(len(path) - 3):
        if _pair(path[k + 1], path[k + 2]) not in turns:
            continue
        if runs and runs[-1][-3:] == path[k : k + 3]:
            runs[-1].append(path[k + 3])
        else:
            runs.append(path[k : k + 4])
    return runs


@cache
def stereocentres(smiles: str, backbone: tuple[int, ...]) -> tuple[bool, ...]:
    """Whether each backbone atom, its ends left out, carries two different side groups; atoms as in `ring_systems`."""
    from rdkit import Chem

    graph = mapped(smiles)
    ranks = list(Chem.CanonicalRankAtoms(graph, breakTies=False, includeAtomMaps=False))
    centres = []
    for k, index in enumerate(backbone):
        atom = graph.GetAtomWithIdx(index)
        sides = [ranks[j.GetIdx()] for j in atom.GetNeighbors() if j.GetIdx() not in backbone]
        inner = 0 < k < len(backbone) - 1 and not atom.IsInRing()
        centres.append(inner and len(sides) == 2 and sides[0] != sides[1])
    return tuple(centres)


def mapped(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES in the order of its map numbers, hydrogens kept."""
    from rdkit import Chem

    settings = Chem.SmilesParserParams()
    settings.removeHs = False  # type: ignore[assignment]  # rdkit's stub has no setter
    graph = Chem.MolFromSmiles(smiles, settings)
    order = np.argsort([atom.GetAtomMapNum() for atom in graph.GetAtoms()])
    return Chem.RenumberAtoms(graph, order.tolist())


def _pair(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i < j else (j, i)


_Atoms = tuple[tuple[int, int, bool, bool], ...]
_Bonds = tuple[tuple[int, int, "Chem.BondType"], ...]


def _fragment(graph: Chem.Mol, atoms: list[int], core: set[int]) -> tuple[_Atoms, _Bonds]:
    """The atoms (element, charge, aromatic, in the core) and bonds of a ring system cut out of a molecule."""
    place = {index: k for k, index in enumerate(atoms)}
    kinds = []
    for index in atoms:
        atom, inside = graph.GetAtomWithIdx(index), index in core
        kinds.append((atom.GetAtomicNum(), atom.GetFormalCharge() * inside, atom.GetIsAromatic() and inside, inside))
    bonds = [
        (place[bond.GetBeginAtomIdx()], place[bond.GetEndAtomIdx()], bond.GetBondType())
        for bond in graph.GetBonds()
        if core & {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
    ]
    return tuple(kinds), tuple(bonds)


@cache
def _shape(atoms: _Atoms, bonds: _Bonds) -> np.ndarray:
    """(n, 3) nm of a ring system and what is bound to it, by distance geometry and the UFF force field."""
    from rdkit import Chem
    from rdkit.Chem.rdDistGeom import EmbedMolecule
    from rdkit.Chem.rdForceFieldHelpers import UFFOptimizeMolecule

    fragment = Chem.RWMol()
    for number, charge, aromatic, inside in atoms:
        atom = Chem.Atom(number)
        atom.SetFormalCharge(charge)
        atom.SetIsAromatic(aromatic)
        atom.SetNoImplicit(inside)
        fragment.AddAtom(atom)
    for i, j, order in bonds:
        fragment.AddBond(i, j, order)
    Chem.SanitizeMol(fragment)
    whole = Chem.AddHs(fragment)
    if EmbedMolecule(whole, randomSeed=EMBEDDING_SEED) != 0:
        raise ValueError(f"no shape was found for the ring {Chem.MolToSmiles(fragment)}")
    UFFOptimizeMolecule(whole, maxIters=2000)
    return np.asarray(whole.GetConformer().GetPositions()[: len(atoms)] * NM_PER_ANGSTROM)
