"""How far the surface reaches into the polymer, and what it changes there, against the middle of the same film.

The middle is the third of the way from surface to image that is farthest from both: beyond 1 nm at `standard`. A film
of `screen` is layers throughout and has none: its density still rises by half between 0.6 and 0.8 nm. With rho(d) the
polymer density over 0.25 nm, half the distance between layers, and rho_mid that of the middle,

    interphase_width          the largest d at which |rho(d) / rho_mid - 1| > 0.05, between bins by interpolation, nm
    interphase_density_ratio  density of the first layer of chains (`answer.layer_density`) over rho_mid
    interphase_trans          fraction of trans dihedrals with d < 0.5 nm less that in the middle

The band of 5 % is a convention, and the width that of the density alone: the stiffness of polystyrene about silica is
raised up to 1.4 nm away, where its density has long settled (Beltukov, Conyuh & Solov'yov, "Local elastic properties of
polystyrene nanocomposites increase significantly due to nonaffine deformations", Phys. Rev. E).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import hypot, sqrt
from typing import TYPE_CHECKING

import numpy as np

from loop.types import Check, Estimate, Outcome
from oracles.openmm.observe import answer, gates
from oracles.openmm.observe.profiles import BIN, BLOCKS, G_CM3, PREFIX, Bins, amount, bins
from oracles.openmm.observe.statistics import Equilibration, after, ratio

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen
    from oracles.openmm.simulate.replica import Replica
    from oracles.openmm.simulate.segments import Journal

INTERPHASE = "interphase"
PROPERTIES: Mapping[str, str] = {
    "interphase_width": "nm",
    "interphase_density_ratio": "1",
    "interphase_trans": "1",
}
MIDDLE = 2 / 3
"""Where the middle begins, over the distance from the surface to where it ends."""
TOLERANCE = 0.05
WINDOW = 5
"""Bins."""


def respond(replica: Replica, journal: Journal) -> Outcome:
    """The properties of a finished replica from its production."""
    series = journal.series(replica.fidelity.production.name)
    return interphase(replica.film, series, answer.settled(series))


def interphase(film: Specimen, series: Mapping[str, np.ndarray], run: Equilibration) -> Outcome:
    """The properties from production `series`, and whether the middle is one."""
    cut = bins(film, float(series["height"][-1]))
    begin = BIN * round(MIDDLE * cut.edges[-1] / BIN)
    inner, outer = film.volume(np.array([begin, cut.edges[-1]]))
    middle = G_CM3 * amount(film, series, "mass", begin, np.inf) / (outer - inner)
    near, far = (
        ratio(amount(film, series, "trans", *where), amount(film, series, "chords", *where), "1", run)
        for where in ((-np.inf, answer.CHAIN_LAYER), (begin, np.inf))
    )
    width = width_estimate(after(series[PREFIX + "mass"], run), cut, begin)
    found = {
        "interphase_width": width,
        "interphase_density_ratio": ratio(answer.layer_density(film, series), middle, "1", run),
        "interphase_trans": replace(near, mean=near.mean - far.mean, se=hypot(near.se, far.se), n_eff=None),
    }
    return Outcome(found, (even(width.mean, begin),))


def width_estimate(mass: np.ndarray, cut: Bins, begin: float) -> Estimate:
    """From the mass (frames, bins) in the bins; its error from leaving out each block of the run in turn (jackknife),
    and never less than a bin's own."""
    blocks = np.array([part.sum(axis=0) for part in np.array_split(mass, BLOCKS)])
    without = np.array([width(blocks.sum(axis=0) - block, cut, begin) for block in blocks])
    jackknife = sqrt((BLOCKS - 1) * float(without.var()))
    method = f"one run: {BLOCKS} blocks, each left out in turn"
    return Estimate(width(blocks.sum(axis=0), cut, begin), max(jackknife, BIN / sqrt(12)), "nm", method=method)


def width(mass: np.ndarray, cut: Bins, begin: float) -> float:
    """nm; of a profile that has not settled where it ends, that end."""
    over = np.ones(WINDOW)
    far = cut.edges[:-1] > begin - BIN / 2
    middle = mass[far].sum() / cut.volumes[far].sum()
    density = np.convolve(mass[cut.whole], over, "valid") / np.convolve(cut.volumes[cut.whole], over, "valid")
    places = cut.centres[cut.whole][WINDOW // 2 : -(WINDOW // 2)]
    off = np.abs(density / middle - 1)
    outside = np.flatnonzero(off > TOLERANCE)
    last = int(outside[-1]) if len(outside) else 0
    if last == len(off) - 1 or not len(outside):
        return float(places[last])
    return float(places[last] + (off[last] - TOLERANCE) / (off[last] - off[last + 1]) * BIN)


def even(width: float, begin: float) -> Check:
    """Whether the density is even from where the middle begins."""
    detail = "the density is still uneven in the middle of the film: the width is a lower bound"
    return gates.flag("interphase_ends", width > begin, width, begin, "nm", detail)
