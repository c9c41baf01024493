"""Static permittivity of the polymer in the gap, from the fluctuations of its dipole moment.

A film under 3-D PME is a stack of layers in a conducting (tin-foil) medium: an applied field fixes the mean field of
the cell. With m the dipole of the polymer and M that of everything that moves (hydroxyl hydrogens and ligands too),

    in plane   eps_par      = 1 + cov(m, M) / (eps0 kT A h)
    normal     1 / eps_perp = 1 - [cov(m_z, M_z) / (eps0 kT A h)] / [1 + var(M_z) / (eps0 kT A Lz)]

over the gap of height h in the cell A Lz. Along the layers the field is the same everywhere; across them it is the
displacement that is, so that 1/eps adds up, and the denominator takes off the field of the film's periodic images:
without it, or with the bulk's formula, the oxide would count as polymer. Ballenegger & Hansen, J. Chem. Phys. 2005,
122, 114711; Stern & Feller, J. Chem. Phys. 2003, 118, 3401; for 3-D tin-foil sums Schlaich, Knapp & Netz, Phys. Rev.
Lett. 2016, 117, 048001.

Along the normal the inverse is reported, because it is what is measured: its error is finite where eps_perp's is not.
The rigid oxide does not polarise and charges are fixed: the electrons' part (about 2 for these polymers) is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from loop.types import Check, Estimate, Outcome
from oracles.openmm.build.film import flat
from oracles.openmm.constants import FARADAY, GAS_CONSTANT
from oracles.openmm.observe import answer, gates
from oracles.openmm.observe.statistics import MIN_N_EFF, Equilibration, after, estimate, inefficiency

if TYPE_CHECKING:
    from oracles.openmm.simulate.replica import Replica
    from oracles.openmm.simulate.segments import Journal

PERMITTIVITY = "permittivity"
PROPERTIES: Mapping[str, str] = {PERMITTIVITY: "1", "inverse_permittivity_normal": "1"}
EPSILON0 = 0.0552634936
"""e/(V nm): 8.8541878e-12 F/m."""
FEWEST = 2.0
"""Uncorrelated samples that the correction for a run's own mean supposes at least."""


def respond(replica: Replica, journal: Journal) -> Outcome:
    """Both properties of a finished replica from its production."""
    film, series = flat(replica.film), journal.series(replica.fidelity.production.name)
    run = answer.settled(series)
    polymer, mobile = (after(series[name], run) for name in ("polymer_moment", "mobile_moment"))
    height = float(series["height"][-1])
    found = permittivity(polymer, mobile, replica.temperature, film.area, film.gap(height), height, run)
    return Outcome(found, (sampled(mobile),))


def permittivity(
    polymer: np.ndarray,
    mobile: np.ndarray,
    temperature: float,
    area: float,
    gap: float,
    height: float,
    run: Equilibration,
) -> dict[str, Estimate]:
    """Both properties from the moments (frames, 3) e nm of the polymer, in a `gap` nm of a cell of `area` nm^2 and
    `height` nm, and of all that moves.

    Errors are those of one run, a lower bound: replicates decide.
    """
    scale = FARADAY / (EPSILON0 * GAS_CONSTANT * temperature * area)
    response = scale / gap * np.stack([products(polymer[:, k], mobile[:, k]) for k in range(3)])
    whole = scale / height * products(mobile[:, 2], mobile[:, 2])
    screening = 1 + whole.mean()
    # linear in both averages about their values, so that the mean is the property and the scatter gives its error
    normal = 1 - response[2] / screening + response[2].mean() * (whole - whole.mean()) / screening**2
    rest = replace(run, start=0.0)
    return {
        PERMITTIVITY: estimate(1 + response[:2].mean(axis=0), "1", rest),
        "inverse_permittivity_normal": estimate(normal, "1", rest),
    }


def products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(frames,) whose mean is the covariance of two series (frames,). A run's own mean lies nearer to its values than
    the true one does: corrected as n/(n - 1) with the uncorrelated samples n."""
    n = max(FEWEST, independent(b))
    return np.asarray((a - a.mean()) * (b - b.mean()) * n / (n - 1))


def independent(series: np.ndarray) -> float:
    """Uncorrelated samples in `series` (frames,)."""
    return len(series) / inefficiency(series)


def sampled(mobile: np.ndarray) -> Check:
    """Has the dipole (frames, 3) turned often enough for its fluctuation to mean anything?"""
    fewest = min(independent(mobile[:, k]) for k in range(3))
    return gates.flag(
        "permittivity_sampled",
        fewest < MIN_N_EFF,
        fewest,
        MIN_N_EFF,
        "1",
        "the chains' dipole has hardly turned: the permittivity is a lower bound",
    )
