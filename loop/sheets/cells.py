"""What a person types into a cell: numbers with decimal commas, units, plus-minus, n/a, dates."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta

from loop import units

NOTHING = {"", "n/a", "na", "n.a.", "nan", "none", "null", "-", "--", "#n/a", "n.d.", "nd", "?"}
SPACES = re.compile("[\\s\u00a0\u2009\u202f]+")
NUMBER = re.compile(r"[+-]?(?:\d[\d.,'\u2019]*|[.,]\d+)(?:[eE][+-]?\d+)?")
EXCEL_EPOCH = date(1899, 12, 30)
MONTH = re.compile(r"(?i)\b(jan|feb|mar|mrz|mär|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\b")


class CellError(ValueError):
    """A cell cannot be read; the message quotes it and says what to write."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the unit wanted, and the error typed behind a plus-minus sign, if any."""

    value: float
    error: float | None = None


def is_nothing(text: str) -> bool:
    """True for an empty cell and for the usual ways to say that there is no value."""
    return text.strip().lower() in NOTHING


def read_quantity(text: str, unit: str, wanted: str, *, decimal_comma: bool = False) -> Quantity:
    """A cell such as `3.3`, `3,3`, `3.3 GPa` or `3.3 +- 0.2 GPa` in a column of `unit`, expressed in `wanted`.

    `decimal_comma` says that the sheet comes from a place where 1,234 means 1.234; otherwise that cell is refused as
    ambiguous. Raises CellError.
    """
    value, error, given = taken_apart(text, unit, decimal_comma=decimal_comma)
    try:
        converted = in_unit(value, given, wanted)
        spread = None if error is None else width_in_unit(error, given, wanted)
    except units.UnitError:
        raise CellError(f"{text!r}: {given!r} is no unit that fits {wanted!r}") from None
    if not math.isfinite(converted) or not math.isfinite(spread or 0.0):
        raise CellError(f"{text!r} is not a finite number")
    return Quantity(converted, spread)


def read_error(text: str, unit: str, wanted: str, *, decimal_comma: bool = False) -> float:
    """A cell that holds a standard uncertainty; an interval, so that 1 degC is 1 K. Raises CellError."""
    width, error, given = taken_apart(text, unit, decimal_comma=decimal_comma)
    if error is not None or width < 0:
        raise CellError(f"{text!r}: an error is one number, not negative")
    try:
        converted = width_in_unit(width, given, wanted)
    except units.UnitError:
        raise CellError(f"{text!r}: {given!r} is no unit that fits {wanted!r}") from None
    if not math.isfinite(converted):
        raise CellError(f"{text!r} is not a finite number")
    return converted


def taken_apart(text: str, unit: str, *, decimal_comma: bool) -> tuple[float, float | None, str]:
    """(number, error behind a plus-minus sign, unit): `unit` where the cell names none."""
    value, rest = leading_number(tidy(text), text, decimal_comma=decimal_comma)
    error: float | None = None
    if match := re.match(r"\s*(?:±|\+/-|\+-)\s*", rest):
        error, rest = leading_number(rest[match.end() :], text, decimal_comma=decimal_comma)
        if error < 0:
            raise CellError(f"{text!r}: an error is one number, not negative")
    return value, error, rest.strip().strip("[]()").strip() or unit


def in_unit(value: float, given: str, wanted: str) -> float:
    """A converted value, without the dust of binary fractions: twelve digits."""
    return value if given == wanted else float(f"{units.convert(value, spelled(given), wanted):.12g}")


def width_in_unit(width: float, given: str, wanted: str) -> float:
    """A converted error: an interval, so that one of 1 degC is 1 K."""
    if given == wanted:
        return width
    zero, end = (units.convert(value, spelled(given), wanted) for value in (0.0, width))
    return float(f"{end - zero:.12g}")


def spelled(unit: str) -> str:
    return "percent" if unit == "%" else unit


def tidy(text: str) -> str:
    """One kind of minus sign, no spaces inside numbers, none around."""
    plain = text.strip().replace("\u2212", "-").replace("\u2013", "-")
    plain = SPACES.sub(" ", plain)
    return re.sub(r"(?<=\d) (?=\d{3}(?:\D|$))", "", plain)


def leading_number(plain: str, text: str, *, decimal_comma: bool) -> tuple[float, str]:
    """The number at the start of `plain` and what follows it; `text` is what an error quotes."""
    match = NUMBER.match(plain)
    if match is None or (plain[match.end() :] and plain[match.end()].isdigit()):
        raise CellError(f"{text!r} is not a number{hint(plain)}")
    digits, rest = match.group(), plain[match.end() :]
    if re.match(r"[-/:]\s?\d", rest) or MONTH.search(rest):
        raise CellError(f"{text!r} is not a number{hint(plain)}")
    return plain_number(digits, text, decimal_comma=decimal_comma), rest


def hint(plain: str) -> str:
    if MONTH.search(plain) or re.fullmatch(r"\d+[-/.]\d+[-/.]\d+.*", plain):
        return "; the spreadsheet seems to have made a date of it, format the column as number"
    if plain[:1] in "<>~":
        return "; a bound is no value, put it into the notes and write n/a"
    if plain[:1] == "=":
        return "; a formula without a result, write the value"
    return "; write a number, or n/a where there is none"


def plain_number(digits: str, text: str, *, decimal_comma: bool) -> float:
    """A number whose comma may be decimal and whose dots, commas and apostrophes may group thousands."""
    mantissa, _, exponent = digits.replace("'", "").replace("\u2019", "").lower().partition("e")
    commas, dots = mantissa.count(","), mantissa.count(".")
    if commas and dots:
        decimal = "," if mantissa.rfind(",") > mantissa.rfind(".") else "."
        group = "." if decimal == "," else ","
        if mantissa.count(decimal) > 1 or not grouped(mantissa.partition(decimal)[0], group):
            raise CellError(f"{text!r} is not a number; write it with a decimal point")
        mantissa = mantissa.replace(group, "").replace(decimal, ".")
    elif commas > 1 or dots > 1:
        sign = "," if commas else "."
        if not grouped(mantissa, sign):
            raise CellError(f"{text!r} is not a number; write it with a decimal point")
        mantissa = mantissa.replace(sign, "")
    elif commas == 1:
        if not decimal_comma and re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", mantissa):
            raise CellError(
                f"{text!r} may mean {mantissa.replace(',', '.')} or {mantissa.replace(',', '')}; "
                "write it with a decimal point"
            )
        mantissa = mantissa.replace(",", ".")
    return float(f"{mantissa}e{exponent}" if exponent else mantissa)


def grouped(mantissa: str, group: str) -> bool:
    return re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", mantissa) is not None


def read_date(text: str) -> str:
    """An ISO date; a spreadsheet's day number, 3.4.2026 and a time behind the date are understood. Raises CellError."""
    plain = text.strip()
    if not plain:
        return ""
    if re.fullmatch(r"\d{5}(?:\.\d+)?", plain):
        return (EXCEL_EPOCH + timedelta(days=int(float(plain)))).isoformat()
    try:
        if match := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[T ])", plain):
            year, month, day = map(int, match.groups())
            return date(year, month, day).isoformat()
        if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", plain):
            day, month, year = map(int, match.groups())
            return date(year, month, day).isoformat()
    except ValueError as error:
        raise CellError(f"{text!r} is not a date: {error}") from error
    raise CellError(f"{text!r} is not a date; write it as 2026-04-03")
