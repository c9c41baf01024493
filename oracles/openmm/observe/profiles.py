"""Profiles: what lies how far from the nearest interface, all interfaces of a film together.

The distance d of `Specimen.distances` is cut into bins of 0.05 nm. With V the volume of a bin (2 A times its width in a
film of area A), n the surface's outward normal and <> the mean over frames, each bin has

    density          <polymer mass> / V, atoms where they are
    dipole           <sum mu n> / <monomers>, monomers at their centres of mass: positive points away from the oxide
    dipole density   <sum mu n> / V: the polarisation, an areal density per nm of depth
    order            <sum P2> / <chords>, P2 = (3 cos^2 - 1) / 2 of the angle of the chord from backbone atom i to i + 3
                     with the normal, at the chord's middle: 1 upright, -1/2 flat, 0 random
    trans fraction   <trans dihedrals> / <dihedrals>, those of the same four atoms

Errors come from the scatter of five blocks of the run: lower bounds, as all errors of one run are. A mean over monomers
or chords is left out in bins that stayed empty through a block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oracles.openmm.observe.statistics import Equilibration, after

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

BIN = 0.05
"""nm."""
DEPTH = 0.3
"""nm beneath the outermost atom plane, or beneath all that ligands fill, where the first bin begins."""
ROUNDING = 1e-6
"""nm by which a point in the middle of a film may come out beyond it."""
BLOCKS = 5
G_CM3 = 1.66053906660e-3
"""g/cm^3 in one amu/nm^3."""
DIGITS = 6
"""Significant ones in a file."""
PREFIX = "profile_"
"""Of the series that `Observer.profiles` takes."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of d between `edges` (bins + 1,) nm, of `volumes` (bins,) nm^3. The first has all that lies deeper, the last
    ends midway between the surface and its image and may be narrower."""

    edges: np.ndarray
    volumes: np.ndarray

    @property
    def centres(self) -> np.ndarray:
        """(bins,) nm."""
        return np.asarray((self.edges[:-1] + self.edges[1:]) / 2)

    @property
    def whole(self) -> np.ndarray:
        """(bins,) whether a bin has its full width."""
        return np.asarray(np.diff(self.edges) > 0.99 * BIN)

    def sums(self, d: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(frames, bins) sum over points at `d` (frames, points) nm of `weights` (default 1) that broadcast to it.
        Points beyond the last bin, in the corners of a cube around a particle, count nowhere."""
        frames, bins = len(d), len(self.volumes)
        edges = np.append(self.edges[:-1], self.edges[-1] + ROUNDING)
        places = np.maximum(np.searchsorted(edges, d, side="right") - 1, 0)
        flat = (places + (bins + 1) * np.arange(frames)[:, None]).ravel()
        each = None if weights is None else np.broadcast_to(weights, d.shape).ravel()
        counted = np.bincount(flat, each, minlength=frames * (bins + 1)).reshape(frames, bins + 1)
        return counted[:, :bins].astype(float)


def bins(film: Specimen, height: float) -> Bins:
    """Those of a film in a box of `height` nm. Edges are multiples of 0.05 nm, so that replicas have them in common."""
    deepest, farthest = film.reach(height)
    first = math.floor((deepest - DEPTH) / BIN)
    last = math.ceil(round(farthest / BIN, 6))
    edges = BIN * np.arange(first, last + 1)
    edges[-1] = farthest
    return Bins(edges, np.diff(film.volume(edges)))


def order(chords: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """P2 of vectors (..., 3) against unit normals (..., 3)."""
    return np.asarray((3 * (chords * normals).sum(-1) ** 2 / (chords**2).sum(-1) - 1) / 2)


def amount(film: Specimen, series: Mapping[str, np.ndarray], name: str, low: float, high: float) -> np.ndarray:
    """(frames,) sum of what was counted as `name` at low < d < high nm, both multiples of 0.05 nm."""
    begin = bins(film, float(series["height"][-1])).edges[:-1]
    inside = (low - BIN / 2 < begin) & (begin < high - BIN / 2)
    return np.asarray(series[PREFIX + name][:, inside].sum(axis=1))


def block_ratio(numerator: np.ndarray, denominator: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(bins,) R = sum(a) / sum(b) over series a, b (frames, bins), and its error from the residuals of five blocks; NaN
    where b counts nothing in some block."""
    a, b = (np.array([part.sum(0) for part in np.array_split(series, BLOCKS)]) for series in (numerator, denominator))
    counted = (b > 0).all(0)
    b[:, ~counted] = np.nan
    value = a.sum(0) / b.sum(0)
    residual = (a - value * b) / b.mean(0)
    return value, np.sqrt((residual**2).sum(0) / (BLOCKS - 1) / BLOCKS)


def profiles(film: Specimen, series: Mapping[str, np.ndarray], run: Equilibration) -> list[dict[str, Any]]:
    """The profiles of the settled part of a run, from the sums that `Observer.profiles` took, as they stand in a
    `profiles.json`. The narrower bin in the middle is left out."""
    cut = bins(film, float(series["height"][-1]))
    settled = {name: after(values, run) for name, values in series.items() if name.startswith(PREFIX)}
    volume = np.broadcast_to(cut.volumes, settled[PREFIX + "mass"].shape)
    monomers, chords = (settled[PREFIX + name] for name in ("monomers", "chords"))
    wanted = (
        ("density", "polymer density", "g/cm^3", G_CM3 * settled[PREFIX + "mass"], volume),
        ("dipole", "normal dipole per monomer", "D", settled[PREFIX + "dipole"], monomers),
        ("dipole_density", "normal dipole density", "D/nm^3", settled[PREFIX + "dipole"], volume),
        ("order", "order P2 of backbone chords", "1", settled[PREFIX + "order"], chords),
        ("trans_fraction", "trans fraction", "1", settled[PREFIX + "trans"], chords),
    )
    found = []
    for name, label, unit, numerator, denominator in wanted:
        value, error = block_ratio(numerator, denominator)
        shown = cut.whole & np.isfinite(value)
        if shown.any():
            axis = {"label": "distance from the surface", "unit": "nm", "values": plain(cut.centres[shown])}
            profile = {"name": name, "axis": axis, "label": label, "unit": unit}
            found.append(profile | {"values": plain(value[shown]), "errors": plain(error[shown])})
    return found


def plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
