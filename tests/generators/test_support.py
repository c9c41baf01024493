"""What a corpus never shows, and how the decoder keeps to it."""

from __future__ import annotations

import json

import numpy as np

from generators.decoding import Decoder
from generators.encoding import Encoding
from generators.network import Heads
from generators.support import NOTHING, Support, learn_support
from loop.space import Space
from loop.types import Check, Design, Parameter

FACETS = {"magnetite": ("001", "111"), "hematite": ("001",), "silica": ("110",)}
ROOM = {"amine": 3.0, "acid": 1.5}


def buildable(design: Design) -> list[Check]:
    """Code that a decoder cannot read: facets by oxide, a steric limit, and a rule of three choices at once."""
    v = design.values
    triple = (v["oxide"], v["facet"], v["ligand"]) == ("magnetite", "111", "acid")
    return [
        Check("facet", v["facet"] in FACETS[str(v["oxide"])]),
        Check("room", float(v["density"]) <= ROOM[str(v["ligand"])]),
        Check("triple", not triple),
    ]


SPACE = Space(
    [
        Parameter("oxide", "choices", tuple(FACETS)),
        Parameter("facet", "choices", ("001", "110", "111")),
        Parameter("ligand", "choices", tuple(ROOM)),
        Parameter("density", "real", bounds=(0, 3), step=0.001),
    ],
    checks=[buildable],
)
ENCODING = Encoding(SPACE)
FIELDS = ENCODING.fields(SPACE.sample(2000, seed=1))
SUPPORT = learn_support(FIELDS, ENCODING.sizes)


def test_what_the_rules_forbid_is_what_is_absent() -> None:
    choices = [p.choices for p in ENCODING.categorical]
    absent = {tuple(choices[c][k] for c, k in zip(*pair, strict=True)) for pair in SUPPORT.absent}
    assert {("hematite", "110"), ("hematite", "111"), ("silica", "001"), ("magnetite", "110")} <= absent
    for combination in absent:  # no valid design was held impossible
        assert all(not set(combination) <= set(design.values.values()) for design in SPACE.sample(400, seed=9))
    assert ("magnetite", "111") not in absent


def test_the_ends_of_a_number_are_those_of_its_choice() -> None:
    acid = [(low, high) for columns, choices, of, low, high in SUPPORT.ends if (columns, choices) == ((2,), (1,))]
    assert len(acid) == 1
    assert acid[0][0] <= 0.05
    assert 0.45 <= acid[0][1] <= 0.5  # 1.5 of 3
    assert not [end for end in SUPPORT.ends if end[:2] == ((2,), (0,))]


def test_an_ignorant_decoder_draws_what_the_corpus_shows() -> None:
    n = 1000
    logits = np.zeros((n, 3, 3))
    logits[:, 2, 2] = -np.inf  # two ligands
    heads = Heads(logits, np.full((n, 1), 0.5), np.full((n, 1), 0.4))

    def valid(support: Support) -> float:
        designs = Decoder(ENCODING, support=support).draw(heads, np.random.default_rng(0))
        return float(np.mean([not SPACE.violations(design) for design in designs]))

    assert valid(SUPPORT) > 0.99
    assert valid(NOTHING) < 0.5


def test_independent_fields_have_nothing_absent() -> None:
    space = Space(SPACE.parameters)
    fields = ENCODING.fields(space.sample(500, seed=3))
    assert learn_support(fields, ENCODING.sizes) == NOTHING


def test_through_json_and_back() -> None:
    assert Support.from_facts(json.loads(json.dumps(SUPPORT.facts()))) == SUPPORT
