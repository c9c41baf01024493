"""From a finished production run to its numbers: gates judged, estimates with errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from loop.types import Check, Estimate
from oracles.openmm.build.specimen import CONTACT
from oracles.openmm.observe import gates
from oracles.openmm.observe.contacts import fluorine_contacts
from oracles.openmm.observe.observer import element_masses
from oracles.openmm.observe.profiles import G_CM3, amount
from oracles.openmm.observe.statistics import Equilibration, estimate, find_equilibration, inefficiency, ratio, relaxed
from oracles.openmm.simulate.energy import MJ_PER_M2

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen
    from oracles.openmm.simulate.replica import Replica

PROPERTIES: Mapping[str, str] = {
    "adhesion_energy": "mJ/m^2",
    "adhesion_coulomb": "mJ/m^2",
    "adhesion_lj": "mJ/m^2",
    "interphase_dipole": "D",
    "surface_field": "V/nm",
    "aligned_dipole": "D",
    "layer_population": "1/nm^2",
    "closest_approach": "nm",
    "trans_fraction": "1",
    "tt_fraction": "1",
    "film_density": "g/cm^3",
    "interphase_density": "g/cm^3",
    "dq": "e",
}
"""Reported properties and their units; `estimates` says what each one is."""
CHAIN_LAYER = 0.5
"""nm, where the first layer of chains ends: the density's first minimum, 0.5 to 0.65 nm on four surfaces looked at."""


def settled(series: Mapping[str, np.ndarray]) -> Equilibration:
    """Where the run has settled, judged on the interaction energy."""
    return find_equilibration(series["coulomb"] + series["lj"])


def estimates(
    film: Specimen, series: Mapping[str, np.ndarray], heights: np.ndarray, run: Equilibration
) -> dict[str, Estimate]:
    """The reported properties of one replica from its production `series` and the box `heights` (nm) sampled before.

    Written for a film of area A, d counted from its outermost atom planes. Of a whole particle 2A is 4 pi R^2 with R
    the radius of the sphere of its exposed oxygens, d is counted from the sphere of its outermost atoms, s z is the
    radial direction, and densities take the volume outside that sphere.

    - `adhesion_energy`, `adhesion_coulomb`, `adhesion_lj`: -(U(all) - U(polymer) - U(surface)) / 2A, nonbonded energy
      only, over both interfaces of area A, the LJ part with its dispersion beyond the cut-off (`dispersion`), mJ/m^2
      (1 kJ/mol/nm^2 = 1.6605 mJ/m^2);
    - `interphase_dipole`: <s mu_z> over monomers with d < 0.38 nm, D per monomer, mu = sum q_i (r_i - r_com), s the
      outward normal's sign: positive away from the oxide;
    - `surface_field`: <|E|> over the same monomers, E the surface's own field at a monomer: the uniform one that fits
      the surface's Coulomb forces on its atoms best, sum q_i F_i / sum q_i^2, V/nm;
    - `aligned_dipole`: <mu E / |E|> over them, the dipole that the surface turns into its own field, wherever that
      points, D per monomer;
    - `layer_population`: <N(d < 0.38 nm)> / 2A, 1/nm^2;
    - `closest_approach`: 5th percentile of d over all monomers, averaged over frames, nm;
    - `trans_fraction`, `tt_fraction`: backbone dihedrals beyond 120 degrees; neighbouring pairs both so;
    - `film_density`: polymer mass / (A (Lz - slab height - 0.2 nm)), g/cm^3, its error from the last box heights;
    - `interphase_density`: polymer mass with d < 0.5 nm, atoms where they are, / 2A (0.5 - 0.1 nm), g/cm^3;
    - `dq`: charge added to each metal atom to make the surface neutral, e, exact.
    """
    energies = {"energy": series["coulomb"] + series["lj"], "coulomb": series["coulomb"], "lj": series["lj"]}
    return {
        **{f"adhesion_{part}": estimate(-MJ_PER_M2 * e, "mJ/m^2", run) for part, e in energies.items()},
        "interphase_dipole": ratio(series["dipole"], series["count"], "D", run),
        "surface_field": ratio(series["field"], series["near"], "V/nm", run),
        "aligned_dipole": ratio(series["aligned"], series["near"], "D", run),
        "layer_population": estimate(series["count"] / film.interface, "1/nm^2", run),
        "closest_approach": estimate(series["closest"], "nm", run),
        "trans_fraction": estimate(series["trans"], "1", run),
        "tt_fraction": estimate(series["tt"], "1", run),
        "film_density": film_density(film, heights, float(series["height"][-1])),
        "interphase_density": estimate(layer_density(film, series), "g/cm^3", run),
        "dq": Estimate(film.dq, 0.0, "e", method="set by the neutralisation rule"),
    }


def film_density(film: Specimen, heights: np.ndarray, height: float) -> Estimate:
    """Density at the box `height` of production; its error from those of `heights` (samples,) that were averaged."""
    values = np.array([density(film, float(value)) for value in relaxed(heights)])
    n_eff = len(values) / inefficiency(values)
    se = float(values.std(ddof=1)) / np.sqrt(n_eff)
    return Estimate(density(film, height), float(se), "g/cm^3", n_eff, "fluctuation of the box height at 1 bar")


def density(film: Specimen, height: float) -> float:
    """g/cm^3 of polymer in a box of `height` nm, the room of ligands not counted."""
    return G_CM3 * polymer_mass(film) / film.room(height)


def layer_density(film: Specimen, series: Mapping[str, np.ndarray]) -> np.ndarray:
    """(frames,) g/cm^3 of polymer in the first layer of chains."""
    _, middle = film.reach(float(series["height"][-1]))
    (volume,) = np.diff(film.volume(np.array([CONTACT, min(CHAIN_LAYER, middle)])))
    return G_CM3 * amount(film, series, "mass", -np.inf, CHAIN_LAYER) / float(volume)


def packed_density(film: Specimen) -> float:
    """g/cm^3 the chains were packed for."""
    return G_CM3 * polymer_mass(film) / film.packed_room


def polymer_mass(film: Specimen) -> float:
    """amu."""
    return float(element_masses(film)[film.polymer].sum())


def judge(replica: Replica, series: Mapping[str, np.ndarray], run: Equilibration, ligands: bool) -> list[Check]:
    """Gates and flags over the production `series` of a replica."""
    film, production = replica.film, replica.fidelity.production
    count, dipole = (
        gates.Interfaces(series[f"{name}_lower"], series[name] - series[f"{name}_lower"])
        for name in ("count", "dipole")
    )
    memory = production.steps * production.step_fs * 1e-3 * production.friction
    return [
        gates.temperature(series["temperature"], replica.temperature, replica.freedom, memory),
        *gates.bond_stretch(series["stretch"].mean(axis=0)),
        gates.slab_rigid(film.positions[film.slab], series["slab"][-1]),
        gates.polymer_outside_slab(series["deepest"] + film.roughness, ligands),
        gates.first_layer(series["count"]),
        gates.film_dipole(series["film_dipole"]),
        gates.density(density(film, float(series["height"][-1])), packed_density(film)),
        gates.height_slope(replica.heights),
        gates.equilibration(run),
        gates.interfaces_agree("population", count),
        gates.interfaces_agree("dipole", dipole),
        gates.fluorine_contacts(fluorine_contacts(film, series["view"], float(series["height"][-1]))),
    ]
