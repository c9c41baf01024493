"""What a ligand is: a molecule that binds to a surface by the oxygens of its head group.

A ligand is named by the catalogue or written as the SMILES of the free acid, alcohol, catechol or silanol. Its head
group is found in the SMILES; where there is more than one, the oxygens that bind are marked there: [OH:1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.repeat_units import ELEMENTS
from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    from rdkit.Chem import Mol

BINDS = 1
"""Map number of the oxygens that bind, in heads' patterns and in SMILES."""


class NotALigand(catalogue.UnknownMaterial):
    """A SMILES that cannot be bound or simulated. The message names the atoms and what to write instead."""


@dataclass(frozen=True)
class Ligand:
    """A ligand and its head group.

    `free` is the molecule before it binds: first the oxygens that will be the surface's, last their hydrogens, which
    binding takes away. `charges`: e of atoms whose charges come with the head group. `smiles`: canonical, of the free
    molecule.
    """

    head: str
    smiles: str
    free: Molecule
    binds: int
    charges: Mapping[int, float]

    @cached_property
    def bound(self) -> Molecule:
        """The molecule as it stands on a surface: its first `binds` atoms are the surface's oxygens."""
        kept = len(self.free.elements) - self.binds
        return replace(
            self.free,
            elements=self.free.elements[:kept],
            bonds=tuple(bond for bond in self.free.bonds if max(bond) < kept),
            monomer=self.free.monomer[:kept],
        )

    @property
    def holders(self) -> tuple[int, ...]:
        """The atom that each binding oxygen is bound to."""
        return tuple(self.bound.neighbours[oxygen][0] for oxygen in range(self.binds))

    @property
    def own(self) -> int:
        """Atoms that one ligand adds to a surface."""
        return len(self.bound.elements) - self.binds


@cache
def ligand(name: object) -> Ligand:
    """The ligand of a catalogue name or a SMILES. Raises NotALigand."""
    from rdkit import Chem

    graph = _parsed(name)
    head, bound, matched = _head(name, graph)
    oxygens = [graph.GetAtomWithIdx(i) for i in bound]
    hydrogens = [next(n.GetIdx() for n in o.GetNeighbors() if n.GetAtomicNum() == 1) for o in oxygens]
    rest = [i for i in range(graph.GetNumAtoms()) if i not in (*bound, *hydrogens)]
    order = [*bound, *rest, *hydrogens]
    charges = catalogue.heads()[head].get("charges", {})
    return Ligand(
        head=head,
        smiles=Chem.MolToSmiles(Chem.RemoveHs(graph)),
        free=_molecule(graph, order),
        binds=len(bound),
        charges={order.index(i): charges[number] for number, i in matched if number in charges},
    )


def _parsed(name: object) -> Mol:
    """The molecule with all its hydrogens. Raises NotALigand where it cannot be simulated."""
    from rdkit import Chem, rdBase

    listed = catalogue.ligands()
    smiles = listed[str(name)]["smiles"] if name in listed else str(name)
    with rdBase.BlockLogs():
        graph = Chem.MolFromSmiles(smiles, sanitize=False)
        if graph is None or not graph.GetNumAtoms():
            known = ", ".join((catalogue.NO_LIGAND, *listed))
            raise NotALigand(f"ligand {name!r} is neither in the catalogue, which has {known}, nor a SMILES")
        problems = [problem.Message() for problem in Chem.DetectChemistryProblems(graph)]
        if problems:
            raise NotALigand(f"ligand {name!r} cannot exist: {'; '.join(problems)}")
        Chem.SanitizeMol(graph)
    graph = Chem.AddHs(graph)
    for complaint, cure, found in (
        ("is radical at", "give every atom its hydrogens", _atoms(graph, lambda a: a.GetNumRadicalElectrons() > 0)),
        ("is charged at", "write the neutral free acid or amine", _atoms(graph, lambda a: a.GetFormalCharge() != 0)),
        ("has no force field for", _CURE_ELEMENT, _atoms(graph, lambda a: not _covered(a))),
    ):
        if found:
            raise NotALigand(f"ligand {name!r} {complaint} {', '.join(found)}; {cure}")
    if len(Chem.GetMolFrags(graph)) > 1:
        raise NotALigand(
            f"ligand {name!r} is {len(Chem.GetMolFrags(graph))} molecules; write one, without its counterion"
        )
    return graph


