"""Units at the edges: everything inside is canonical, everything a person writes or reads names its unit."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

LONGEST = 80
NUMBER_TO_A_POWER = re.compile(r"[\d.][\s)]*(?:\*\*|\^|[⁰¹²³⁴-⁹])|(?:\*\*|\^)[\s(+-]*\d{3}|[⁰¹²³⁴-⁹]{3}")
"""Text such as 9**9**9, which pint would work out for ever; units need small powers of names only."""


class UnitError(ValueError):
    """A unit is unknown or does not fit. The message names both units."""


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def convert(value: float, unit: str, wanted: str) -> float:
    """`value` given in `unit`, expressed in `wanted`; "1" is dimensionless. Raises UnitError."""
    if unit == wanted:
        return value
    try:
        return float(_registry().Quantity(value, _spelled(unit)).to(_spelled(wanted)).magnitude)
    except _unreadable() as error:
        raise UnitError(f"cannot convert {unit!r} to {wanted!r}: {error}") from error


def parse(text: str | float, wanted: str) -> float:
    """A quantity such as `10 min`, `300 K` or a bare number (already in `wanted`), expressed in `wanted`."""
    if isinstance(text, int | float):
        return float(text)
    try:
        quantity = _registry().Quantity(_judged(text))
    except _unreadable() as error:
        raise UnitError(f"{text!r} is not a quantity: {error}") from error
    if quantity.unitless:
        return float(quantity.magnitude)
    try:
        return float(quantity.to(_spelled(wanted)).magnitude)
    except _unreadable() as error:
        raise UnitError(f"cannot read {text!r} in {wanted!r}: {error}") from error


def _unreadable() -> tuple[type[Exception], ...]:
    """What pint raises for text that is no quantity: its own errors, and those of its expression parser."""
    import pint

    return pint.errors.PintError, ArithmeticError, AssertionError, AttributeError, TypeError, ValueError


def _spelled(unit: str) -> str:
    return "dimensionless" if unit == "1" else _judged(unit)


def _judged(text: str) -> str:
    if len(text) > LONGEST or NUMBER_TO_A_POWER.search(text):
        raise UnitError(f"{text[:LONGEST]!r} is too long, or has a power of a number or a power above 99")
    return text
