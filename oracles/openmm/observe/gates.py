"""Physical tests a run must pass before any number of it is believed.

A gate that fails turns the run into a typed failure. A flag never fails: where its limit is exceeded it is recorded as
passed and flagged. Normal ranges were measured on some sixty films.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loop.types import Cause, Check
from oracles.openmm.observe.statistics import MAX_DISCARD, MIN_N_EFF, Equilibration, inefficiency, relaxed

MAX_FORCE = 5000.0
"""kJ/mol/nm on a mobile atom after minimisation; 70 to 1100 is normal."""
MAX_CHARGE = 1e-4
"""e in all."""
MAX_DQ = 0.25
"""e per metal atom; beyond it the neutralising charge, not the surface, is what the polymer feels."""
FLAG_DQ = 0.10
MAX_SLAB_DIPOLE = 0.05
"""e nm along z of a film, where a symmetric termination stays below 0.013; of a particle over its radius cubed."""
MAX_STRETCH, FLAG_STRETCH = 1.25, 1.20
MAX_DRIFT = 1.0
"""kT per ns and degree of freedom at constant energy; 0.1 to 0.3 is normal at 4 fs."""
MAX_SLAB_DISTORTION = 1e-4
"""nm."""
MAX_DEPTH = 0.2
"""nm a monomer's centre may lie inside a surface without ligands."""
MIN_LAYER = 1.0
"""Monomers in the first layer on average; below it the dipole of the layer is not defined."""
FILM_DIPOLE = 0.3
"""D per monomer along z over the whole film; more is an artefact of packing."""
DENSITY_RATIO = (0.75, 1.1)
"""Film density over the density the chains were packed for."""
HEIGHT_SLOPE = 0.005
"""Relative change of the box height over the second half of its relaxation at 1 bar."""

FLUORINE_CONTACTS = 0.25
"""Fluorines within 0.22 nm of a metal, per nm^2 of interface. Hydroxylated ends have none and bare ones 0.1 to 2."""

CAUSES: dict[str, Cause] = {
    "max_force": "unphysical",
    "forces_agree": "infrastructure",
    "total_charge": "infeasible",
    "dq": "infeasible",
    "slab_dipole": "infeasible",
    "temperature": "unphysical",
    "bond_stretch": "unphysical",
    "energy_drift": "unphysical",
    "slab_rigid": "unphysical",
    "polymer_outside_slab": "unphysical",
    "first_layer": "unconverged",
}
"""What a failed gate is called, by the gate's name."""


@dataclass(frozen=True, slots=True)
class Interfaces:
    """A per-interface quantity (frames,) at the lower and the upper interface of the gap."""

    lower: np.ndarray
    upper: np.ndarray


def gate(name: str, value: float, limit: float, unit: str = "1", detail: str = "") -> Check:
    """Passed where |value| is finite and at most `limit`."""
    return Check(name, bool(np.isfinite(value) and abs(value) <= limit), float(value), limit, unit, detail)


def flag(name: str, raised: bool, value: float, limit: float | str, unit: str, detail: str) -> Check:
    """Passed in any case, and flagged where raised; `detail` says what that means."""
    return Check(name, True, float(value), limit, unit, detail if raised else "", flagged=bool(raised))


def max_force(value: float) -> Check:
    return gate("max_force", value, MAX_FORCE, "kJ/mol/nm", "largest force on a mobile atom after minimisation")


def charges(total: float, dq: float, slab_dipole: float) -> list[Check]:
    """Neutrality of the film, the charge spread over its metal atoms, and the slab's dipole along z."""
    return [
        gate("total_charge", total, MAX_CHARGE, "e"),
        gate("dq", dq, MAX_DQ, "e", "choose a hydroxyl density nearer the neutral one"),
        flag("dq_small", abs(dq) > FLAG_DQ, dq, FLAG_DQ, "e", "neutralised by a large charge per metal atom"),
        gate("slab_dipole", slab_dipole, MAX_SLAB_DIPOLE, "e nm", "the oxide is not balanced about its middle"),
    ]


def temperature(series: np.ndarray, target: float, freedom: int, samples: float) -> Check:
    """Mean kinetic temperature (frames,) K within 4 standard errors of the target, and within 5 % of it by 2 of them.

    Of `freedom` degrees the temperature scatters by T sqrt(2 / freedom); `samples` are the independent ones in the run,
    its length times the thermostat's friction, which is how fast the total energy forgets. The series' own correlation
    is too short a story in a few picoseconds.
    """
    mean = float(series.mean())
    se = target * np.sqrt(2 / freedom) / np.sqrt(max(samples, 1.0))
    limit = float(min(4 * se, 0.05 * target + 2 * se))
    return gate("temperature", mean - target, limit, "K", f"mean {mean:.1f} K, wanted {target:.1f} K")


