"""A formula written in a campaign: what it reads, what it answers, and what it refuses, with the place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.campaign import load
from loop.errors import BadInput
from loop.testing import check_oracle
from loop.types import Design, OracleFailure, Task
from oracles.expression import BadExpression, Expression
from oracles.formula import FormulaOracle

TABLES = {"wetting": {"PVDF": 30.0, "PE": 0.0}, "length": {"8": 1.0, "12.0": 2.0}}
VALUES = {"polymer": "PVDF", "density": 4.5, "chains": 8, "oxide": "silica"}
CAMPAIGN = """\
name: films
seed: 7
space:
  polymer: {choices: [PVDF, PE]}
  density: {real: [0, 8], unit: 1/nm^2}
objectives:
  - {property: adhesion_energy, goal: maximize, unit: J/m^2, threshold: 0.06}
oracles:
  rule:
    kind: formula
    tables: {wetting: {PVDF: 30, PE: 0}}
    properties:
      adhesion_energy: {expression: "40 + 12*density + wetting[polymer]", unit: mJ/m^2, se: 20}
stop: {evaluations: 4}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("40 + 12*density + wetting[polymer]", 40 + 12 * 4.5 + 30),
        ("-density**2 / (1 + chains)", -(4.5**2) / 9),
        ("2**-1", 0.5),
        ("exp(-density) + log(2) + sqrt(9) + abs(-1) + tanh(1)", math.exp(-4.5) + math.log(2) + 4 + math.tanh(1)),
        ("min(density, 3) + max(1, chains, 2)", 11),
        ("length[chains]", 1.0),
        ("1e-3", 0.001),
    ],
)
def test_expressions_are_worked_out_as_arithmetic_is(text, value):
    assert Expression(text, TABLES)(VALUES) == pytest.approx(value, rel=1e-15)


def test_numbers_find_their_entry_however_they_are_written():
    assert Expression("length[chains]", TABLES)({"chains": 12}) == 2.0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "density.real",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "'a' * 9",
        "density if density else 1",
        "density > 2",
        "wetting['PVDF']",
        "f'{density}'",
        "exp(x=1)",
        "exp(*polymer)",
        "density; 1",
        "1j",
        "True",
        "density & 1",
        "",
        "(" * 300 + "1" + ")" * 300,
        "1+" * 600 + "1",
        "a = 1",
    ],
)
def test_nothing_but_arithmetic_is_read(text):
    with pytest.raises(BadExpression):
        Expression(text, TABLES)


@pytest.mark.parametrize("text", ["9.0**9**9**9", "1/(density - 4.5)", "log(-density)", "(-density)**0.5", "exp(1e4)"])
def test_what_has_no_finite_value_says_so(text):
    with pytest.raises(BadExpression, match="for this design"):
        Expression(text, TABLES)(VALUES)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("densty", "no parameter 'densty'; did you mean density"),
        ("polymer", "polymer is text: give every choice a number"),
        ("wetting[oxide]", "the table wetting has no entry for oxide 'silica'"),
        ("wetting[chans]", "no parameter 'chans'; did you mean chains"),
    ],
)
def test_what_the_design_lacks_is_named(text, fault):
    (found,) = Expression(text, TABLES).faults(VALUES)
    assert fault in found


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(st.sampled_from("0123456789.+-*/()[]densitywexpmax, '_\"\n"), max_size=40))
def test_any_text_is_a_number_or_a_bad_expression(text):
    try:
        assert math.isfinite(Expression(text, TABLES)(VALUES))
    except BadExpression as error:
        assert str(error)


def test_the_plug_in_keeps_its_contract():
    oracle = FormulaOracle(
        {"adhesion_energy": {"expression": "10*wetting[polymer]/density", "unit": "mJ/m^2", "se": 5}}, TABLES
    )
    designs = [Design(VALUES), Design(VALUES | {"density": 0.0}), Design(VALUES | {"polymer": "PEO"})]
    check_oracle(oracle, designs)
    answer = oracle.evaluate(designs[0], Task("t", "d", "rule", "formula", 3, 5), Path())["adhesion_energy"]
    assert (answer.mean, answer.se, answer.unit) == (pytest.approx(300 / 4.5), 5.0, "mJ/m^2")
    with pytest.raises(OracleFailure, match=r"infeasible: .* division by zero"):
        oracle.evaluate(designs[1], Task("t", "d", "rule", "formula", 0, 5), Path())
    assert [check.passed for design in designs for check in oracle.check(design, "formula")] == [True, True, False]


def test_a_campaign_may_have_one(tmp_path):
    path = tmp_path / "films.yaml"
    path.write_text(CAMPAIGN)
    campaign = load(path, thorough=True)
    assert campaign.objectives[0].threshold == pytest.approx(60)
    assert campaign.oracles["rule"].isolation == "inline"


@pytest.mark.parametrize(
    ("good", "bad", "line", "key", "fault"),
    [
        ("12*density", "12*densty.x", 13, "properties.adhesion_energy.expression", "densty.x cannot stand"),
        ("wetting[polymer]", "weting[polymer]", 13, "properties.adhesion_energy.expression", "did you mean wetting"),
        ("se: 20", "se: 0", 13, "properties.adhesion_energy.se", "should be more than 0, not 0: no formula is exact"),
        ("unit: mJ/m^2, se", "unit: mJ/mm^q, se", 13, "properties.adhesion_energy.unit", "is not a quantity"),
        (", se: 20", "", 13, "properties.adhesion_energy", "the key 'se' is missing"),
        (", se: 20", ", se: 20, sd: 3", 13, "properties.adhesion_energy.sd", "there are expression, unit, se"),
        ("PE: 0", "PE: much", 11, "tables.wetting.PE", "should be a number, not 'much'"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path, good, bad, line, key, fault):
    path = tmp_path / "films.yaml"
    path.write_text(CAMPAIGN.replace(good, bad))
    with pytest.raises(BadInput) as error:
        load(path, thorough=False)
    (told,) = error.value.problems
    assert f"films.yaml:{line}:" in told and f": oracles.rule.{key}: " in told and fault in told


def test_the_unit_must_fit_the_objective(tmp_path):
    path = tmp_path / "films.yaml"
    path.write_text(CAMPAIGN.replace("mJ/m^2, se", "nm, se"))
    with pytest.raises(BadInput, match="cannot convert"):
        load(path, thorough=False)


def test_a_parameter_that_is_not_there_is_found_before_anything_runs(tmp_path):
    path = tmp_path / "films.yaml"
    path.write_text(CAMPAIGN.replace("12*density", "12*densty"))
    with pytest.raises(BadInput, match="formula of adhesion_energy: there is no parameter 'densty'"):
        load(path, thorough=True)
