"""A sandwich film: a rigid oxide slab with polymer filling the gap to the slab's own periodic image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.types import Value
from oracles.openmm.build.assemble import Surface
from oracles.openmm.build.feasible import refuse, with_defaults
from oracles.openmm.build.feasible_chains import chains_of
from oracles.openmm.build.feasible_surface import slab_of
from oracles.openmm.build.geometry import from_planes
from oracles.openmm.build.hydroxyls import add_hydroxyls, count
from oracles.openmm.build.ligands import add_ligands, layer_height, room
from oracles.openmm.build.melt import Melt, melt, place
from oracles.openmm.build.packing import SLACK, Gap, gap_height
from oracles.openmm.build.parts import parts
from oracles.openmm.build.polymers import PVDF_MODELS, polymer
from oracles.openmm.build.sites import blocked
from oracles.openmm.build.size import SIZES, Seeds, Size
from oracles.openmm.build.slab import Slab
from oracles.openmm.build.specimen import CONTACT, Specimen
from oracles.openmm.forcefield.oxides import DEFAULT
from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    import openmm


__all__ = ["SIZES", "Film", "Seeds", "Size", "build_film"]


@dataclass(frozen=True)
class Film(Specimen):
    """A slab, and polymer from its upper face to the lower one's image; pressure moves the box along z only."""

    top: float
    """z of the upper outermost atom plane of the oxide (hydroxyl hydrogens included), nm; polymer starts here ..."""
    bottom: float
    """... and ends at the periodic image of this lower one."""
    area: float
    slab_height: float
    """top - bottom, nm."""
    ligand_height: float
    """nm of the gap, both faces together, that ligands take at the density of their liquid."""

    roughness = 0.0

    @property
    def interface(self) -> float:
        return 2 * self.area

    def cell(self, height: float) -> np.ndarray:
        return np.array([*self.box[:2], height])

    def gap(self, height: float) -> float:
        """nm of the box of a height that are neither slab nor what ligands fill."""
        return height - self.slab_height - self.ligand_height

    def room(self, height: float) -> float:
        return self.area * (self.gap(height) - 2 * CONTACT)

    @property
    def packed_room(self) -> float:
        return self.area * (self.gap(float(self.box[2])) - SLACK)

    def distances(self, x: np.ndarray, heights: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ligands move the plane from which d counts outwards by what they fill of the gap."""
        top = self.top + self.ligand_height / 2 + moved[:, 2]
        d, sign = from_planes(x[..., 2], top, heights - self.slab_height - self.ligand_height, heights)
        normals = np.zeros_like(x)
        normals[..., 2] = sign
        return d, normals

    def reach(self, height: float) -> tuple[float, float]:
        return -self.ligand_height / 2, self.gap(height) / 2

    def volume(self, d: np.ndarray) -> np.ndarray:
        return self.interface * d

    def rescaled(self, positions: np.ndarray, old: float, new: float) -> np.ndarray:
        """Every chain's centre moves in proportion to the gap; chains end in the image of the gap above the slab."""
        moved = positions.copy()
        top = self.top + float((positions - self.positions)[self.slab[:1], 2].sum())
        gaps = np.array([old, new]) - self.slab_height
        for chain in self.chains:
            centre = positions[chain, 2].mean()
            above = (centre - top - gaps[0] / 2 + old / 2) % old - old / 2
            moved[chain, 2] += top + gaps[1] / 2 + above * gaps[1] / gaps[0] - centre
        return moved

    def barostat(self, temperature: float) -> tuple[openmm.Force, str]:
        import openmm

        along_z = openmm.MonteCarloAnisotropicBarostat
        return along_z(openmm.Vec3(1.0, 1.0, 1.0), temperature, False, False, True, 0), along_z.PressureZ()


def flat(specimen: Specimen) -> Film:
    """The specimen where it is a film. Raises TypeError where it is not: some properties are those of films alone."""
    if isinstance(specimen, Film):
        return specimen
    raise TypeError(f"this property is one of flat films, not of a {type(specimen).__name__}")


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
    surface = surface_of(design, size, seeds.surface, cache, oxide_model)
    density = polymer(str(design["polymer"]), pvdf_model).density(float(design["comonomer_fraction"]))
    melted = melt(design, chains_of(design, size), pvdf_model, seeds.chains, cache)

    bottom, top = planes_of(surface)
    height = gap_height(melted.mass, density, surface.slab.area)
    layer = layer_of(design, surface)
    box = np.array([*surface.slab.lateral, top - bottom + height + 2 * layer])
    gap = Gap(surface.slab.lateral, top + layer, bottom + float(box[2]) - layer)
    placed = place(melted, design, gap, seeds.chains)
    return Film(
        **parts(surface, surface.positions, melted, placed, box, size.cutoff),
        top=top,
        bottom=bottom,
        area=surface.slab.area,
        slab_height=top - bottom,
        ligand_height=2 * layer,
        slab_dipole=surface.slab.dipole(oxide_model),
        provenance=_provenance(design, surface, melted, seeds),
    )


def surface_of(design: Mapping[str, Value], size: Size, seed: int, cache: Path | None, model: str) -> Surface[Slab]:
    """The hydroxylated and grafted slab of a whole, feasible design."""
    slab = slab_of(design, size)
    per_face = count(float(design["hydroxyl_density"]), slab.area)
    if design["ligand"] == catalogue.NO_LIGAND:
        return Surface(slab, add_hydroxyls(slab, per_face, model, seed), model)
    grafts = count(float(design["ligand_density"]), slab.area)
    gap = room(design["ligand"], grafts, slab.area, size.gap)
    ligands = add_ligands(slab, design["ligand"], grafts, gap, seed, cache)
    hydroxyls = add_hydroxyls(slab, per_face, model, seed, blocked(slab, ligands.anchors))
    return Surface(slab, hydroxyls, model, ligands)


def layer_of(design: Mapping[str, Value], surface: Surface[Slab]) -> float:
    """nm that the ligands of one face take."""
    if surface.ligands is None:
        return 0.0
    return layer_height(str(design["ligand"]), len(surface.ligands.anchors) / 2 / surface.slab.area)


def planes_of(surface: Surface[Slab]) -> tuple[float, float]:
    """z of the lowest and highest atom planes; that of hydroxyl hydrogens is one bond beyond the exposed oxygens."""
    slab = surface.slab
    z = slab.positions[:, 2]
    if not len(surface.hydroxyls.oxygens):
        return float(z.min()), float(z.max())
    bond = catalogue.data(surface.model)["hydroxyl_bond"]["length"]
    return float(min(z.min(), z[slab.lower].mean() - bond)), float(max(z.max(), z[slab.upper].mean() + bond))


def _provenance(design: Mapping[str, Value], surface: Surface[Slab], chains: Melt, seeds: Seeds) -> dict[str, Any]:
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
