"""Parameters of a molecule from a named force field."""

from __future__ import annotations

from pathlib import Path

from oracles.openmm import byutner_smith
from oracles.openmm.molecules import Molecule
from oracles.openmm.parameters import Parameters


def assign(molecule: Molecule, force_field: str, cache: Path | None = None) -> Parameters:
    """Parameters of a molecule from `byutner-smith` or `sage`; the latter are kept in the folder `cache`."""
    if force_field == "byutner-smith":
        return byutner_smith.assign(molecule)
    raise ValueError(f"unknown force field {force_field!r}")
