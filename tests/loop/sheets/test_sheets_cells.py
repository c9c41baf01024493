"""The parser of typed numbers: what people write, what must be refused, and round trips of any number."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.sheets.cells import CellError, Quantity, is_nothing, read_date, read_error, read_quantity

READ = {
    "3.3": 3.3, "3,3": 3.3, " 3.3 ": 3.3, "+3.3": 3.3, "-3,3": -3.3, "−3.2": -3.2, "–3.2": -3.2,
    ".5": 0.5, ",5": 0.5, "3": 3.0, "1e-3": 1e-3, "1E5": 1e5, "2,5e2": 250.0, "0,123": 0.123, "-0,500": -0.5,
    "1234,567": 1234.567, "1.234,5": 1234.5, "1,234.5": 1234.5, "1 234,5": 1234.5, "1\u202f234,5": 1234.5,
    "1'234.5": 1234.5, "1,234,567": 1234567.0, "1.234.567": 1234567.0, "1.234": 1.234,
    "3.3 GPa": 3.3, "3,3GPa": 3.3, "3300 MPa": 3.3, "3.3 [GPa]": 3.3, "3.3 (GPa)": 3.3,
}  # fmt: skip

REFUSED = {
    "1,234": "'1,234' may mean 1.234 or 1234; write it with a decimal point",
    "abc": "'abc' is not a number; write a number, or n/a where there is none",
    "<0.1": "'<0.1' is not a number; a bound is no value, put it into the notes and write n/a",
    "~3": "'~3' is not a number; a bound is no value, put it into the notes and write n/a",
    "03-Mar": "'03-Mar' is not a number; the spreadsheet seems to have made a date of it, format the column as number",
    "3. Mrz": "'3. Mrz' is not a number; the spreadsheet seems to have made a date of it, format the column as number",
    "2026-03-03": "'2026-03-03' is not a number; "
    "the spreadsheet seems to have made a date of it, format the column as number",
    "=A1*2": "'=A1*2' is not a number; a formula without a result, write the value",
    "#DIV/0!": "'#DIV/0!' is not a number; write a number, or n/a where there is none",
    "inf": "'inf' is not a number; write a number, or n/a where there is none",
    "1e999": "'1e999' is not a finite number",
    "3.3.3": "'3.3.3' is not a number; write it with a decimal point",
    "1,23,4": "'1,23,4' is not a number; write it with a decimal point",
    "5 K": "'5 K': 'K' is no unit that fits 'GPa'",
    "3.3 x": "'3.3 x': 'x' is no unit that fits 'GPa'",
    "3 4": "'3 4': '4' is no unit that fits 'GPa'",
    "3.3 ± -0.1": "'3.3 ± -0.1': an error is one number, not negative",
    "3 9**9**9": "'3 9**9**9': '9**9**9' is no unit that fits 'GPa'",
}


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_numbers_as_people_write_them(text, value):
    assert read_quantity(text, "GPa", "GPa") == Quantity(value)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_what_is_no_number_is_refused_with_a_cure(text, message):
    with pytest.raises(CellError) as caught:
        read_quantity(text, "GPa", "GPa")
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["3.3 ± 0.2", "3.3±0.2 GPa", "3,3 +/- 0,2", "3.3 +- 0.2GPa", "3300 ± 200 MPa"])
def test_value_and_error_in_one_cell(text):
    assert read_quantity(text, "GPa", "GPa") == Quantity(3.3, 0.2)


def test_units_of_the_column_and_of_the_cell():
    assert read_quantity("45 %", "1", "1") == Quantity(0.45)
    assert read_quantity("45", "%", "1") == Quantity(0.45)
    assert read_quantity("20 ± 1", "degC", "K") == Quantity(293.15, 1.0)
    assert read_error("2", "degC", "K") == 2.0
    assert read_error("200 MPa", "GPa", "GPa") == 0.2
    with pytest.raises(CellError, match="an error is one number, not negative"):
        read_error("-0.1", "GPa", "GPa")


def test_a_decimal_comma_place_settles_the_ambiguity():
    assert read_quantity("1,234", "GPa", "GPa", decimal_comma=True) == Quantity(1.234)


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_exactly(number):
    assert read_quantity(repr(number), "1", "1").value == number


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_decimal_comma_and_groups_say_the_same_as_the_plain_number(whole, cents):
    plain = f"{whole}.{cents:02d}"
    english = f"{whole:,}.{cents:02d}"
    german = english.translate(str.maketrans(",.", ".,"))
    french = english.replace(",", "\u202f").replace(".", ",")
    values = [read_quantity(text, "1", "1").value for text in (plain, english, german, french)]
    assert values == [float(plain)] * 4


@settings(derandomize=True, deadline=None)
@given(st.floats(-1e6, 1e6), st.sampled_from([("GPa", "MPa", 1e3), ("mJ/m^2", "J/m^2", 1e-3), ("1", "percent", 100.0)]))
def test_a_typed_unit_scales(number, units):
    wanted, typed, factor = units
    assert math.isclose(
        read_quantity(f"{number * factor!r} {typed}", wanted, wanted).value, number, rel_tol=1e-9, abs_tol=1e-9
    )


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_refused(text):
    try:
        quantity = read_quantity(text, "GPa", "GPa")
    except CellError:
        return
    assert math.isfinite(quantity.value)
    assert quantity.error is None or quantity.error >= 0


@pytest.mark.parametrize("text", ["", " ", "n/a", "N/A", "na", "NaN", "-", "none", "#N/A"])
def test_ways_to_say_nothing(text):
    assert is_nothing(text)


@pytest.mark.parametrize(
    "text", ["2026-04-03", "2026-4-3", "3.4.2026", "03.04.2026", "2026-04-03T00:00:00", "2026-04-03 09:30", "46115"]
)
def test_dates_as_people_and_spreadsheets_write_them(text):
    assert read_date(text) == "2026-04-03"


@pytest.mark.parametrize("text", ["4/3/2026", "3 April", "31.2.2026", "2026-13-01", "soon"])
def test_dates_that_are_none_or_ambiguous_are_refused(text):
    with pytest.raises(CellError, match=r"is not a date"):
        read_date(text)


def test_no_date_is_no_fault():
    assert read_date(" ") == ""
