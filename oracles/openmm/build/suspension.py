"""A whole nanoparticle in a polymer melt: a rigid ball of oxide in a cube that the pressure scales evenly."""

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
from oracles.openmm.build.feasible_particle import chains_of, groups_of, particle_of
from oracles.openmm.build.geometry import from_sphere
from oracles.openmm.build.hollow import ball, hollow_for
from oracles.openmm.build.melt import Melt, melt, place_around
from oracles.openmm.build.packing import SLACK
from oracles.openmm.build.particle import Particle
from oracles.openmm.build.particle_hydroxyls import hydroxylate
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
    where there are hydroxyls. `depth` is how far the innermost exposed oxygen lies below that. `slab_dipole` is that of
    oxide and hydroxyls at a radius of 1 nm with the same field at its surface: divided by the radius cubed.
    """

    centre: np.ndarray
    """(3,) nm."""
    radius: float
    reaching: float
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
        return 0.0, height / 2 - self.reaching

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
    particle = particle_of(design, oxide_model)
    hydroxyls = hydroxylate(particle, groups_of(design), oxide_model, seeds.surface)
    melted = melt(design, chains_of(design, size), pvdf_model, seeds.chains, cache)
    density = polymer(str(design["polymer"]), pvdf_model).density(float(design["comonomer_fraction"]))
    shells = np.linalg.norm(particle.positions[particle.exposed], axis=1)
    bond = float(catalogue.data(oxide_model)["hydroxyl_bond"]["length"]) if len(hydroxyls.oxygens) else 0.0
    reaching = float(shells.mean()) + bond
    hollow = hollow_for(melted.mass, density, reaching)
    surface = Surface(particle, hydroxyls, oxide_model)
    placed = place_around(melted, design, hollow, seeds.chains)
    box = np.full(3, hollow.edge)
    return Suspension(
        **parts(surface, surface.positions + hollow.middle, melted, placed, box, size.cutoff),
        slab_dipole=float(np.linalg.norm(surface.charges @ surface.positions)) / particle.radius**3,
        provenance=_provenance(design, surface, particle, melted, seeds),
        centre=hollow.middle,
        radius=particle.radius,
        reaching=reaching,
        depth=reaching - float(shells.min()),
    )


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
        "seeds": asdict(seeds),
        "packages": {name: version(name) for name in ("openmm", "ase", "rdkit", "numpy")},
    }
