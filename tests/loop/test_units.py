"""Units convert at the edges, or say why not."""

import pytest

from loop.units import UnitError, convert, parse


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        (1.0, "kJ/mol/nm^2", "mJ/mol/m^2", 1e24),
        (1.0, "D/nm^2", "e/nm", 0.0208194333),
        (25.0, "degC", "K", 298.15),
        (1.0, "g/cm^3", "kg/m^3", 1000.0),
        (5.0, "%", "1", 0.05),
        (2.0, "weird", "weird", 2.0),
    ],
)
def test_convert(value, unit, wanted, expected):
    assert convert(value, unit, wanted) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("text", "wanted", "expected"), [("10 min", "s", 600), ("2h", "s", 7200), (90, "s", 90)])
def test_parse(text, wanted, expected):
    assert parse(text, wanted) == expected


@pytest.mark.parametrize("text", ["10 parsecs", "ten minutes", "3 +", "1/0", ""])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UnitError, match="'"):
        parse(text, "s")


def test_units_that_do_not_fit_are_both_named():
    with pytest.raises(UnitError, match=r"'K' to 'nm'"):
        convert(1.0, "K", "nm")
