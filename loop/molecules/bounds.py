"""Which molecules a `smiles` parameter allows, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from random import Random
from typing import TYPE_CHECKING

from loop.molecules.head import BadMolecule, canonical, head, parsed, split, unmarked
from loop.molecules.tokens import CHAIN, HALOGENS, alphabet, columns, smiles_of, symbols_of
from loop.types import Molecules

if TYPE_CHECKING:
    from rdkit.Chem import Mol

HETERO = "[#7,#8,#9,#16,#17,#35,#53]"
UNSOUND = {
    "a bond between two heteroatoms": f"{HETERO}~{HETERO}",
    "a hemiacetal, or another carbon that loses water, ammonia or acid": (
        "[CX4]([OX2H1,SX2H1,NX3H1,NX3H2])[OX2,SX2,NX3,F,Cl,Br,I]"
    ),
    "an enol or enamine": "[CX3]=[CX3][OX2H1,SX2H1,NX3H1,NX3H2]",
    "an imine without a substituent": "[CX3]=[NX2H1]",
    "cumulated double bonds": "*=[C,N]=*",
    "an acyl halide": "[CX3](=[O,N])[F,Cl,Br,I]",
    "a carbonic or carbamic acid": "[CX3](=O)([OX2H1,OX1])[O,N,S]",
    "a double bond or heteroatom in a ring of three": "[$([r3]=@[r3]),$([r3;!#6])]",
    "a triple bond in a ring": "*#@*",
}
"""What does not last as a molecule, and which random molecules are full of. Choice: what textbooks of organic chemistry
call unstable or too reactive to handle; peroxides, N-halogen and hydrazine are in the first."""
BINDS = 1
"""Map number of the oxygens that bind a ligand to a surface."""
TRIES = 2000
BRANCH, RING = 0.12, 0.15
"""Chances of a branch at each atom, and of one ring."""
CLOSE = ("[Branch1]", "[=Branch1]")
"""Symbols that close a ring of five and of six."""
WEIGHTS = {"[C]": 6.0, "[9CH2]": 4.0, "[9CH1]": 1.0, "[O]": 1.5, "[N]": 1.0, "[S]": 0.5}
"""Of the symbols that go on a chain, in random molecules; all other go with 0.5."""


@lru_cache(maxsize=100_000)
def fault(molecules: Molecules, smiles: str) -> str:
    """What keeps a molecule from being one of these; empty where it is one."""
    try:
        if canonical(smiles) != smiles:
            return f"{smiles} is not canonical; write {canonical(smiles)}"
        if set(smiles) & set("@/\\"):
            return f"{smiles} has a stereo mark, which is not generated; leave it out"
        symbols_of(molecules, smiles)
        rest = split(molecules.head, smiles)
    except BadMolecule as error:
        return str(error)
    low, high = molecules.length
    length = size(rest)
    if not low <= length <= high:
        return f"{smiles}: R has {length} atoms besides hydrogen and halogens; allowed are {low} to {high}"
    strange = {atom.GetSymbol() for atom in rest.GetAtoms() if atom.GetIdx()} - {*molecules.elements}
    if strange:
        return f"{smiles}: R holds {', '.join(sorted(strange))}; allowed are {', '.join(molecules.elements)}"
    return unsound(molecules.head, smiles)


def size(rest: Mol) -> int:
    """Atoms of R that are neither hydrogen nor halogens."""
    return sum(atom.GetSymbol() not in HALOGENS for atom in rest.GetAtoms()) - 1


def unsound(template: str, smiles: str) -> str:
    """The first unsound group that the molecule has and its head alone has not; empty where there is none."""
    of_head, of_whole = _unsound_groups(head(template)), _unsound_groups(parsed(smiles))
    found = (name for name in UNSOUND if of_whole[name] > of_head[name])
    return next((f"{smiles} has {name}; it would not last" for name in found), "")


def _unsound_groups(graph: Mol) -> Mapping[str, int]:
    """How many of each there are. Oxygens that bind to a surface count as bound."""
    from rdkit import Chem

    graph = Chem.RWMol(graph)
    for atom in graph.GetAtoms():
        if atom.GetAtomMapNum() == BINDS:
            atom.SetNumExplicitHs(0)
            atom.SetNoImplicit(True)
    graph.UpdatePropertyCache(strict=False)
    return {name: len(graph.GetSubstructMatches(pattern)) for name, pattern in _patterns().items()}


@cache
def _patterns() -> Mapping[str, Mol]:
    from rdkit import Chem

    return {name: Chem.MolFromSmarts(smarts) for name, smarts in UNSOUND.items()}


@lru_cache(maxsize=100_000)
def at_fraction(molecules: Molecules, u: float) -> str:
    """A random molecule for u in [0, 1): its length grows with u, the rest is drawn anew from every bit of u.

    Raises BadMolecule where TRIES draws found none that is allowed.
    """
    low, high = molecules.length
    length = min(low + int(u * (high - low + 1)), high)
    rng = Random(int(u * 2**53))
    refused = ""
    for _ in range(TRIES):
        try:
            smiles = smiles_of(molecules, _random(molecules, length, rng))
        except BadMolecule as error:
            refused = str(error)
            continue
        refused = fault(molecules, smiles)
        if not refused:
            return smiles
    raise BadMolecule(f"no molecule {molecules.head} with R of {length} atoms in {TRIES} draws; the last: {refused}")


def _random(molecules: Molecules, length: int, rng: Random) -> list[str]:
    """A sequence that is likely to have so many atoms."""
    ahead, ends = _going_on(molecules), _ending(molecules)
    chain = rng.choices(ahead, [WEIGHTS.get(symbol, 0.5) for symbol in ahead], k=length) if ahead else []
    found: list[str] = []
    for k, symbol in enumerate(chain):
        left = length - k
        if found and left > 2 and rng.random() < BRANCH:
            found += ["[Branch1]", "[C]", rng.choice(ends)]
        found.append(symbol)
    if length == 0 or rng.random() < 0.5:
        found = [*found[:-1], rng.choice(ends)]
    elif length > 4 and rng.random() < RING:
        found += ["[Ring1]", rng.choice(CLOSE)]
    return found[: columns(molecules)]


@cache
def _going_on(molecules: Molecules) -> tuple[str, ...]:
    """Symbols after which a chain can go on."""
    return tuple(s for s in _atoms(molecules) if s not in _ending(molecules) or s == "[C]")


@cache
def _ending(molecules: Molecules) -> tuple[str, ...]:
    """Symbols that end a chain or a branch, and plain carbon, which does so as CH3."""
    halogens = [f"[{element}]" for element in molecules.elements if element in HALOGENS]
    plain = [s for s in ("[C]", "[=O]", "[#N]", "[O]") if s in _atoms(molecules)]
    full = [f"[{number}CH3]" for number in HALOGENS.values() if f"[{number}CH3]" in _atoms(molecules)]
    return tuple(plain + full + halogens)


@cache
def _atoms(molecules: Molecules) -> tuple[str, ...]:
    chain = {symbol for symbols in CHAIN.values() for symbol in symbols}
    return tuple(s for s in alphabet(molecules) if s in chain or "CH" in s or s.strip("[]") in HALOGENS)


def novel(molecules: Molecules, smiles: str) -> bool:
    """Whether the molecule has no name yet."""
    return unmarked(smiles) not in molecules.known
