"""Masked decoding against the constraints it must respect."""

from __future__ import annotations

import numpy as np

from generators.decoding import Decoder, decoding_order
from generators.encoding import Encoding
from generators.network import Heads
from loop.space import Constraint, Range, Space
from loop.types import Parameter

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
    designs = Decoder(ENCODING).draw(indifferent(2000), np.random.default_rng(0))
    broken = [design for design in designs if SPACE.violations(design)]
    unmasked = Decoder(ENCODING, masked=False).draw(indifferent(2000), np.random.default_rng(0))
    assert broken == []
    assert sum(bool(SPACE.violations(design)) for design in unmasked) > 300
    assert {d.values["facet"] for d in designs if d.values["oxide"] == "silica"} == {"111"}
    assert {d.values["density"] for d in designs if d.values["ligand"] == "none"} == {0.0}
    assert len({tuple(d.values[n] for n in ("ligand", "facet", "oxide")) for d in designs}) == 11  # 3 + 9 - 1


def test_pins_are_decoded_first_and_mask_the_rest() -> None:
    designs = Decoder(ENCODING, {"facet": "110", "density": 1.0}).draw(indifferent(500), np.random.default_rng(0))
    assert "none" not in {d.values["ligand"] for d in designs}
    kept = [d for d in designs if not SPACE.violations(d) and d.values["facet"] == "110"]
    assert len(kept) > 400  # acid leaves no oxide for this facet: such draws are repeated, three times at most
    assert {(d.values["density"], d.values["oxide"], d.values["ligand"]) for d in kept} == {(1.0, "magnetite", "amine")}


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
        designs = Decoder(Encoding(space)).draw(heads, np.random.default_rng(0))
        assert {(d.values["ligand"], d.values["density"]) for d in designs} == wanted


def test_constraints_in_a_circle_do_not_hang() -> None:
    circle = Space(
        [Parameter("a", "choices", ("0", "1")), Parameter("b", "choices", ("0", "1"))],
        [Constraint("ab", {"a": ("0",)}, {"b": ("0",)}), Constraint("ba", {"b": ("0",)}, {"a": ("0",)})],
    )
    heads = Heads(np.zeros((200, 2, 2)), np.zeros((200, 0)), np.zeros((200, 0)))
    designs = Decoder(Encoding(circle)).draw(heads, np.random.default_rng(0))
    assert {tuple(d.values.values()) for d in designs} == {("0", "0"), ("1", "1")}
