"""Says, purely and in microseconds, whether a design can be built and what it would need instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from loop.types import Check, OracleFailure, Value
from oracles.openmm.build.decided import decided_by
from oracles.openmm.build.feasible_chains import chain_atoms, chain_checks, own_fraction, polymer_checks
from oracles.openmm.build.feasible_ligands import grafts, ligand_atoms
from oracles.openmm.build.feasible_particle import particle_atoms, particle_checks, radius_check, whole_particle
from oracles.openmm.build.feasible_surface import slab_of, surface_checks
from oracles.openmm.build.heads import ligand
from oracles.openmm.build.hydroxyls import count
from oracles.openmm.build.limits import within
from oracles.openmm.build.polymers import PVDF_MODELS
from oracles.openmm.build.size import SIZES, Size
from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue

TEMPERATURES = (200.0, 700.0)
"""K; 4 fs steps and the force fields are tested in this range."""
DEFAULTS: Mapping[str, Value] = {
    "oxide": "magnetite",
    "facet": "001",
    "termination": catalogue.AUTO,
    "hydroxyl_density": 4.0,
    "ligand": catalogue.NO_LIGAND,
    "ligand_density": 0.0,
    "polymer": "PVDF",
    "comonomer_fraction": 0.0,
    "arrangement": "random",
    "tacticity": catalogue.AUTO,
    "head_to_head": 0.0,
    "chain_length": 8,
    "start": "coil",
    "temperature": 400.0,
    "particle_radius": 0.0,
}
"""What a design that does not name a parameter has; `comonomer_fraction` is the copolymer's own. A `particle_radius` of
0 is a flat film; to a whole particle facet and termination mean nothing."""
PARTICLES_AT = "production"
"""The one fidelity that has room for a whole particle."""


def with_defaults(values: Mapping[str, Value]) -> dict[str, Value]:
    """The design's values with every parameter the oracle understands."""
    return {**DEFAULTS, **own_fraction(values.get("polymer", DEFAULTS["polymer"])), **values}


def check(
    values: Mapping[str, Value], fidelity: str, oxide_model: str = oxides.DEFAULT, pvdf_model: str = PVDF_MODELS[0]
) -> list[Check]:
    """Every named test of a design at a fidelity and with the models of oxide and PVDF, passed or not; `detail` of one
    that failed names the cure."""
    design = with_defaults(values)
    checks = checks_at(design, SIZES[fidelity], oxide_model, pvdf_model)
    return [*checks, *([_large_enough(design, fidelity)] if whole_particle(design) else [])]


def checks_at(
    design: Mapping[str, Value], size: Size, oxide_model: str = oxides.DEFAULT, pvdf_model: str = PVDF_MODELS[0]
) -> list[Check]:
    """As `check`, for a whole design at a size."""
    checks = [*_names(design, oxide_model), *polymer_checks(design, pvdf_model), *_ranges(design)]
    if not all(c.passed for c in checks):
        return checks
    if whole_particle(design):
        return [*checks, *particle_checks(design, size, oxide_model)]
    return [*checks, *surface_checks(design, size, oxide_model), *chain_checks(design, size)]


def refuse(
    design: Mapping[str, Value], size: Size, oxide_model: str = oxides.DEFAULT, pvdf_model: str = PVDF_MODELS[0]
) -> None:
    """Raises OracleFailure("infeasible", ...) with every test that a whole design fails at a size."""
    failed = [c for c in checks_at(design, size, oxide_model, pvdf_model) if not c.passed]
    if failed:
        reasons = "; ".join(f"{c.name} {c.value}: {c.detail}" for c in failed)
        raise OracleFailure("infeasible", reasons, checks=failed)


def atoms(values: Mapping[str, Value], fidelity: str, oxide_model: str = oxides.DEFAULT) -> int:
    """Atoms of a feasible design's film, or of its particle and the melt around it."""
    design, size = with_defaults(values), SIZES[fidelity]
    if whole_particle(design):
        return particle_atoms(design, size, oxide_model)
    slab = slab_of(design, size)
    hydrogens = 2 * count(float(design["hydroxyl_density"]), slab.area)
    grafted = 2 * grafts(design, slab.area) * ligand_atoms(design["ligand"])
    return len(slab.elements) + hydrogens + grafted + chain_atoms(design, size)


@decided_by("oxide", "facet", "termination", "particle_radius")
def _names(design: Mapping[str, Value], model: str) -> tuple[Check, ...]:
    """Everything the design names is in the catalogue, and its oxide in the oxide model."""
    checks: tuple[Check, ...] = ()
    oxide, facet, termination = design["oxide"], design["facet"], design["termination"]
    resolving: tuple[tuple[str, Callable[[], object]], ...] = (
        ("oxide", lambda: (catalogue.oxide(oxide), oxides.metals(model, str(oxide)))),
        ("facet", lambda: catalogue.facet_name(oxide, facet)),
        ("termination", lambda: catalogue.termination_name(oxide, facet, termination)),
    )
    for name, resolve in resolving[:1] if whole_particle(design) else resolving:
        problem = _problem(resolve)
        checks += (Check(name, problem == "", design[name], detail=problem),)
        if problem:
            return checks
    return checks


def _problem(resolve: Any) -> str:
    try:
        resolve()
    except catalogue.UnknownMaterial as error:
        return str(error)
    return ""


def _ranges(design: Mapping[str, Value]) -> list[Check]:
    checks = [within("temperature", design["temperature"], *TEMPERATURES, "K")]
    bare = design["ligand"] == catalogue.NO_LIGAND
    problem = "" if bare else _problem(lambda: ligand(design["ligand"]))
    checks.append(Check("ligand", problem == "", design["ligand"], detail=problem))
    if bare:
        density = within("ligand_density", design["ligand_density"], 0.0, 0.0, "1/nm^2")
        checks.append(density if density.passed else replace(density, detail=f"{density.detail} where ligand is none"))
    return [*checks, *([radius_check(design)] if whole_particle(design) else [])]


def _large_enough(design: Mapping[str, Value], fidelity: str) -> Check:
    """Whether a fidelity has room for a whole particle."""
    fits = fidelity == PARTICLES_AT
    cure = f"a whole particle is built at {PARTICLES_AT} only; write `fidelity: {PARTICLES_AT}`, or 0 for a flat film"
    return Check("particle_fidelity", fits, fidelity, PARTICLES_AT, detail="" if fits else cure)