def bond_stretch(stretch: np.ndarray) -> list[Check]:
    """Longest unconstrained bond over its rest length, lengths averaged over production (bonds,)."""
    worst = float(stretch.max(initial=0.0))
    return [
        gate("bond_stretch", worst, MAX_STRETCH, detail="a bond is being torn"),
        flag("bond_strain", worst > FLAG_STRETCH, worst, FLAG_STRETCH, "1", "a bond is under strain"),
    ]


def slab_rigid(before: np.ndarray, now: np.ndarray) -> Check:
    """The slab (atoms, 3) nm may move as a whole but not change shape."""
    distortion = np.abs((now - now[0]) - (before - before[0])).max()
    return gate("slab_rigid", float(distortion), MAX_SLAB_DISTORTION, "nm")


def energy_drift(times: np.ndarray, energies: np.ndarray, freedom: int, kT: float) -> Check:
    """Slope of the total energy (kJ/mol) over time (ps) at constant energy, in kT per ns and degree of freedom.

    Not passed where it is above the limit by more than three standard errors: over one picosecond of a small film the
    energy's own fluctuation alone looks like 2 kT/ns, over four like 0.3.
    """
    scale = 1000 / (kT * freedom)
    slope, start = np.polyfit(times, energies, 1)
    residual = energies - (slope * times + start)
    se = residual.std() * np.sqrt(inefficiency(residual) / len(times)) / times.std()
    limit = MAX_DRIFT + 3 * scale * float(se)
    return gate("energy_drift", scale * float(slope), limit, "kT/ns", "per degree of freedom, thermostat off")


def polymer_outside_slab(deepest: np.ndarray, ligands: bool) -> Check:
    """No monomer centre deeper than 0.2 nm inside the surface in any frame; among ligands it may be."""
    depth = max(0.0, -float(deepest.min()))
    if ligands:
        return Check("polymer_outside_slab", True, depth, None, "nm", "not limited among ligands")
    return gate("polymer_outside_slab", depth, MAX_DEPTH, "nm")


def first_layer(count: np.ndarray) -> Check:
    """At least one monomer in the first layer on average: else its dipole is not defined."""
    mean = float(count.mean())
    return Check(
        "first_layer",
        mean >= MIN_LAYER,
        mean,
        MIN_LAYER,
        "1",
        "" if mean >= MIN_LAYER else "too few monomers near the surface to speak of their dipole",
    )


def film_dipole(series: np.ndarray) -> Check:
    mean = float(series.mean())
    return flag("film_dipole", abs(mean) > FILM_DIPOLE, mean, FILM_DIPOLE, "D", "the packing is polarised as a whole")


def density(film: float, packed: float) -> Check:
    low, high = DENSITY_RATIO
    ratio = film / packed
    return flag(
        "density",
        not low <= ratio <= high,
        ratio,
        f"{low}..{high}",
        "1",
        "far from the density it was packed for",
    )


def height_slope(heights: np.ndarray) -> Check:
    """Relative change of the box height (samples,) over the second half of its relaxation at 1 bar."""
    half = relaxed(heights)
    slope = float(np.polyfit(np.arange(len(half)), half, 1)[0]) * (len(half) - 1) / float(half.mean())
    return flag(
        "height_slope", abs(slope) > HEIGHT_SLOPE, slope, HEIGHT_SLOPE, "1", "the height of the film still drifts"
    )


def equilibration(run: Equilibration) -> Check:
    return flag(
        "equilibration",
        not run.settled,
        run.fraction,
        MAX_DISCARD,
        "1",
        f"interaction energy settled after {run.fraction:.0%} with {run.n_eff:.0f} uncorrelated samples "
        f"(wanted: at most {MAX_DISCARD:.0%}, at least {MIN_N_EFF:.0f}); errors are widened",
    )


def fluorine_contacts(per_area: float) -> Check:
    """Contacts of fluorine and bare metal (1/nm^2), which fixed charges overrate."""
    return flag(
        "fluorine_on_metal",
        per_area > FLUORINE_CONTACTS,
        per_area,
        FLUORINE_CONTACTS,
        "1/nm^2",
        "fluorine sits on bare metal closer than nature allows: adhesion is too strong; hydroxylate the surface",
    )


def interfaces_agree(name: str, sides: Interfaces) -> Check:
    """The two interfaces of one film, or halves of a particle, differ by less than three standard deviations of a
    frame."""
    apart = abs(float(sides.lower.mean() - sides.upper.mean()))
    spread = 3 * float(np.sqrt((sides.lower.var() + sides.upper.var()) / 2))
    meaning = "the two interfaces of the film, or halves of the particle, disagree"
    return flag(f"interfaces_{name}", apart > spread, apart, spread, "1", meaning)
