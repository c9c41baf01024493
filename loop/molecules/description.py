"""Numbers that describe a molecule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from loop.molecules.head import parsed

if TYPE_CHECKING:
    from rdkit.Chem import Mol


@lru_cache(maxsize=100_000)
def describe(smiles: str) -> Mapping[str, float]:
    """Numbers that describe any molecule or repeat unit, open ends left out; the same names for all.

    Heavy atoms; bonds that turn; share of fluorine among heavy atoms; donors of hydrogen bonds; `logp`, the logarithm
    of the partition coefficient between octanol and water (Wildman, Crippen, J. Chem. Inf. Comput. Sci. 1999, 39, 868);
    `polar_area`, the topological polar surface in nm^2 (Ertl, Rohde, Selzer, J. Med. Chem. 2000, 43, 3714);
    `charge`, root mean square of the heavy atoms' partial charges, e (Gasteiger, Marsili, Tetrahedron 1980, 36, 3219),
    open ends counted as methyl groups. Raises BadMolecule.
    """
    from rdkit.Chem import Crippen, rdMolDescriptors

    graph = parsed(smiles)
    heavy = [atom.GetSymbol() for atom in graph.GetAtoms() if atom.GetAtomicNum() > 1]
    return {
        "heavy_atoms": float(len(heavy)),
        "rotatable_bonds": float(rdMolDescriptors.CalcNumRotatableBonds(graph)),
        "fluorine_share": heavy.count("F") / max(len(heavy), 1),
        "donors": float(rdMolDescriptors.CalcNumHBD(graph)),
        "logp": float(Crippen.MolLogP(graph)),  # type: ignore[attr-defined]  # not in rdkit's stub
        "polar_area": float(rdMolDescriptors.CalcTPSA(graph)) / 100.0,
        "charge": partial_charge(graph),
    }


def partial_charge(graph: Mol) -> float:
    """e, root mean square over the heavy atoms; 0 where the method knows an element not."""
    from rdkit import Chem
    from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

    whole = Chem.RWMol(graph)
    for atom in graph.GetAtoms():
        if atom.GetAtomicNum() == 0:
            whole.ReplaceAtom(atom.GetIdx(), Chem.Atom(6))
    Chem.SanitizeMol(whole)
    ComputeGasteigerCharges(whole)
    own = [atom.GetIdx() for atom in graph.GetAtoms() if atom.GetAtomicNum() > 1]
    charges = [float(whole.GetAtomWithIdx(i).GetProp("_GasteigerCharge")) for i in own]
    square = sum(charge**2 for charge in charges) / max(len(charges), 1)
    return math.sqrt(square) if math.isfinite(square) else 0.0
