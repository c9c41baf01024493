"""Molecules as sequences of SELFIES symbols, of which any sequence is a molecule.

SELFIES: Krenn et al., Mach. Learn.: Sci. Technol. 2020, 1, 045024, 10.1088/2632-2153/aba947; R alone is written here,
the head stays. A carbon's halogens are one symbol with it: an isotope label that is the halogen's atomic number, with
as many hydrogens as it has halogens ([9CH2] is CF2), so that a perfluorinated chain is as long as an alkyl chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from loop.molecules.head import BadMolecule, join, split
from loop.types import Molecules

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Mol

NOP = "[nop]"
HALOGENS = {"F": 9, "Cl": 17, "Br": 35, "I": 53}
"""Symbols and atomic numbers."""
CHAIN = {"C": ("[C]", "[=C]", "[#C]"), "N": ("[N]", "[=N]", "[#N]"), "O": ("[O]", "[=O]"), "S": ("[S]",)}
"""Symbols of the atoms that R may be built of; sulfur is divalent."""
ELEMENTS = (*CHAIN, *HALOGENS)
STRUCTURE = ("[Branch1]", "[=Branch1]", "[#Branch1]", "[Branch2]", "[=Branch2]", "[#Branch2]",
             "[Ring1]", "[=Ring1]", "[Ring2]")  # fmt: skip
"""Symbols of branches and rings, and what their lengths are written in."""
ROOT = "[F]"
"""Stands for the head in front of R: it takes one single bond."""


@cache
def alphabet(molecules: Molecules) -> tuple[str, ...]:
    """The symbols of R, [nop] first."""
    found = [NOP]
    for element in molecules.elements:
        found += CHAIN.get(element, ())
        if element in HALOGENS:
            found.append(f"[{element}]")
            if "C" in molecules.elements:
                number = HALOGENS[element]
                found += [f"[{number}CH{n}]" for n in (1, 2, 3)] + [f"[={number}CH{n}]" for n in (1, 2)]
    return tuple(found + list(STRUCTURE if molecules.length[1] > 2 else ()))


def columns(molecules: Molecules) -> int:
    """Symbols of the longest sequence: one per atom of the chain, and two for each of some branches and rings."""
    longest = molecules.length[1]
    return longest + 2 * (1 + longest // 4)


def smiles_of(molecules: Molecules, symbols: Sequence[str]) -> str:
    """Canonical SMILES of a sequence of symbols. Raises BadMolecule where the head cannot carry them."""
    import selfies
    from rdkit import Chem

    text = selfies.decoder(ROOT + "".join(symbol for symbol in symbols if symbol != NOP))
    graph = Chem.RWMol(Chem.MolFromSmiles(text, sanitize=False))
    graph.ReplaceAtom(0, Chem.Atom(0))
    for atom in [atom for atom in graph.GetAtoms() if atom.GetIsotope()]:
        _halogenate(graph, atom)
    return join(molecules.head, graph)


@lru_cache(maxsize=100_000)
def symbols_of(molecules: Molecules, smiles: str) -> tuple[str, ...]:
    """The sequence of a molecule, [nop] at its end; `smiles_of` gives the molecule back. Raises BadMolecule where it
    has another head, other elements, or more branches and rings than the columns hold."""
    import selfies
    from rdkit import Chem

    rest = Chem.RWMol(split(molecules.head, smiles))
    Chem.Kekulize(rest, clearAromaticFlags=True)
    for atom in [atom for atom in rest.GetAtoms() if atom.GetSymbol() == "C"]:
        _label(rest, atom)
    rest.ReplaceAtom(0, Chem.Atom(HALOGENS["F"]))
    for index in sorted((a.GetIdx() for a in rest.GetAtoms() if a.GetAtomMapNum() == GONE), reverse=True):
        rest.RemoveAtom(index)
    rest.UpdatePropertyCache(strict=False)
    text = Chem.MolToSmiles(rest, rootedAtAtom=0, canonical=True)
    try:
        found = list(selfies.split_selfies(selfies.encoder(text)))[1:]
    except selfies.EncoderError as error:
        raise BadMolecule(f"{smiles} cannot be written in SELFIES: {error}") from error
    strange = [symbol for symbol in found if symbol not in alphabet(molecules)]
    if strange:
        raise BadMolecule(f"{smiles}: R holds {', '.join(dict.fromkeys(strange))}, which is not generated")
    if len(found) > columns(molecules):
        raise BadMolecule(f"{smiles}: R takes {len(found)} symbols and there are {columns(molecules)}; branch it less")
    return (*found, *[NOP] * (columns(molecules) - len(found)))


GONE = 98
"""Map number of a halogen that its carbon's label stands for."""


def _halogenate(graph: Mol, atom: Atom) -> None:
    """Put the halogens that a carbon's label stands for on it."""
    from rdkit import Chem

    number, count = atom.GetIsotope(), atom.GetNumExplicitHs()
    atom.SetIsotope(0)
    atom.SetNumExplicitHs(0)
    atom.SetNoImplicit(False)
    for _ in range(count):
        graph.AddBond(atom.GetIdx(), graph.AddAtom(Chem.Atom(number)), Chem.BondType.SINGLE)


def _label(graph: Mol, atom: Atom) -> None:
    """Label a carbon with its most frequent halogen and mark those as gone."""
    around = [n for n in atom.GetNeighbors() if n.GetSymbol() in HALOGENS]
    if not around:
        return
    kinds = [n.GetSymbol() for n in around]
    most = max(HALOGENS, key=kinds.count)
    for neighbour in around:
        if neighbour.GetSymbol() == most:
            neighbour.SetAtomMapNum(GONE)
    atom.SetIsotope(HALOGENS[most])
    atom.SetNumExplicitHs(kinds.count(most))
    atom.SetNoImplicit(True)
