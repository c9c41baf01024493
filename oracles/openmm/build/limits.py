"""A value within its limits, as a check."""

from __future__ import annotations

from loop.types import Check, Value


def within(name: str, value: Value, low: float, high: float, unit: str) -> Check:
    passed = not isinstance(value, str) and low <= value <= high
    limit = low if not isinstance(value, str) and value < low else high
    detail = "" if passed else f"{name} must lie in [{low:g}, {high:g}] {'' if unit == '1' else unit}".rstrip()
    return Check(name, passed, value, limit, unit, detail)
