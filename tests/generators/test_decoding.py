"""Masked decoding against the constraints it must respect."""

from __future__ import annotations

import numpy as np
import pytest

from generators.decoding import Decoder, decoding_order
from generators.encoding import Encoding
from generators.network import Heads
from loop.space import Constraint, Range, Space
from loop.types import Check, Design, Parameter

SPACE = Space(
    [
        Parameter("density", "real", bounds=(0, 3), step=0.1),
        Parameter("ligand", "choices", ("none", "acid", "amine")),
        Parameter("facet", "choices", ("001", "110", "111")),
        Parameter("oxide", "choices", ("magnetite", "silica")),
    ],
    [
        Constraint("bare", {"ligand": ("none",)}, {"density": (0,)}),
        Constraint("silica faces", {"oxide": ("silica",)}, {"facet": ("111",)}),
        Constraint("crowded", {"ligand": ("amine",)}, {"density": Range(None, 1.5)}),
        Constraint("no acid on magnetite 110", {"oxide": ("magnetite",), "facet": ("110",), "ligand": ("acid",)}),
    ],
)
ENCODING = Encoding(SPACE)


def indifferent(n: int) -> Heads:
    """Heads of a decoder that knows nothing: every choice alike, numbers anywhere."""
    logits = np.zeros((n, 3, 3))
    logits[:, 2, 2] = -np.inf  # oxide has two choices
    return Heads(logits, np.full((n, 1), 0.5), np.full((n, 1), 0.5))


def test_parents_are_decoded_before_what_depends_on_them() -> None:
    order = [step.parameter.name for step in decoding_order(ENCODING, {}, masked=True)]
    assert order.index("oxide") < order.index("facet")
    assert order.index("ligand") < order.index("density")


def test_masked_draws_of_an_ignorant_decoder_break_no_constraint() -> None:
    designs, valid = Decoder(ENCODING, redraws=0).draw(indifferent(2000), np.random.default_rng(0))
    broken = [design for design in designs if SPACE.violations(design)]
    unmasked, _ = Decoder(ENCODING, masked=False).draw(indifferent(2000), np.random.default_rng(0))
    assert broken == []
    assert all(valid)
    assert sum(bool(SPACE.violations(design)) for design in unmasked) > 300
    assert {d.values["facet"] for d in designs if d.values["oxide"] == "silica"} == {"111"}
    assert {d.values["density"] for d in designs if d.values["ligand"] == "none"} == {0.0}
    assert len({tuple(d.values[n] for n in ("ligand", "facet", "oxide")) for d in designs}) == 11  # 3 + 9 - 1


def test_pins_are_decoded_first_and_mask_the_rest() -> None:
    designs, valid = Decoder(ENCODING, {"facet": "110", "density": 1.0}).draw(
        indifferent(500), np.random.default_rng(0)
    )
    assert "none" not in {d.values["ligand"] for d in designs}
    kept = [d for d in designs if not SPACE.violations(d) and d.values["facet"] == "110"]
    assert len(kept) > 480
    assert {(d.values["density"], d.values["oxide"], d.values["ligand"]) for d in kept} == {(1.0, "magnetite", "amine")}
    assert 100 < sum(valid) < 400  # acid leaves no oxide for this facet: such draws are made again


def test_a_number_that_no_draw_allows_goes_to_where_the_rule_ends() -> None:
    """Heads that insist on 3.0 against a rule that ends at 1.5, and on 0.0 against one that begins above 2."""
    space = Space(
        [Parameter("ligand", "choices", ("amine", "silane")), Parameter("density", "real", bounds=(0, 3), step=0.1)],
        [
            Constraint("crowded", {"ligand": ("amine",)}, {"density": Range(None, 1.5)}),
            Constraint("sparse", {"density": Range(None, 2), "ligand": ("silane",)}),
        ],
    )
    for fraction, wanted in ((1.0, {("amine", 1.5), ("silane", 3.0)}), (0.0, {("amine", 0.0), ("silane", 2.1)})):
        heads = Heads(np.zeros((100, 1, 2)), np.full((100, 1), fraction), np.full((100, 1), 1e-3))
        designs, _ = Decoder(Encoding(space)).draw(heads, np.random.default_rng(0))
        assert {(d.values["ligand"], d.values["density"]) for d in designs} == wanted


