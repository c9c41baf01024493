"""What the oracle can simulate and what not: the tables that `loop materials` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oracles.openmm.build.feasible_particle import neutral_densities
from oracles.openmm.build.feasible_surface import bare_charge, neutral_density
from oracles.openmm.build.hydroxyls import count, hydroxyl_charge
from oracles.openmm.build.particle import build_particle
from oracles.openmm.build.size import SIZES
from oracles.openmm.build.slab import build_slab
from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue

SIZE = SIZES["screen"]
UNITS = {"hydroxyl_sites": "1/nm^2", "open_metals": "1/nm^2"}
UNITS |= {f"neutral_{model}": "1/nm^2" for model in oxides.MODELS} | {f"dq_{model}": "e" for model in oxides.MODELS}
RADIUS = 1.5
PARTICLE_UNITS = {"radius": "nm", "hydroxyl_sites": "1/nm^2", "neutral_from": "1/nm^2", "neutral_to": "1/nm^2"}


def materials() -> dict[str, Any]:
    """Tables by name, each `rows` (mappings of the same keys) and `units`.

    Oxides: the densities of oxygens that take a hydrogen and of metals that lack an oxygen, on one face; by oxide model
    the density of hydroxyls that leaves the face neutral, or nearest to it, and the charge per metal that is then left.
    Particles: of one radius, which hydroxyl densities some number of oxygens makes neutral.
    """
    return {
        "oxides": {"units": UNITS, "rows": [row for name in catalogue.data("oxides") for row in _surfaces(name)]},
        "particles": {"units": PARTICLE_UNITS, "rows": list(_particles())},
        "polymers": {"units": {}, "rows": list(_plain(catalogue.data("polymers")))},
        "ligands": {"units": {}, "rows": list(_plain(catalogue.data("ligands")["ligands"]))},
        "unsupported": {
            "units": {},
            "rows": [
                {"what": name, "why": why}
                for table in catalogue.data("unsupported").values()
                for name, why in table.items()
            ],
        },
    }


def _surfaces(oxide: str) -> Iterator[dict[str, Any]]:
    """The surfaces of an oxide."""
    crystal = catalogue.oxide(oxide)
    for facet, surface in crystal["facets"].items():
        for termination in surface["ends"]:
            slab = build_slab(oxide, facet, termination, SIZE.lateral, SIZE.slab_thickness)
            row: dict[str, Any] = {
                "oxide": oxide,
                "formula": crystal["formula"],
                "facet": facet,
                "termination": termination,
                "hydroxyl_sites": round(len(slab.upper) / slab.area, 2),
                "open_metals": round(len(slab.open_metals) / 2 / slab.area, 2),
            }
            for model in oxides.MODELS:
                row[f"neutral_{model}"] = row[f"dq_{model}"] = None
                if oxide in catalogue.data(model)["metals"]:
                    charge = bare_charge(slab, model)
                    density = neutral_density(charge, slab.area, len(slab.upper), model)
                    left = charge + 2 * hydroxyl_charge(model) * count(density, slab.area)
                    row[f"neutral_{model}"] = round(density, 2) + 0.0
                    row[f"dq_{model}"] = round(-left / len(slab.metals), 3) + 0.0
            yield row


def _particles() -> Iterator[dict[str, Any]]:
    """Whole particles of a middling radius."""
    for oxide in catalogue.data("oxides"):
        model = next(name for name in oxides.MODELS if oxide in catalogue.data(name)["metals"])
        full = build_particle(oxide, RADIUS)
        low, high = neutral_densities(full, model)
        yield {
            "oxide": oxide,
            "formula": catalogue.oxide(oxide)["formula"],
            "radius": RADIUS,
            "metals": len(full.metals),
            "hydroxyl_sites": round(len(full.exposed) / full.area, 2),
            "neutral_from": round(low, 2),
            "neutral_to": round(high, 2),
        }


def _plain(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of a table of materials with what can be told in words: words, numbers, lists of them and the names
    in a mapping of mappings."""
    told = {name: {key: _told(value) for key, value in entry.items()} for name, entry in table.items()}
    keys = {key: None for entry in told.values() for key, value in entry.items() if value is not None}
    for name, entry in told.items():
        yield {"name": name, **{key: entry.get(key) for key in keys}}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return list(value) if value and all(isinstance(inner, Mapping) for inner in value.values()) else None
    return value
