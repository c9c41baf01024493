"""Says, purely and in microseconds, whether a design can be built and what it would need."""

from __future__ import annotations

from collections.abc import Mapping

from loop.types import Value

MODEL = "clayff"
DEFAULTS: Mapping[str, Value] = {
    "oxide": "magnetite",
    "facet": "001",
    "termination": "auto",
    "hydroxyl_density": 4.0,
    "ligand": "none",
    "ligand_density": 0.0,
    "polymer": "PVDF",
    "comonomer_fraction": 0.0,
    "chain_length": 8,
    "start": "coil",
    "temperature": 400.0,
}


def with_defaults(values: Mapping[str, Value]) -> dict[str, Value]:
    return {**DEFAULTS, **values}
