"""Spaces at the edge: tiny, huge, one-sided, contradictory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from generators.cvae import CVAE
from generators.vaegan import VAEGAN
from generators.wgan import WGAN
from loop.space import Constraint, Space, SpaceError
from loop.types import Check, Condition, Design, Parameter, Proposal


def letters(n: int, size: int) -> list[Parameter]:
    return [Parameter(f"c{i}", "choices", tuple("abcdefghij"[:size])) for i in range(n)]


def proposed(space: Space, n: int, incumbents: Sequence[Design] = (), steps: int = 400) -> tuple[CVAE, list[Proposal]]:
    generator = CVAE(corpus=1000, steps=steps)
    generator.fit(space, [], [], seed=1)
    proposals = generator.propose(n, Condition(), incumbents, seed=2)
    assert all(not space.violations(p.design) for p in proposals)
    assert len({p.design for p in proposals}) == len(proposals)
    return generator, proposals


@pytest.fixture(scope="module")
def learnt() -> CVAE:
    generator = CVAE(corpus=1000, steps=400)
    generator.fit(Space(letters(3, 8)), [], [], seed=1)
    return generator


FIXED = Parameter("temperature", "fixed", (400,))
ONE = Parameter("polymer", "choices", ("PVDF",))


@pytest.mark.parametrize(
    ("space", "valid"),
    [
        (Space([FIXED]), 1),
        (Space([FIXED, ONE]), 1),
        (Space([*letters(1, 2), ONE], [Constraint("not b", {"c0": ("b",)})]), 1),
        (Space([*letters(2, 3), FIXED]), 9),
        (Space([Parameter("n", "integer", bounds=(5, 30))]), 26),
        (Space([Parameter("x", "real", bounds=(0, 1), step=0.1)]), 11),
    ],
)
def test_a_tiny_space_is_proposed_whole_and_says_so(space: Space, valid: int) -> None:
    generator, proposals = proposed(space, 50, incumbents=space.sample(1, seed=1))
    assert len(proposals) == valid
    assert "drawn uniformly" in generator.notes[-1]
    assert generator.log_density([p.design for p in proposals]).tolist() == [0.0] * valid


def test_a_small_space_can_be_learnt_and_is_still_proposed_whole(learnt: CVAE) -> None:
    assert learnt.gates is not None
    assert learnt.gates.failed() == ()
    assert len({p.design for p in learnt.propose(600, Condition(), [], seed=2)}) == 512


def test_numbers_only() -> None:
    space = Space([Parameter(f"x{i}", "real", bounds=(0, 10.0**i)) for i in range(3)])
    generator, proposals = proposed(space, 200, incumbents=space.sample(1, seed=1), steps=800)
    assert generator.gates is not None
    assert generator.gates.failed() == ()
    assert {p.generator for p in proposals} == {"cvae:prior", "cvae:incumbent", "uniform"}


def test_a_thousand_million_combinations_that_cannot_be_learnt_fall_back_visibly() -> None:
    space = Space(letters(9, 10))
    generator = CVAE(corpus=500, steps=100)
    generator.fit(space, [], [], seed=1)
    assert generator.gates is not None
    assert generator.gates.reconstruction < 0.98
    assert "no network passed its gates" in generator.notes[-1]
    proposals = generator.propose(100, Condition(), space.sample(2, seed=1), seed=2)
    assert len(proposals) == 100
    assert {p.generator for p in proposals} == {"uniform"}
    assert generator.counts == {"uniform": {"drawn": 100, "valid": 100, "unique": 100}}


@pytest.mark.parametrize("kind", [WGAN, VAEGAN])
def test_other_families_fall_back_as_visibly(kind: type[WGAN] | type[VAEGAN]) -> None:
    space = Space([*letters(2, 3), FIXED])
    generator = kind(corpus=500, steps=100)
    generator.fit(space, [], [], seed=1)
    assert "drawn uniformly" in generator.notes[-1]
    assert len(generator.propose(50, Condition(), space.sample(1, seed=1), seed=2)) == 9
    with pytest.raises(SpaceError, match="c0: pinned to 'z'"):
        generator.propose(5, Condition(pins={"c0": "z"}), [], seed=2)


def test_the_one_valid_design_is_found_where_the_space_can_be_listed() -> None:
    space = Space(letters(3, 8), [Constraint(f"only a in {i}", {f"c{i}": tuple("bcdefgh")}) for i in range(3)])
    generator, proposals = proposed(space, 10)
    assert [dict(p.design.values) for p in proposals] == [{"c0": "a", "c1": "a", "c2": "a"}]
    assert "only 1 valid designs" in generator.notes[-1]
    assert generator.propose(10, Condition(known=frozenset(p.design for p in proposals)), [], seed=2) == []


def test_the_one_valid_design_of_a_thousand_million_is_not_found_and_the_rules_are_named() -> None:
    space = Space(letters(9, 10), [Constraint(f"only a in {i}", {f"c{i}": tuple("bcdefghij")}) for i in range(9)])
    with pytest.raises(SpaceError, match=r"no valid design in 10\d+ draws; refused by only a in \d"):
        CVAE(corpus=500).fit(space, [], [], seed=1)


def test_few_valid_designs_known_to_code_only_fall_back_visibly() -> None:
    """One design in a thousand is valid: too few to learn from, enough to propose."""

    def rare(design: Design) -> list[Check]:
        return [Check("rare", tuple(design.values.values())[:3] == ("a", "a", "a"))]

    generator, proposals = proposed(Space(letters(9, 10), checks=[rare]), 5)
    assert "valid designs to learn from, at least 256 needed; candidates are drawn uniformly" in generator.notes[-1]
    assert 1 <= len(proposals) <= 5


@pytest.mark.slow
def test_a_thousand_million_combinations_are_learnt_by_the_default() -> None:
    generator = CVAE()
    generator.fit(Space(letters(9, 10)), [], [], seed=1)
    assert generator.notes == ()
    proposals = generator.propose(200, Condition(), [], seed=2)
    assert sum(p.generator == "cvae:prior" for p in proposals) == 180


@pytest.mark.parametrize("damage", ["cut", "altered", "no JSON", "other facts", "another family", "missing"])
def test_a_corrupt_snapshot_is_refused_by_name_and_changes_nothing(learnt: CVAE, damage: str, tmp_path: Path) -> None:
    digest = learnt.save(tmp_path)
    tensors, facts = tmp_path / "model.safetensors", tmp_path / "model.json"
    if damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:50])
    elif damage == "altered":
        tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    elif damage == "no JSON":
        facts.write_text(facts.read_text()[:-20])
    elif damage == "other facts":
        facts.write_text(facts.read_text().replace('"c0"', '"c9"'))
    elif damage == "missing":
        facts.unlink()
    with pytest.raises(ValueError, match=r"not a readable model|damaged model|a model of 'cvae', not of 'vaegan'"):
        (VAEGAN(corpus=500) if damage == "another family" else learnt).load(tmp_path)
    assert learnt.digest == digest
    assert len(learnt.propose(20, Condition(), [], seed=2)) == 20


def test_rules_that_contradict_each_other_are_named() -> None:
    rules = [
        Constraint("must be a", {"temperature": (400,)}, {"c0": ("a",)}),
        Constraint("a is forbidden", {"c0": ("a",)}),
    ]
    with pytest.raises(SpaceError, match=r"a is forbidden \(\d+\)"):
        CVAE(corpus=500).fit(Space([*letters(5, 10), FIXED], rules), [], [], seed=1)


def test_no_valid_design_is_an_error_that_names_the_rules() -> None:
    space = Space([*letters(5, 10), FIXED], [Constraint("never", {"temperature": (400,)})])
    with pytest.raises(SpaceError, match="never"):
        CVAE(corpus=500).fit(space, [], [], seed=1)
