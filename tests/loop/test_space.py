"""Space: canonical designs, named rules, sampling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.space import Constraint, Range, Space, SpaceError
from loop.types import Check, Design, Parameter

OXIDE = Parameter("oxide", "choices", ("magnetite", "hematite"))
LIGAND = Parameter("ligand", "choices", ("none", "hexanoate"))
DENSITY = Parameter("ligand_density", "real", bounds=(0, 3), unit="1/nm^2", step=0.1)
LENGTH = Parameter("chain_length", "integer", bounds=(8, 24))
TEMPERATURE = Parameter("temperature", "fixed", (400,), unit="K")
BARE = Constraint("if ligand none then ligand_density 0", {"ligand": ("none",)}, {"ligand_density": (0,)})


def space(*constraints: Constraint) -> Space:
    return Space([OXIDE, LIGAND, DENSITY, LENGTH, TEMPERATURE], constraints)


def test_id_is_the_first_twelve_hex_digits_of_sha256_over_canonical_json():
    # printf '{"a":1,"b":"x"}' | sha256sum
    assert Design({"b": "x", "a": 1}).id == "ecf9e98ec064"


def test_reals_are_rounded_to_their_step_by_exact_decimals():
    design = space().canonicalise(
        {"oxide": "magnetite", "ligand": "hexanoate", "ligand_density": 0.1 + 0.2, "chain_length": 10.4}
    )
    assert design.values["ligand_density"] == 0.3
    assert design.values["chain_length"] == 10
    assert design.values["temperature"] == 400


def test_a_pinned_parameter_takes_its_only_value():
    values = {"oxide": "hematite", "ligand": "none", "ligand_density": 2.0, "chain_length": 8}
    assert space(BARE).canonicalise(values).values["ligand_density"] == 0.0


def test_violations_name_limits_then_constraints_then_checks():
    judged = []

    def polarity(design):
        judged.append(design)
        return [Check("polarity", passed=design.values["chain_length"] < 20)]

    rules = space(Constraint("no long hematite", {"oxide": ("hematite",), "chain_length": Range(low=16)}))
    rules = rules.with_checks([polarity])
    good = {
        "oxide": "magnetite",
        "ligand": "none",
        "ligand_density": 0.0,
        "chain_length": 8,
        "temperature": 400,
    }
    assert rules.violations(Design(good)) == ()
    assert rules.violations(Design(good | {"chain_length": 99})) == ("limits:chain_length",)
    assert rules.violations(Design(good | {"oxide": "hematite", "chain_length": 22})) == ("no long hematite",)
    assert len(judged) == 1, "an oracle is only asked about designs that pass the campaign's own rules"
    assert rules.violations(Design(good | {"chain_length": 22})) == ("polarity",)


def test_sample_is_valid_distinct_and_repeatable():
    rules = space(BARE)
    designs = rules.sample(200, seed=7)
    assert len(set(designs)) == 200
    assert all(not rules.violations(d) for d in designs)
    assert designs == rules.sample(200, seed=7)
    assert designs != rules.sample(200, seed=8)


def test_sample_returns_every_design_of_a_small_space():
    small = Space([OXIDE, LIGAND])
    assert len(small.sample(100, seed=0)) == 4


def test_a_space_of_fixed_values_is_one_design():
    assert [dict(d.values) for d in Space([TEMPERATURE]).sample(5, seed=0)] == [{"temperature": 400}]


def test_an_unreachable_constraint_is_named():
    with pytest.raises(SpaceError, match="refused by nothing is allowed"):
        space(Constraint("nothing is allowed", {"chain_length": Range(low=0)})).sample(3, seed=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"oxyde": "magnetite"}, "unknown parameter 'oxyde'"),
        ({"oxide": "magnetite"}, "ligand: no value given"),
        ({"oxide": "rust"}, "'rust' is not one of magnetite, hematite"),
    ],
)
def test_canonicalise_names_what_is_wrong(values, message):
    with pytest.raises(SpaceError, match=message):
        space().canonicalise(values)


@settings(derandomize=True, deadline=None)
@given(
    density=st.floats(-10, 10), length=st.floats(-100, 100), oxide=st.sampled_from(OXIDE.choices),
    ligand=st.sampled_from(LIGAND.choices),
)  # fmt: skip
def test_canonicalise_is_idempotent_and_lands_inside_the_limits(density, length, oxide, ligand):
    rules = space(BARE)
    values = {"oxide": oxide, "ligand": ligand, "ligand_density": density, "chain_length": length}
    design = rules.canonicalise(values)
    again = rules.canonicalise(design.values)
    assert again == design
    assert again.id == design.id
    assert rules.violations(design) == ()


@settings(derandomize=True, deadline=None)
@given(value=st.floats(0, 1), step=st.sampled_from([0.1, 0.25, 0.05, 1e-3, None]))
def test_every_real_lies_on_its_grid(value, step):
    p = Parameter("x", "real", bounds=(0, 1), step=step)
    x = Space([p]).canonicalise({"x": value}).values["x"]
    grid = step or 1e-3
    assert abs(x / grid - round(x / grid)) < 1e-9
    assert abs(x - value) <= grid / 2 + 1e-12
