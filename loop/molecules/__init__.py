"""Molecules as values of a parameter: a head that stays and a generated part R, within declared bounds."""

from __future__ import annotations

from loop.molecules.bounds import at_fraction, fault, novel
from loop.molecules.description import describe
from loop.molecules.head import BadMolecule, canonical, head, unmarked
from loop.molecules.tokens import CHAIN, ELEMENTS, NOP, alphabet, columns, smiles_of, symbols_of

__all__ = [
    "CHAIN",
    "ELEMENTS",
    "NOP",
    "BadMolecule",
    "alphabet",
    "at_fraction",
    "canonical",
    "columns",
    "describe",
    "fault",
    "head",
    "novel",
    "smiles_of",
    "symbols_of",
    "unmarked",
]
