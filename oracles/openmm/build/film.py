"""A sandwich film: a rigid oxide slab with polymer filling the gap to the slab's own periodic image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.types import Value
from oracles.openmm.build.assemble import Surface, build_flexible, build_system, build_topology
from oracles.openmm.build.feasible import refuse, with_defaults
from oracles.openmm.build.feasible_chains import chains_of
from oracles.openmm.build.feasible_surface import slab_of
from oracles.openmm.build.hydroxyls import add_hydroxyls, count
from oracles.openmm.build.ligands import add_ligands, layer_height, room
from oracles.openmm.build.melt import Melt, melt, place
from oracles.openmm.build.packing import Gap, gap_height
from oracles.openmm.build.perception import turning_runs
from oracles.openmm.build.polymers import PVDF_MODELS, polymer
from oracles.openmm.build.sites import blocked
from oracles.openmm.build.size import SIZES, Seeds, Size
from oracles.openmm.forcefield.oxides import DEFAULT
from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    import openmm


__all__ = ["SIZES", "Film", "Seeds", "Size", "build_film"]


@dataclass(frozen=True)
class Film:
    """Everything a simulation needs; lengths nm, charges e.

    `system` holds the full force field: bonded forces in group 0, one NonbondedForce (PME) in group 1, hydrogens of
    organic molecules at 3 amu (taken from their heavy atom) with X-H bonds constrained, slab atoms (a ligand's anchors
    are some) of mass 0, hydroxyl hydrogens at 16 amu; zero-stiffness bonds make the slab one molecule for a barostat.
    `flexible` has the same atoms without constraints and without nonbonded force: what a push-off adds its soft
    repulsion to.
    """

    system: openmm.System
    flexible: openmm.System
    topology: openmm.app.Topology
    positions: np.ndarray
    """(N, 3) nm, molecules whole."""
    box: np.ndarray
    """(3,) nm, orthogonal."""
    slab: np.ndarray
    """Indices of the frozen atoms."""
    surface: np.ndarray
    """Slab, hydroxyl hydrogens and ligands."""
    polymer: np.ndarray
    chains: tuple[np.ndarray, ...]
    """Atoms of each chain."""
    monomers: tuple[np.ndarray, ...]
    """Atoms of each repeat unit (end groups belong to the end units), chain by chain."""
    backbones: tuple[np.ndarray, ...]
    """Backbone atoms of each chain, in order; cut where a dihedral would turn about a bond that cannot, as in rings."""
    top: float
    """z of the upper outermost atom plane of the oxide (hydroxyl hydrogens included), nm; polymer starts here ..."""
    bottom: float
    """... and ends at the periodic image of this lower one."""
    area: float
    slab_height: float
    """top - bottom, nm."""
    ligand_height: float
    """nm of the gap, both faces together, that ligands take at the density of their liquid."""
    dq: float
    """e added to every metal atom to make the surface neutral."""
    slab_dipole: float
    """e nm along z of the oxide without hydroxyls and ligands, whose pattern is random."""
    provenance: Mapping[str, Any]
    """Oxide model, force fields, termination, realised densities, counts, seeds, package versions (JSON values)."""


def build_film(
    values: Mapping[str, Value],
    size: Size,
    seeds: Seeds,
    cache: Path | None = None,
    oxide_model: str = DEFAULT,
    pvdf_model: str = PVDF_MODELS[0],
) -> Film:
    """Build the film of a design; `cache` is where assigned force-field parameters are kept (default: user cache),
    `pvdf_model` the force field of plain PVDF.

    Raises OracleFailure("infeasible", ...) for a design that `feasible.check` refuses or whose chains do not fit.
    """
    design = with_defaults(values)
    refuse(design, size, oxide_model, pvdf_model)
    surface = _surface(design, size, seeds.surface, cache, oxide_model)
    density = polymer(str(design["polymer"]), pvdf_model).density(float(design["comonomer_fraction"]))
    chains = chains_of(design, size)
    melted = melt(design, chains, pvdf_model, seeds.chains, cache)

    bottom, top = _planes(surface)
    height = gap_height(melted.mass, density, surface.slab.area)
    layer = _layer(design, surface)
    box = np.array([*surface.slab.lateral, top - bottom + height + 2 * layer])
    gap = Gap(surface.slab.lateral, top + layer, bottom + float(box[2]) - layer)
    placed = place(melted, design, gap, seeds.chains)
    first = len(surface.elements)
    ends = first + np.cumsum([0, *(len(molecule.elements) for molecule in melted.molecules)])
    atoms = [np.arange(low, high) for low, high in pairwise(ends)]
    of_chain = list(zip(melted.molecules, atoms, strict=True))
    return Film(
        system=build_system(surface, melted.members, box, size.cutoff),
        flexible=build_flexible(surface, melted.members, box),
        topology=build_topology(surface, melted.molecules, [melted.polymer.residue] * chains, box),
        positions=np.concatenate([surface.positions, *placed]),
        box=box,
        slab=np.arange(len(surface.slab.elements)),
        surface=np.arange(first),
        polymer=np.concatenate(atoms),
        chains=tuple(atoms),
        monomers=tuple(
            own[molecule.monomer == unit] for molecule, own in of_chain for unit in range(int(design["chain_length"]))
        ),
        backbones=tuple(own[list(run)] for molecule, own in of_chain for run in turning_runs(molecule)),
        top=top,
        bottom=bottom,
        area=surface.slab.area,
        slab_height=top - bottom,
        ligand_height=2 * layer,
        dq=surface.dq,
        slab_dipole=surface.slab.dipole(oxide_model),
        provenance=_provenance(design, surface, melted, seeds),
    )


def _surface(design: Mapping[str, Value], size: Size, seed: int, cache: Path | None, model: str) -> Surface:
    slab = slab_of(design, size)
    per_face = count(float(design["hydroxyl_density"]), slab.area)
    if design["ligand"] == catalogue.NO_LIGAND:
        return Surface(slab, add_hydroxyls(slab, per_face, model, seed), model)
    grafts = count(float(design["ligand_density"]), slab.area)
    gap = room(design["ligand"], grafts, slab.area, size.gap)
    ligands = add_ligands(slab, design["ligand"], grafts, gap, seed, cache)
    hydroxyls = add_hydroxyls(slab, per_face, model, seed, blocked(slab, ligands.anchors))
    return Surface(slab, hydroxyls, model, ligands)


def _layer(design: Mapping[str, Value], surface: Surface) -> float:
    """nm that the ligands of one face take."""
    if surface.ligands is None:
        return 0.0
    return layer_height(str(design["ligand"]), len(surface.ligands.anchors) / 2 / surface.slab.area)


def _planes(surface: Surface) -> tuple[float, float]:
    """z of the lowest and highest atom planes; that of hydroxyl hydrogens is one bond beyond the exposed oxygens."""
    slab = surface.slab
    z = slab.positions[:, 2]
    if not len(surface.hydroxyls.oxygens):
        return float(z.min()), float(z.max())
    bond = catalogue.data(surface.model)["hydroxyl_bond"]["length"]
    return float(min(z.min(), z[slab.lower].mean() - bond)), float(max(z.max(), z[slab.upper].mean() + bond))


def _provenance(design: Mapping[str, Value], surface: Surface, chains: Melt, seeds: Seeds) -> dict[str, Any]:
    slab = surface.slab
    per_face = len(surface.hydroxyls.oxygens) / 2
    ligands = surface.ligands
    grafted: dict[str, Any] = {}
    if ligands is not None:
        grafts = len(ligands.anchors) / 2
        grafted = {
            "ligand": ligands.provenance(),
            "ligands_per_face": int(grafts),
            "ligand_density_per_nm2": grafts / slab.area,
            "anchor_charge_e": float(surface.charges[ligands.anchors].mean()),
        }
    return {
        "design": dict(design),
        "oxide_model": surface.model,
        **chains.provenance(),
        "termination": catalogue.termination_name(design["oxide"], design["facet"], design["termination"]),
        "neutralisation": "residual charge spread over all metal atoms",
        "dq_e_per_metal": surface.dq,
        "hydroxyls_per_face": int(per_face),
        "hydroxyl_density_per_nm2": per_face / slab.area,
        "atoms": {"slab": len(slab.elements), "hydroxyl_hydrogens": len(surface.hydroxyls.oxygens)},
        **grafted,
        "seeds": asdict(seeds),
        "packages": {name: version(name) for name in ("openmm", "ase", "rdkit", "numpy")},
    }
