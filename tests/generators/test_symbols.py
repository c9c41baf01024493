"""Molecules as groups of categorical fields: encoded, decoded, saved, sampled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.cvae import CVAE
from generators.encoding import Encoding
from generators.snapshot import space_facts, space_from
from generators.symbols import generated
from generators.uniform import Uniform, combinations
from loop.molecules import fault
from loop.space import Constraint, Space, SpaceError
from loop.types import Condition, Design, Molecules, Parameter

ACIDS = Molecules("O=C([OH:1])R", (2, 8), ("C", "F", "O"))
VINYLS = Molecules("*CC(*)R", (0, 3), ("C", "F", "Cl"))
SPACE = Space(
    [
        Parameter("oxide", "choices", choices=("magnetite", "corundum")),
        Parameter("ligand", "smiles", molecules=ACIDS),
        Parameter("polymer", "smiles", molecules=VINYLS),
        Parameter("density", "real", bounds=(0.0, 4.0), step=0.1),
        Parameter("temperature", "fixed", choices=(400.0,), unit="K"),
    ],
    [Constraint("dense on magnetite only", {"oxide": ("corundum",)}, {"density": (1.0,)})],
)


def test_sampled_molecules_keep_their_bounds_and_are_spread() -> None:
    designs = SPACE.sample(60, seed=3)
    assert designs == SPACE.sample(60, seed=3) and designs != SPACE.sample(60, seed=4)
    ligands = {design.values["ligand"] for design in designs}
    assert len(ligands) > 40
    assert not any(fault(ACIDS, str(ligand)) for ligand in ligands)


def test_designs_come_back_from_their_rows() -> None:
    encoding, designs = Encoding(SPACE), SPACE.sample(60, seed=3)
    rows = encoding.encode(designs)
    assert rows.shape == (60, encoding.width)
    assert encoding.decode(rows) == designs
    assert len(encoding.symbols) == len(encoding.categorical) - 1


@given(st.integers(0, 2**31))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_any_row_is_a_design_that_can_be_encoded_again(seed: int) -> None:
    import numpy as np

    encoding = Encoding(SPACE)
    (design,) = encoding.decode(np.random.default_rng(seed).random((1, encoding.width)))
    assert encoding.decode(encoding.encode([design])) == [design]


def test_a_molecule_out_of_bounds_is_named() -> None:
    good = SPACE.sample(1, seed=1)[0]
    for ligand in ("CC(=O)[OH:1]", "CCCCCCCCCCC(=O)[OH:1]", "CCC(Cl)C(=O)[OH:1]", "CCCO"):
        design = SPACE.canonicalise({**good.values, "ligand": ligand})
        assert SPACE.violations(design) == ("limits:ligand",)
    with pytest.raises(SpaceError, match="ligand: 'C\\(' cannot be read"):
        SPACE.canonicalise({**good.values, "ligand": "C("})


def test_a_molecule_is_stored_canonical() -> None:
    good = SPACE.sample(1, seed=1)[0]
    written = SPACE.canonicalise({**good.values, "ligand": "[OH:1]C(=O)C(F)(F)CC"})
    assert written.values["ligand"] == "CCC(F)(F)C(=O)[OH:1]"
    assert not SPACE.violations(written)


def test_a_space_with_molecules_is_told_and_read_back() -> None:
    import json

    facts = space_facts(SPACE)
    again = space_from(json.loads(json.dumps(facts)))
    assert again.parameters == SPACE.parameters


def test_molecules_are_counted_once_whatever_the_rest_of_the_design() -> None:
    ligands = ("CCC(F)(F)C(=O)[OH:1]", "CCCC(=O)[OH:1]")
    designs = [
        Design({**design.values, "ligand": ligands[i % 2], "polymer": "*CC*"})
        for i, design in enumerate(SPACE.sample(8, seed=3))
    ]
    assert generated(SPACE, designs) == {(ACIDS, ligands[0]), (ACIDS, ligands[1]), (VINYLS, "*CC*")}
    assert generated(Space([Parameter("x", "choices", ("a", "b"))]), [Design({"x": "a"})]) == set()


def test_uniform_proposals_hold_pins_of_molecules() -> None:
    generator = Uniform()
    generator.fit(SPACE, (), (), seed=1)
    assert combinations(SPACE) > 10**9
    pin = {"ligand": "CCC(F)(F)C(=O)[OH:1]"}
    found = generator.propose(20, Condition(pins=pin), (), seed=2)
    assert len(found) == 20 and all(p.design.values["ligand"] == pin["ligand"] for p in found)
    with pytest.raises(SpaceError, match="outside the space"):
        generator.propose(2, Condition(pins={"ligand": "CC(=O)[OH:1]"}), (), seed=2)


def test_no_molecule_within_the_bounds_is_told() -> None:
    impossible = Molecules("O=C([OH:1])R", (6, 8), ("O",))  # a chain of oxygens would not last
    space = Space([Parameter("ligand", "smiles", molecules=impossible)])
    with pytest.raises(SpaceError, match="ligand: no molecule"):
        space.sample(2, seed=1)


def test_equal_designs_have_equal_ids() -> None:
    a = SPACE.sample(1, seed=5)[0]
    assert a == Design(dict(a.values)) and a.id == Design(dict(a.values)).id


@pytest.mark.slow
def test_a_trained_generator_proposes_molecules_of_its_own(tmp_path: Path) -> None:
    kind = Molecules("O=C([OH:1])R", (2, 5), ("C", "F"), known=("CCCC(=O)O",))
    space = Space(
        [Parameter("ligand", "smiles", molecules=kind), Parameter("density", "real", bounds=(0.0, 3.0), step=0.1)]
    )
    generator = CVAE(corpus=1500)
    generator.fit(space, (), (), seed=1)
    assert generator.gates is not None and generator.gates.molecules >= 0.25 and not generator.notes
    asked = Condition(pins={})
    found = generator.propose(120, asked, (), seed=2)
    assert found == generator.propose(120, asked, (), seed=2)
    assert len(found) == 120 and not any(space.violations(p.design) for p in found)
    made = [p for p in found if p.generator == "cvae:prior"]
    ligands = {str(p.design.values["ligand"]) for p in made}
    corpus = {str(d.values["ligand"]) for d in space.sample(1500, seed=9)}
    assert len(ligands) > 40 and ligands - corpus
    count = generator.counts["cvae:prior"]
    assert count["unique"] * 0.9 < count["novel"] <= count["unique"]
    drawn = generator.quality((), seed=3)
    assert drawn is not None and drawn.molecules is not None and drawn.unnamed is not None
    assert 40 < drawn.molecules <= drawn.unique and drawn.molecules - 1 <= drawn.unnamed <= drawn.molecules
    generator.save(tmp_path)
    again = CVAE(corpus=1500)
    again.load(tmp_path)
    assert [p.design for p in again.propose(120, asked, (), seed=2)] == [p.design for p in found]
    pinned = generator.propose(10, Condition(pins={"ligand": "CCC(F)(F)C(=O)[OH:1]"}), (), seed=3)
    assert {p.design.values["ligand"] for p in pinned} == {"CCC(F)(F)C(=O)[OH:1]"}
