"""The materials that films are made of, read from the data files beside this module (each number with its source)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

AUTO = "auto"
NO_LIGAND = "none"


class UnknownMaterial(ValueError):
    """A name that the catalogue does not have. The message names those it has."""


@cache
def data(name: str) -> Mapping[str, Any]:
    """The content of `materials/<name>.yaml`."""
    from ruamel.yaml import YAML

    text = (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)
    return loaded


def entry(kind: str, table: Mapping[str, Any], name: object) -> Any:
    """`table[name]`. Raises UnknownMaterial."""
    if name not in table:
        raise UnknownMaterial(f"{kind} {name!r} is not in the catalogue, which has {', '.join(table)}")
    return table[str(name)]


def oxide(name: object) -> Mapping[str, Any]:
    """Crystal and surfaces of an oxide. Raises UnknownMaterial, with the reason where one is known."""
    missing = data("unsupported")["oxides"]
    if name in missing:
        raise UnknownMaterial(f"oxide {name!r} is not in the catalogue: {missing[str(name)]}")
    return entry("oxide", data("oxides"), name)  # type: ignore[no-any-return]


def polymer(name: object) -> Mapping[str, Any]:
    """Repeat unit, density and conformations of a polymer. Raises UnknownMaterial."""
    return entry("polymer", data("polymers"), name)  # type: ignore[no-any-return]


def ligands() -> Mapping[str, Any]:
    """SMILES of the ligands that have a name (`none` is not one)."""
    return data("ligands")["ligands"]  # type: ignore[no-any-return]


def heads() -> Mapping[str, Any]:
    """Head groups by which ligands bind: pattern, geometry, charges."""
    return data("ligands")["heads"]  # type: ignore[no-any-return]


def anchor() -> Mapping[str, Any]:
    """How ligands are bound to a surface's oxygens, whatever the ligand."""
    return data("ligands")["anchor"]  # type: ignore[no-any-return]


def facet_name(oxide_name: object, facet: object) -> str:
    """The catalogue's name of a facet: three indices hkl of a hexagonal oxide are its hkil with i = -(h + k). Raises
    UnknownMaterial."""
    facets = oxide(oxide_name)["facets"]
    four = re.sub(r"^(\d)(\d)(\d)$", lambda m: f"{m[1]}{m[2]}{-int(m[1]) - int(m[2])}{m[3]}", str(facet))
    name = four if four in facets else facet
    entry(f"facet of {oxide_name}", facets, name)
    return str(name)


def termination_name(oxide_name: object, facet: object, termination: object) -> str:
    """The catalogue's name of a termination: `auto` is the facet's first. Raises UnknownMaterial."""
    ends = oxide(oxide_name)["facets"][facet_name(oxide_name, facet)]["ends"]
    if termination == AUTO:
        return str(next(iter(ends)))
    entry(f"termination of {oxide_name} ({facet})", ends, termination)
    return str(termination)


def end(oxide_name: str, facet: str, termination: str) -> Mapping[str, Any]:
    """`layers` that a termination starts with, the share of its `outermost` layer that is there, and the vectors of its
    surface `cell`. Names are the catalogue's own."""
    surface = oxide(oxide_name)["facets"][facet]
    found = surface["ends"][termination]
    given = found if isinstance(found, Mapping) else {"layers": found}
    return {"outermost": 1.0, "cell": surface["cell"], **given}
