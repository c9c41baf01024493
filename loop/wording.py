"""Numbers and names as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from loop.types import Design, Estimate, Objective, Parameter

SCIENTIFIC_ABOVE, SCIENTIFIC_BELOW = 1e6, 1e-3


def plus_minus(mean: float, error: float | None) -> str:
    """`12.3 ± 0.4`: as many digits as two significant ones of the error give; `12.34` where there is no error."""
    if not error:
        return f"{mean:.4g}"
    if not SCIENTIFIC_BELOW <= max(abs(mean), error) < SCIENTIFIC_ABOVE:
        return f"{mean:.3g} ± {error:.2g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{mean:.{decimals}f} ± {error:.{decimals}f}"


def estimate(value: Estimate, error: float | None) -> str:
    """`12.3 ± 0.4 mJ/m²`."""
    return f"{plus_minus(value.mean, error)} {shown(value.unit)}".rstrip()


def shown(unit: str) -> str:
    """`mJ/m²` for `mJ/m^2`; nothing for a pure number."""
    return "" if unit == "1" else unit.replace("^2", "²").replace("^3", "³")


def label(property: str, unit: str = "1") -> str:
    """`adhesion energy [mJ/m²]`."""
    name = property.replace("_", " ")
    return name if unit == "1" else f"{name} [{shown(unit)}]"


def goal(objective: Objective) -> str:
    """`maximize adhesion energy [mJ/m²], at least 60`, `keep adhesion energy [mJ/m²], at least 60`."""
    words = f"{objective.goal} {label(objective.property, objective.unit)}"
    if objective.goal == "target":
        words = f"bring {label(objective.property, objective.unit)} to {objective.target:g}"
    if objective.constrains:
        words = f"keep {label(objective.property, objective.unit)}"
    if objective.threshold is not None:
        limit = "at most" if objective.falls else "at least"
        words += f", {limit} {objective.threshold:g}"
    return words


def choices_made(design: Design, free: tuple[Parameter, ...]) -> dict[str, str]:
    """The values of the parameters that can vary, with units."""
    return {p.name: f"{value(design.values.get(p.name))} {shown(p.unit)}".rstrip() for p in free}


def value(cell: str | int | float | None) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def in_words(design: Design, free: tuple[Parameter, ...]) -> str:
    """`oxide magnetite, ligand none`, for labels."""
    return ", ".join(f"{name} {text}" for name, text in choices_made(design, free).items())


def counted(numbers: Mapping[str, int]) -> str:
    """`3 improve, 1 learn`."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items())


def moment(at: str) -> str:
    """`2026-05-01 09:30 UTC` for an ISO 8601 time with its offset."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
