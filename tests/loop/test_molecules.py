"""Generated molecules: the SELFIES round trip, bounds, what is refused and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.molecules import (
    BadMolecule,
    alphabet,
    at_fraction,
    canonical,
    columns,
    describe,
    fault,
    head,
    novel,
    smiles_of,
    symbols_of,
    unmarked,
)
from loop.types import Molecules

ACIDS = Molecules("O=C([OH:1])R", (2, 12), ("C", "F", "O", "N"))
VINYLS = Molecules("*CC(*)R", (0, 6), ("C", "F", "Cl", "O"))
VINYLIDENES = Molecules("*CC(*)(R)R", (0, 4), ("C", "F", "Cl"))
CATECHOLS = Molecules("[OH:1]c1ccc(R)cc1[OH:1]", (1, 8), ("C", "N", "O", "S"))
KINDS = (ACIDS, VINYLS, VINYLIDENES, CATECHOLS)

fractions = st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(KINDS), fractions)
@settings(derandomize=True, deadline=None, max_examples=120)
def test_a_drawn_molecule_comes_back_from_its_symbols(kind: Molecules, u: float) -> None:
    smiles = at_fraction(kind, u)
    symbols = symbols_of(kind, smiles)
    assert len(symbols) == columns(kind) and set(symbols) <= set(alphabet(kind))
    assert smiles_of(kind, symbols) == smiles == canonical(smiles)


@given(st.sampled_from(KINDS), st.data())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_sequence_is_a_molecule_with_the_head(kind: Molecules, data: st.DataObject) -> None:
    symbols = data.draw(st.lists(st.sampled_from(alphabet(kind)), max_size=columns(kind)))
    try:
        smiles = smiles_of(kind, symbols)
    except BadMolecule as error:
        assert "cannot carry" in str(error)  # a ring that the head's other half would have to share
        return
    assert canonical(smiles) == smiles
    if not fault(kind, smiles):
        assert smiles_of(kind, symbols_of(kind, smiles)) == smiles


@given(st.sampled_from(KINDS), fractions)
@settings(derandomize=True, deadline=None, max_examples=80)
def test_drawn_molecules_keep_the_bounds(kind: Molecules, u: float) -> None:
    from rdkit import Chem

    smiles = at_fraction(kind, u)
    assert fault(kind, smiles) == ""
    graph = Chem.MolFromSmiles(smiles)
    base = sum(a.GetAtomMapNum() != 99 for a in head(kind.head).GetAtoms())
    places = head(kind.head).GetNumAtoms() - base
    extra = sum(a.GetSymbol() not in ("F", "Cl", "Br", "I") for a in graph.GetAtoms()) - base
    assert kind.length[0] * places <= extra <= kind.length[1] * places
    assert {a.GetSymbol() for a in graph.GetAtoms()} <= {*kind.elements, "C", "O", "*"}
    assert Chem.GetFormalCharge(graph) == 0
    assert not any(a.GetNumRadicalElectrons() or a.GetIsotope() for a in graph.GetAtoms())


def test_the_fraction_sets_length_and_molecule() -> None:
    assert at_fraction(ACIDS, 0.3) == at_fraction(ACIDS, 0.3)
    assert len({at_fraction(ACIDS, 0.9 + k / 1000) for k in range(20)}) > 15
    short, long = (describe(at_fraction(ACIDS, u))["heavy_atoms"] for u in (0.0, 0.999))
    assert short < long


@pytest.mark.parametrize(
    ("kind", "smiles", "symbols"),
    [
        (ACIDS, "CCCC(=O)[OH:1]", "[C][C][C]"),
        (ACIDS, "FC(F)(F)C(F)(F)C(=O)[OH:1]", "[9CH2][9CH3]"),
        (VINYLIDENES, "*CC(*)(F)F", "[F]"),
        (VINYLIDENES, "*CC*", ""),
        (VINYLS, "*CC(*)C(F)(F)Cl", "[9CH2][Cl]"),
        (VINYLS, "*CC(*)c1ccccc1", "[C][=C][C][=C][C][=C][Ring1][=Branch1]"),
    ],
)
def test_molecules_that_chemists_write(kind: Molecules, smiles: str, symbols: str) -> None:
    smiles = canonical(smiles)
    found = symbols_of(kind, smiles)
    assert "".join(found).replace("[nop]", "") == symbols
    assert smiles_of(kind, found) == smiles
    assert fault(kind, smiles) == ("" if smiles != "*CC*" or kind.length[0] == 0 else "short")


@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("CC(=O)[OH:1]", "R has 1 atoms"),
        ("CCCCCCCCCCCCCC(=O)[OH:1]", "13"),
        ("OCCCC(=O)[OH:1]", ""),
        ("O=C(CCCl)[OH:1]", "[17CH1]"),
        ("CCCC(=O)O", "is not O=C([OH:1])R"),
        ("CCC([OH:1])=O", "is not canonical; write CCC(=O)[OH:1]"),
        ("CCCO", "is not O=C([OH:1])R"),
        ("O=C(COOC)[OH:1]", "heteroatoms"),
        ("O=C(CC(O)O)[OH:1]", "hemiacetal"),
        ("CC=C(O)CC(=O)[OH:1]", "enol"),
        ("O=C(CC(=O)F)[OH:1]", "acyl halide"),
        ("CNC(=O)[OH:1]", "carbamic"),
        ("C=C=CC(=O)[OH:1]", "cumulated"),
        ("O=C(C1CO1)[OH:1]", "ring of three"),
        ("C[C@H](F)C(=O)[OH:1]", "stereo mark"),
        ("C/C=C/C(=O)[OH:1]", "stereo mark"),
        ("nonsense", "cannot be read"),
        ("CC(C)(C)(C)C(=O)[OH:1]", "cannot exist"),
    ],
)
def test_what_is_refused_says_why(smiles: str, why: str) -> None:
    written = smiles if "not canonical" in why or why.startswith("cannot") else canonical(smiles)
    found = fault(ACIDS, written)
    assert why in found if why else found == ""


def test_a_heads_own_groups_are_not_held_against_it() -> None:
    hydroxamic = Molecules("O=C(R)N[OH:1]", (1, 4), ("C",))
    assert fault(hydroxamic, canonical("CCC(=O)N[OH:1]")) == ""
    alkoxide = Molecules("[OH:1]R", (1, 4), ("C", "F", "O"))
    assert fault(alkoxide, canonical("[OH:1]C(F)(F)C")) == ""  # bound, it has no acid to lose
    assert "heteroatoms" in fault(alkoxide, canonical("[OH:1]OC"))


@pytest.mark.parametrize(
    ("template", "why"),
    [("OC(=O)C", "no R"), ("OC=R", "single bond"), ("OC(=R", "'OC.=R' cannot be read"), ("RCR(C)", "single bond")],
)
def test_a_head_that_cannot_be_used(template: str, why: str) -> None:
    with pytest.raises(BadMolecule, match=why):
        head(template)


def test_descriptions_by_hand() -> None:
    butyrate = describe("CCCC(=O)[OH:1]")
    assert butyrate["heavy_atoms"] == 6 and butyrate["fluorine_share"] == 0 and butyrate["donors"] == 1
    assert butyrate["polar_area"] == pytest.approx(0.373, abs=1e-3)  # a carboxylic acid: 37.3 square angstroms
    pvdf = describe("*CC(*)(F)F")
    assert pvdf["fluorine_share"] == 0.5 and pvdf["heavy_atoms"] == 4 and pvdf["polar_area"] == 0


def test_marks_and_order_do_not_make_a_molecule_new() -> None:
    kind = Molecules("O=C([OH:1])R", (1, 8), ("C",), known=(unmarked("CCCCCC(=O)O"),))
    assert unmarked("O=C([OH:1])CCCCC") == "CCCCCC(=O)O"
    found = [canonical("O=C([OH:1])CCCCC"), canonical("O=C([OH:1])CCCC")]
    assert [novel(kind, smiles) for smiles in found] == [False, True]