_CURE_ELEMENT = (
    f"it covers {', '.join(ELEMENTS)}, and silicon that has only OH and CH2 or CH3"
    " (write a silane as it is after hydrolysis, with OH in place of OR and Cl)"
)


def _atoms(graph: Mol, wrong: Any) -> list[str]:
    """Heavy atoms (`Si4`, counted from 1 as written) that are wrong."""
    heavy = [atom for atom in graph.GetAtoms() if atom.GetAtomicNum() != 1]
    return [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in heavy if wrong(atom)]


def _covered(atom: Any) -> bool:
    """Whether there are parameters for an atom: silicon's are those of alkyl silanols."""
    from rdkit.Chem import HybridizationType

    if atom.GetSymbol() != "Si":
        return atom.GetSymbol() in ELEMENTS
    around = atom.GetNeighbors()
    carbons = [n for n in around if n.GetSymbol() == "C" and n.GetHybridization() == HybridizationType.SP3]
    alkyl = all(n.GetSymbol() in ("C", "H", "Si") for carbon in carbons for n in carbon.GetNeighbors())
    hydroxyls = [n for n in around if n.GetSymbol() == "O" and n.GetTotalNumHs(includeNeighbors=True) == 1]
    return len(around) == 4 and alkyl and bool(carbons) and len(carbons) + len(hydroxyls) == 4


def _head(name: object, graph: Mol) -> tuple[str, list[int], list[tuple[int, int]]]:
    """Name of the head group, the oxygens that bind, and (map number, atom) of its pattern. Raises NotALigand unless
    there is just one; heads alike by symmetry count once."""
    from rdkit import Chem

    marked = {atom.GetIdx() for atom in graph.GetAtoms() if atom.GetAtomMapNum() == BINDS}
    for atom in graph.GetAtoms():
        atom.SetAtomMapNum(0)
    alike = list(Chem.CanonicalRankAtoms(graph, breakTies=False))
    found: dict[tuple[str, tuple[int, ...]], tuple[list[int], list[tuple[int, int]]]] = {}
    for head, entry in catalogue.heads().items():
        pattern = Chem.MolFromSmarts(entry["smarts"])
        numbers = [atom.GetAtomMapNum() for atom in pattern.GetAtoms()]
        for match in graph.GetSubstructMatches(pattern):
            matched = list(zip(numbers, match, strict=True))
            bound = [i for number, i in matched if number == BINDS]
            if set(bound) == marked if marked else not entry.get("marked"):
                found.setdefault((head, tuple(sorted(alike[i] for i in bound))), (bound, matched))
    if not found:
        where = "has no head group at its mark" if marked else "has no head group"
        raise NotALigand(
            f"ligand {name!r} {where}; the known ones are {', '.join(catalogue.heads())}, each with its OH"
        )
    if len(found) > 1:
        heads = ", ".join(f"{head} at O{' and O'.join(str(i + 1) for i in b)}" for (head, _), (b, _) in found.items())
        raise NotALigand(f"ligand {name!r} has {len(found)} heads: {heads}; mark what binds, as in C(=O)[OH:1]")
    ((head, _), (bound, matched)) = found.popitem()
    return head, bound, matched


def _molecule(graph: Mol, order: list[int]) -> Molecule:
    """The molecule with its atoms in that order; all one unit, without a backbone."""
    from rdkit import Chem

    graph = Chem.RenumberAtoms(graph, order)
    for atom in graph.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    n = graph.GetNumAtoms()
    return Molecule(
        smiles=Chem.MolToSmiles(graph),
        elements=tuple(atom.GetSymbol() for atom in graph.GetAtoms()),
        bonds=tuple(sorted(_ends(bond) for bond in graph.GetBonds())),
        monomer=np.zeros(n, dtype=int),
        backbone=np.zeros(0, dtype=int),
    )


def _ends(bond: Any) -> tuple[int, int]:
    i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    return (i, j) if i < j else (j, i)
