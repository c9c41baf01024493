"""Numbers that describe materials, and heads of generated ligands and repeat units that can be built."""

from __future__ import annotations

import pytest

from loop.molecules import at_fraction, unmarked
from loop.types import Molecules
from oracles.openmm import OpenMMOracle
from oracles.openmm.build.feasible_ligands import FLAT, STRAIGHT, _unbends
from oracles.openmm.build.heads import NotALigand, ligand
from oracles.openmm.build.ligands import CLEARANCE, contour, longest, lowest
from oracles.openmm.build.repeat_units import read
from oracles.openmm.materials import catalogue

ORACLE = OpenMMOracle()


def test_every_head_of_a_ligand_can_be_generated() -> None:
    assert set(ORACLE.heads("ligand")) == set(catalogue.heads())
    assert not ORACLE.heads("oxide")


@pytest.mark.parametrize("name", list(catalogue.heads()))
def test_generated_ligands_bind_by_their_head(name: str) -> None:
    allowed = Molecules(ORACLE.heads("ligand")[name], (2, 6), ("C",))
    found = []
    for u in range(8):
        try:
            found.append(ligand(at_fraction(allowed, u / 8)))
        except NotALigand as error:
            assert name in ("silane", "alkoxide")  # these ask for an sp3 carbon at the head
            assert "no head group" in str(error) or "no force field" in str(error)
    assert len(found) >= 3 and all(kind.head == name for kind in found)
    assert all(kind.bound.elements[i] == "O" for kind in found for i in range(kind.binds))


@pytest.mark.parametrize("name", list(ORACLE.heads("polymer")))
def test_generated_repeat_units_are_repeat_units(name: str) -> None:
    allowed = Molecules(ORACLE.heads("polymer")[name], (1, 4), ("C", "F"))
    for u in (0.1, 0.9):
        unit = read(at_fraction(allowed, u))
        assert len(unit.backbone) >= 2


def test_catalogue_names_are_no_novelty() -> None:
    named = {unmarked(smiles) for smiles in ORACLE.named("ligand").values()}
    assert "CCCCCC(=O)O" in named and len(named) == len(catalogue.ligands())
    assert unmarked("*CC(*)(F)F") in {unmarked(smiles) for smiles in ORACLE.named("polymer").values()}


def test_oxides_by_hand() -> None:
    periclase = ORACLE.describe("oxide", "periclase")
    assert periclase["metal_charge"] == 2
    assert periclase["metal_density"] == pytest.approx(4 / 0.42112**3, rel=0.01)  # four in a cell of 0.42112 nm
    assert ORACLE.describe("oxide", "magnetite")["metal_charge"] == pytest.approx(8 / 3)


@pytest.mark.parametrize("parameter", ["oxide", "ligand", "polymer"])
def test_all_of_a_kind_are_described_by_the_same_numbers(parameter: str) -> None:
    table = {"oxide": "oxides", "polymer": "polymers"}.get(parameter)
    names = list(catalogue.data(table)) if table else ["none", *catalogue.ligands(), "CCCC(=O)[OH:1]"]
    keys = [set(ORACLE.describe(parameter, name)) for name in names]
    assert all(found == keys[0] and found for found in keys)


def test_what_is_unknown_is_not_described() -> None:
    assert ORACLE.describe("temperature", 400.0) == {}
    assert ORACLE.describe("facet", "001") == {}
    assert ORACLE.describe("oxide", "cheese") == {} == ORACLE.describe("ligand", "cheese")
    assert ORACLE.describe("polymer", "*CC") == {}


def test_a_copolymer_lies_between_its_units() -> None:
    share = [ORACLE.describe("polymer", name)["fluorine_share"] for name in ("PVDF", "P(VDF-TrFE)", "PTrFE")]
    assert share[0] < share[1] < share[2]
    assert ORACLE.describe("ligand", "none")["length"] == 0


@pytest.mark.parametrize("head", ["carboxylate", "silane", "catechol"])
def test_the_rough_bounds_on_shapes_hold(head: str) -> None:
    allowed = Molecules(ORACLE.heads("ligand")[head], (2, 8), ("C", "F") if head != "silane" else ("C",))
    names = [at_fraction(allowed, u) for u in (0.05, 0.35, 0.65, 0.95)]
    for name in (*names, "oleate", "citrate", "perfluorooctanoate", "NCCCCC#CCN=CP(=O)(O)O"):
        assert longest(name) >= FLAT * contour(name) or not _unbends(name)
        assert lowest(name) <= STRAIGHT * contour(name) + CLEARANCE