def test_constraints_in_a_circle_do_not_hang() -> None:
    circle = Space(
        [Parameter("a", "choices", ("0", "1")), Parameter("b", "choices", ("0", "1"))],
        [Constraint("ab", {"a": ("0",)}, {"b": ("0",)}), Constraint("ba", {"b": ("0",)}, {"a": ("0",)})],
    )
    heads = Heads(np.zeros((200, 2, 2)), np.zeros((200, 0)), np.zeros((200, 0)))
    designs, _ = Decoder(Encoding(circle)).draw(heads, np.random.default_rng(0))
    assert {tuple(d.values.values()) for d in designs} == {("0", "0"), ("1", "1")}


def close_and_paired(design: Design) -> list[Check]:
    """Code that no mask can read: numbers that bind each other, and choices that bind each other."""
    v = design.values
    return [
        Check("close", abs(float(v["a"]) - float(v["b"])) <= 0.1),
        Check("paired", v["k"] == v["l"]),
    ]


BOUND = Space(
    [
        *(Parameter(name, "real", bounds=(0, 1), step=0.01) for name in "ab"),
        *(Parameter(name, "choices", tuple("xyz")) for name in "kl"),
    ],
    checks=[close_and_paired],
)


def uneven(n: int, a: float, b: float) -> Heads:
    """Numbers near `a` and `b`, k nearly always x, l anything."""
    logits = np.zeros((n, 2, 3))
    logits[:, 0, 0] = 5.0
    return Heads(logits, np.tile([a, b], (n, 1)), np.full((n, 2), 0.1))


def test_what_only_a_check_knows_is_enforced_on_the_whole_design() -> None:
    decoder = Decoder(Encoding(BOUND))
    designs, valid = decoder.draw(uneven(1000, 0.4, 0.5), np.random.default_rng(1))
    assert all(not BOUND.violations(design) for design in designs)
    # at first, P(|N(0.1, 0.02^0.5)| < 0.1) = 0.42 of the numbers and one in three of the choices
    assert 0.1 < np.mean(valid) < 0.2
    assert np.mean([d.values["k"] == "x" for d in designs]) > 0.8  # the decoder's mind is kept
    assert np.mean([float(d.values["a"]) for d in designs]) == pytest.approx(0.43, abs=0.03)
    assert decoder.draw(uneven(1000, 0.4, 0.5), np.random.default_rng(1)) == (designs, valid)


def test_draws_far_from_anything_valid_are_brought_there_field_by_field() -> None:
    """Numbers 0.5 apart, where 0.1 is allowed: five standard deviations of one of them."""
    designs, valid = Decoder(Encoding(BOUND)).draw(uneven(500, 0.2, 0.7), np.random.default_rng(2))
    assert sum(valid) < 5
    assert np.mean([not BOUND.violations(design) for design in designs]) > 0.8


def test_a_redrawn_number_follows_its_own_distribution_without_the_forbidden_part() -> None:
    space = Space(
        [Parameter("x", "real", bounds=(0, 1)), Parameter("y", "real", bounds=(0, 1))],
        checks=[lambda design: [Check("half", float(design.values["x"]) >= 0.5)]],
    )
    heads = Heads(np.zeros((4000, 0, 1)), np.full((4000, 2), 0.5), np.full((4000, 2), 0.1))
    designs, valid = Decoder(Encoding(space)).draw(heads, np.random.default_rng(3))
    assert np.mean(valid) == pytest.approx(0.5, abs=0.03)
    x = [float(design.values["x"]) - 0.5 for design in designs]
    assert np.mean(x) == pytest.approx(0.1 * (2 / np.pi) ** 0.5, abs=0.004)  # half-normal
    assert np.std([float(design.values["y"]) for design in designs]) == pytest.approx(0.1, abs=0.006)  # left alone


def test_what_cannot_be_made_valid_is_handed_out_and_does_not_hang() -> None:
    never = Space(BOUND.parameters, checks=[lambda design: [Check("never", passed=False)]])
    designs, valid = Decoder(Encoding(never)).draw(uneven(20, 0.5, 0.5), np.random.default_rng(4))
    assert len(designs) == 20
    assert not any(valid)
