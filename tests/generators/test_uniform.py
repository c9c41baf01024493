"""The uniform generator, and listing of small spaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.uniform import Uniform, combinations, listed, pinned_space
from loop.space import Constraint, Space, SpaceError
from loop.types import Check, Condition, Design, Parameter

CRYSTALS = Space(
    [
        Parameter("oxide", "choices", ("magnetite", "silica", "rutile")),
        Parameter("facet", "choices", ("001", "110")),
        Parameter("layers", "integer", bounds=(1, 4)),
        Parameter("temperature", "fixed", (400,)),
    ],
    [Constraint("no silica 110", {"oxide": ("silica",), "facet": ("110",)})],
)


def proposed(space: Space, n: int, condition: Condition | None = None, seed: int = 1) -> list[Design]:
    generator = Uniform()
    generator.fit(space, [], [], seed=0)
    return [p.design for p in generator.propose(n, condition or Condition(), [], seed=seed)]


def test_a_space_with_fewer_valid_designs_than_wanted_gives_them_all() -> None:
    designs = proposed(CRYSTALS, 100)
    assert combinations(CRYSTALS) == 24
    assert len(designs) == len(set(designs)) == 20  # 3 * 2 * 4 less silica 110 at 4 layers
    assert set(designs) == set(listed(CRYSTALS))
    assert len(proposed(CRYSTALS, 7)) == 7
    assert proposed(CRYSTALS, 7) != proposed(CRYSTALS, 7, seed=2)


def test_a_real_is_listed_on_its_grid_with_both_ends() -> None:
    space = Space([Parameter("x", "real", bounds=(0.05, 1.0), step=0.25)])
    assert [d.values["x"] for d in listed(space)] == [0.05, 0.25, 0.5, 0.75, 1.0]


def test_pins_are_kept_and_rules_with_them() -> None:
    designs = proposed(CRYSTALS, 50, Condition(pins={"facet": "110"}))
    assert len(designs) == 8
    assert {d.values["facet"] for d in designs} == {"110"}
    assert {d.values["oxide"] for d in designs} == {"magnetite", "rutile"}


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ({"oxide": "gold"}, "oxide: pinned to 'gold'"),
        ({"layers": 9}, "layers: pinned to 9"),
        ({"colour": "red"}, "unknown parameter 'colour'"),
        ({"oxide": "silica", "facet": "110"}, r"no valid design .*no silica 110"),
    ],
)
def test_a_pin_that_cannot_be_is_named(pins: dict[str, str | int], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        proposed(CRYSTALS, 3, Condition(pins=pins))


def test_oracle_checks_hold_in_a_pinned_space() -> None:
    def thin(design: Design) -> list[Check]:
        return [Check("thin", design.values["layers"] <= 2)]

    judged = CRYSTALS.with_checks([thin])
    assert len(listed(judged)) == 10
    assert len(listed(pinned_space(judged, {"oxide": "rutile"}))) == 4


def test_a_large_space_is_sampled_not_listed() -> None:
    space = Space([Parameter(f"c{i}", "choices", tuple("abcdefgh")) for i in range(10)])  # 8^10 = 1.07e9
    assert combinations(space) == 8**10
    assert len(set(proposed(space, 300))) == 300


def test_no_valid_design_is_an_error_that_names_the_rules() -> None:
    space = Space(CRYSTALS.parameters, [Constraint("nothing", {"temperature": (400,)})])
    with pytest.raises(SpaceError, match="nothing"):
        proposed(space, 3)


def test_save_and_load(tmp_path: Path) -> None:
    generator = Uniform()
    digest = generator.save(tmp_path)
    assert len(digest) == 64
    generator.load(tmp_path)
    (tmp_path / "model.json").unlink()
    with pytest.raises(ValueError, match="not a readable model"):
        generator.load(tmp_path)
