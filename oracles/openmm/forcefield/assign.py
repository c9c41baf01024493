"""Parameters of a molecule from a named force field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oracles.openmm.build.molecules import Molecule
from oracles.openmm.forcefield import byutner_smith, sage
from oracles.openmm.forcefield.parameters import Parameters, Uncovered
from oracles.openmm.materials import catalogue

__all__ = ["Uncovered", "assign", "assign_all", "sources"]


def assign(molecule: Molecule, force_field: str, cache: Path | None = None) -> Parameters:
    """Parameters of a molecule from `byutner-smith` or `sage`; the latter are kept in the folder `cache`.

    Raises Uncovered.
    """
    return assign_all([molecule], force_field, cache)[0]


def assign_all(molecules: Sequence[Molecule], force_field: str, cache: Path | None = None) -> list[Parameters]:
    """As `assign`, for several molecules: Sage labels those that are new in one go."""
    if force_field == "byutner-smith":
        return [byutner_smith.assign(molecule) for molecule in molecules]
    if force_field == "sage":
        return sage.assign_all(molecules, cache)
    raise ValueError(f"force field {force_field!r} is not known; the known ones are byutner-smith and sage")


def sources(force_field: str) -> dict[str, str]:
    """Where the numbers come from: files, models and package versions, or the paper."""
    if force_field == "sage":
        return sage.sources()
    return {"force_field": force_field, "source": catalogue.data("byutner_smith")["source"]}
