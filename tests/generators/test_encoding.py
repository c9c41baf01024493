"""Designs to rows and back, over random spaces."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.encoding import Encoding
from loop.space import Constraint, Space, SpaceError
from loop.types import Parameter


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Up to six parameters of every kind, and pins of one by another."""
    parameters = []
    for i in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["choices", "integer", "real", "fixed"]))
        name = f"p{i}"
        if kind == "choices":
            values = st.one_of(st.text("abc", min_size=1, max_size=3), st.integers(-3, 3))
            parameters.append(Parameter(name, kind, tuple(draw(st.lists(values, min_size=1, max_size=5, unique=True)))))
        elif kind == "fixed":
            parameters.append(Parameter(name, kind, (draw(st.integers(0, 400)),)))
        elif kind == "integer":
            low = draw(st.integers(-50, 50))
            parameters.append(Parameter(name, kind, bounds=(low, low + draw(st.integers(0, 10**6)))))
        else:
            low, span = draw(st.floats(-1e3, 1e3)), draw(st.floats(1e-3, 1e4))
            step = draw(st.sampled_from([None, span / 7, span / 100]))
            parameters.append(Parameter(name, kind, bounds=(low, low + span), step=step))
    plain = Space(parameters)
    constraints = []
    if len(parameters) > 1 and draw(st.booleans()):
        when, then = parameters[0].name, parameters[1].name
        one, other = plain.sample(1, seed=draw(st.integers(0, 99)))[0], plain.sample(1, seed=1)[0]
        constraints.append(Constraint("pin", {when: (one.values[when],)}, {then: (other.values[then],)}))
    return Space(parameters, constraints)


@settings(max_examples=80)
@given(spaces(), st.integers(0, 2**32))
def test_decoding_an_encoded_design_gives_it_back(space: Space, seed: int) -> None:
    try:
        designs = space.sample(8, seed=seed, max_draws=200)
    except SpaceError:  # a fixed value against a pin
        return
    encoding = Encoding(space)
    rows = encoding.encode(designs)
    assert rows.shape == (len(designs), encoding.width)
    assert ((rows >= 0) & (rows <= 1)).all()
    assert encoding.decode(rows) == designs


def test_the_columns_of_a_small_space() -> None:
    space = Space(
        [
            Parameter("ligand", "choices", ("none", "acid", "amine")),
            Parameter("density", "real", bounds=(0, 4), step=0.5),
            Parameter("length", "integer", bounds=(10, 20)),
            Parameter("temperature", "fixed", (400,)),
        ],
        [Constraint("bare", {"ligand": ("none",)}, {"density": (0,)})],
    )
    bare = space.canonicalise({"ligand": "none", "density": 3, "length": 15})
    full = space.canonicalise({"ligand": "amine", "density": 3, "length": 20})
    encoding = Encoding(space)
    assert encoding.pinnable == ("density",)
    # none, acid, amine | density, length | density free to vary
    assert encoding.encode([bare, full]).tolist() == [[1, 0, 0, 0, 0.5, 0], [0, 0, 1, 0.75, 1, 1]]
    assert encoding.fields([bare]).free_numbers.tolist() == [[False, True]]


def test_rows_between_designs_decode_to_the_nearest() -> None:
    space = Space([Parameter("a", "choices", ("x", "y")), Parameter("n", "integer", bounds=(0, 10))])
    (design,) = Encoding(space).decode(np.array([[0.2, 0.3, 0.68]]))
    assert dict(design.values) == {"a": "y", "n": 7}
