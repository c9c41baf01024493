"""Answers kept by the fields that decide them."""

import pytest

from oracles.openmm.build.decided import decided_by
from oracles.openmm.build.feasible import check


def counted():
    asked = []

    @decided_by("polymer", "chain_length")
    def answer(design, model):
        asked.append((dict(design), model))
        return (design["polymer"], design["chain_length"], model)

    return answer, asked


def test_designs_that_share_the_fields_are_judged_once():
    answer, asked = counted()
    for temperature in (300.0, 310.0):
        found = answer({"polymer": "PE", "chain_length": 8, "temperature": temperature}, "sage")
        assert found == ("PE", 8, "sage")
    assert asked == [({"polymer": "PE", "chain_length": 8}, "sage")]


def test_another_field_or_model_is_another_answer():
    answer, asked = counted()
    assert answer({"polymer": "PE", "chain_length": 8}, "sage")[2] == "sage"
    assert answer({"polymer": "PE", "chain_length": 8}, "other")[2] == "other"
    assert answer({"polymer": "PEO", "chain_length": 8}, "sage")[0] == "PEO"
    assert len(asked) == 3


def test_equal_numbers_of_two_kinds_are_told_apart():
    answer, _ = counted()
    for length in (8, 8.0):
        assert repr(answer({"polymer": "PE", "chain_length": length}, "sage")[1]) == repr(length)


def test_a_refusal_is_no_answer():
    answer, asked = counted()
    with pytest.raises(KeyError, match="polymer"):
        answer({"chain_length": 8}, "sage")
    assert not asked


def test_the_value_in_a_check_is_the_design_s_own():
    for length in (8, 8.0, 60, 60.0):
        (found,) = (c for c in check({"chain_length": length}, "screen") if c.name == "chain_length")
        assert repr(found.value) == repr(length)
        assert found.passed == (length < 48)
