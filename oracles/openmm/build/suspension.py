"""A whole nanoparticle in a polymer melt: a rigid ball of oxide in a cube that the pressure scales evenly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.types import Value
from oracles.openmm.build.assemble import Surface
from oracles.openmm.build.feasible import refuse, with_defaults
from oracles.openmm.build.feasible_particle import chains_of, gap_of, grafts_of, groups_of, particle_of
from oracles.openmm.build.geometry import from_sphere
from oracles.openmm.build.hollow import ball, hollow_for
from oracles.openmm.build.melt import Melt, melt, place_around
from oracles.openmm.build.packing import SLACK
from oracles.openmm.build.particle import Particle
from oracles.openmm.build.particle_hydroxyls import hydroxylate
from oracles.openmm.build.particle_ligands import add_ligands, layer_thickness
from oracles.openmm.build.parts import parts
from oracles.openmm.build.polymers import PVDF_MODELS, polymer
from oracles.openmm.build.size import Seeds, Size
from oracles.openmm.build.specimen import CONTACT, Specimen
from oracles.openmm.forcefield.oxides import DEFAULT
from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    import openmm


@dataclass(frozen=True)
class Suspension(Specimen):
    """A particle in the middle of a cube, polymer around it; pressure moves all three edges alike.

    Areas are those of the sphere of the particle's `radius`, on which its exposed oxygens lie on average. Distances
    are counted from the sphere of its outermost atoms, `reaching` nm from the centre: one hydroxyl bond farther out
    where there are hydroxyls, and beyond that what ligands fill, `ligand_layer` nm. `depth` is how far the innermost
    exposed oxygen lies below that. `slab_dipole` is that of oxide and hydroxyls, and of the ligands with their charge
    where they are bound, at a radius of 1 nm with the same field at its surface: divided by the radius cubed.
    """

    centre: np.ndarray
    """(3,) nm."""
    radius: float
    reaching: float
    ligand_layer: float
    depth: float

    @property
    def interface(self) -> float:
        return float(4 * np.pi * self.radius**2)

    @property
    def roughness(self) -> float:
        return self.depth

    def cell(self, height: float) -> np.ndarray:
        return np.full(3, height)

    def room(self, height: float) -> float:
        return height**3 - ball(self.reaching + CONTACT)

    @property
    def packed_room(self) -> float:
        return float((self.box[2] - SLACK) ** 3 - ball(self.reaching))

    def distances(self, x: np.ndarray, heights: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return from_sphere(x, self.centre + moved, self.reaching, heights)

    def reach(self, height: float) -> tuple[float, float]:
        return -self.ligand_layer, height / 2 - self.reaching

    def volume(self, d: np.ndarray) -> np.ndarray:
        return np.asarray(ball(1.0) * ((self.reaching + d) ** 3 - self.reaching**3))

    def rescaled(self, positions: np.ndarray, old: float, new: float) -> np.ndarray:
        """Every chain's centre moves in proportion to its distance from the particle's; chains end in their nearest
        image to it."""
        moved = positions.copy()
        centre = self.centre + positions[self.slab[0]] - self.positions[self.slab[0]]
        for chain in self.chains:
            own = positions[chain].mean(axis=0)
            apart = own - centre
            apart = apart - np.round(apart / old) * old
            moved[chain] += centre + apart * new / old - own
        return moved

    def barostat(self, temperature: float) -> tuple[openmm.Force, str]:
        import openmm

        return openmm.MonteCarloBarostat(1.0, temperature, 0), openmm.MonteCarloBarostat.Pressure()


def build_suspension(
    values: Mapping[str, Value],
    size: Size,
    seeds: Seeds,
    cache: Path | None = None,
    oxide_model: str = DEFAULT,
    pvdf_model: str = PVDF_MODELS[0],
) -> Suspension:
    """Build the suspension of a design; arguments and errors as of `film.build_film`."""
    design = with_defaults(values)
    refuse(design, size, oxide_model, pvdf_model)
    surface = _surface(design, size, seeds.surface, cache, oxide_model)
    particle, ligands = surface.slab, surface.ligands
    melted = melt(design, chains_of(design, size), pvdf_model, seeds.chains, cache)
    density = polymer(str(design["polymer"]), pvdf_model).density(float(design["comonomer_fraction"]))
    shells = np.linalg.norm(particle.positions[particle.exposed], axis=1)
    bond = float(catalogue.data(oxide_model)["hydroxyl_bond"]["length"]) if len(surface.hydroxyls.oxygens) else 0.0
    bare = float(shells.mean()) + bond
    layer = 0.0 if ligands is None else layer_thickness(design["ligand"], len(ligands.anchors), bare)
    hollow = hollow_for(melted.mass, density, bare + layer)
    at = surface.positions + hollow.middle
    grafted = at[len(at) - (0 if ligands is None else len(ligands.elements)) :]
    placed = place_around(melted, design, replace(hollow, obstacles=grafted), seeds.chains)
    box = np.full(3, hollow.edge)
    return Suspension(
        **parts(surface, at, melted, placed, box, size.cutoff),
        slab_dipole=float(np.linalg.norm(_moment(surface))) / particle.radius**3,
        provenance=_provenance(design, surface, particle, melted, seeds),
        centre=hollow.middle,
        radius=particle.radius,
        reaching=bare + layer,
        ligand_layer=layer,
        depth=bare + layer - float(shells.min()),
    )


def _surface(design: Mapping[str, Value], size: Size, seed: int, cache: Path | None, model: str) -> Surface[Particle]:
    particle, number = particle_of(design, model), grafts_of(design)
    if not number:
        return Surface(particle, hydroxylate(particle, groups_of(design), model, seed), model)
    ligands = add_ligands(particle, design["ligand"], number, gap_of(design, size), seed, cache)
    return Surface(particle, hydroxylate(particle, groups_of(design), model, seed, ligands.anchors), model, ligands)


def _moment(surface: Surface[Particle]) -> np.ndarray:
    """(3,) e nm of oxide and hydroxyls, the charge of each ligand counted on its anchors: it may turn."""
    ligands = surface.ligands
    if ligands is None:
        return np.asarray(surface.charges @ surface.positions)
    own = len(ligands.elements)
    anchors = surface.slab.positions[ligands.anchors].mean(axis=1).sum(axis=0)
    moment = surface.charges[:-own] @ surface.positions[:-own]
    return np.asarray(moment + ligands.charges.sum() / len(ligands.anchors) * anchors)


def _provenance(
    design: Mapping[str, Value], surface: Surface[Particle], particle: Particle, chains: Melt, seeds: Seeds
) -> dict[str, Any]:
    hydroxyls = len(surface.hydroxyls.oxygens)
    metals = len(particle.metals)
    return {
        "design": dict(design),
        "oxide_model": surface.model,
        **chains.provenance(),
        "particle": {
            "radius_nm": particle.radius,
            "metals": metals,
            "oxygens": len(particle.elements) - metals,
            "exposed_oxygens": len(particle.exposed),
            "fewest_oxygens_of_a_metal": int(particle.coordination[particle.metals].min()),
        },
        "neutralisation": "oxygens left out, the rest of the charge spread over all metal atoms",
        "dq_e_per_metal": surface.dq,
        "hydroxyls": hydroxyls,
        "hydroxyl_density_per_nm2": hydroxyls / particle.area,
        "atoms": {"slab": len(particle.elements), "hydroxyl_hydrogens": hydroxyls},
        **_grafted(surface),
        "seeds": asdict(seeds),
        "packages": {name: version(name) for name in ("openmm", "ase", "rdkit", "numpy")},
    }


def _grafted(surface: Surface[Particle]) -> dict[str, Any]:
    ligands = surface.ligands
    if ligands is None:
        return {}
    return {
        "ligand": ligands.provenance(),
        "ligands": len(ligands.anchors),
        "ligand_density_per_nm2": len(ligands.anchors) / surface.slab.area,
        "anchor_charge_e": float(surface.charges[ligands.anchors].mean()),
    }
