"""Rigid oxide slabs: crystal, orthogonal cell of a facet, symmetric window with the named termination."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from oracles.openmm.materials import catalogue

LAYER_GAP = 0.025
"""nm; atoms closer than this in z belong to one layer (the B layer of magnetite is puckered by 0.004 nm)."""
EXPOSED_DEPTH = 0.1
"""nm; oxygens within this depth of a face's outermost oxygen carry hydroxyls."""
DIPOLE_LIMIT = 0.05
"""e nm; a symmetric slab has none, up to rounding."""


@dataclass(frozen=True)
class Slab:
    """A bare slab, symmetric about its middle: its lower plane at z = 0, its atoms within the lateral cell.

    positions (n, 3) nm; `lower` and `upper` are the exposed oxygens of the two faces; charges (n,) e are the oxide
    model's, before neutralisation.
    """

    elements: tuple[str, ...]
    sites: tuple[str, ...]
    positions: np.ndarray
    charges: np.ndarray
    lateral: tuple[float, float]
    lower: np.ndarray
    upper: np.ndarray

    @property
    def area(self) -> float:
        return self.lateral[0] * self.lateral[1]

    @property
    def height(self) -> float:
        return float(np.ptp(self.positions[:, 2]))

    @property
    def metals(self) -> np.ndarray:
        return np.array([i for i, element in enumerate(self.elements) if element != "O"])

    @property
    def dipole(self) -> float:
        """Normal dipole about the middle, e nm."""
        z = self.positions[:, 2]
        return float(self.charges @ (z - 0.5 * (z.min() + z.max())))


@cache
def build_slab(
    oxide: str, facet: str, termination: str, lateral: tuple[float, float], thickness: float, model: str = "clayff"
) -> Slab:
    """The slab of a facet whose box edges reach `lateral` and whose thickness is nearest to `thickness` (nm).

    Names are the catalogue's own (see `catalogue.facet_name`, `termination_name`). Raises UnknownMaterial.
    """
    crystal = catalogue.oxide(oxide)
    ends = crystal["facets"][facet]["ends"][termination]
    names = [site["name"] for site in crystal["sites"]]
    elements = {site["name"]: site["element"] for site in crystal["sites"]}
    positions, kinds, edges = oriented_cell(oxide, facet)
    chosen = _window(positions[:, 2], [names[k] for k in kinds], edges[2], tuple(ends), thickness)
    positions = np.column_stack([positions[chosen.atoms, :2], chosen.z])
    sites = [names[k] for k in kinds[chosen.atoms]]

    repeats = [math.ceil(wanted / edge - 1e-6) for wanted, edge in zip(lateral, edges[:2], strict=True)]
    shifts = [(i * edges[0], j * edges[1], 0.0) for i in range(repeats[0]) for j in range(repeats[1])]
    tiled = np.concatenate([positions + shift for shift in shifts])
    all_sites = tuple(sites * len(shifts))
    charges = np.array([_charge(model, oxide, site) for site in all_sites])
    lower, upper = _exposed(tiled[:, 2], all_sites)
    slab = Slab(
        elements=tuple(elements[site] for site in all_sites),
        sites=all_sites,
        positions=tiled,
        charges=charges,
        lateral=(repeats[0] * float(edges[0]), repeats[1] * float(edges[1])),
        lower=lower,
        upper=upper,
    )
    neutral = slab.charges - slab.charges.sum() / len(slab.metals) * np.array([e != "O" for e in slab.elements])
    dipole = float(neutral @ (tiled[:, 2] - 0.5 * slab.height))
    if abs(dipole) > DIPOLE_LIMIT:
        raise ValueError(f"{oxide} ({facet}) {termination}: slab dipole {dipole:.3g} e nm above {DIPOLE_LIMIT}")
    return slab


@dataclass(frozen=True)
class _Window:
    atoms: np.ndarray
    z: np.ndarray


def oriented_cell(oxide: str, facet: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(positions, index of each atom's site, edges) of the crystal's orthogonal cell with the facet's normal along z,
    nm."""
    from ase.build import cut
    from ase.spacegroup import crystal as ase_crystal

    crystal = catalogue.oxide(oxide)
    lengths, angles = crystal["cell"][:3], crystal["cell"][3:]
    bulk = ase_crystal(
        [site["element"] for site in crystal["sites"]],
        [site["position"] for site in crystal["sites"]],
        spacegroup=crystal["spacegroup"],
        setting=crystal["setting"],
        cellpar=[*(10 * edge for edge in lengths), *angles],
    )
    vectors = crystal["facets"][facet]["cell"]
    cell = cut(bulk, *vectors)  # type: ignore[no-untyped-call]
    edges = cell.cell.lengths() / 10
    if not np.allclose(cell.cell.angles(), 90):
        raise ValueError(f"the cell of {crystal['formula']} {vectors} is not orthogonal")
    fractions = cell.get_scaled_positions(wrap=True)
    fractions[np.abs(fractions - 1) < 1e-6] = 0.0
    return fractions * edges, np.asarray(cell.arrays["spacegroup_kinds"]), edges


def _window(z: np.ndarray, sites: list[str], period: float, ends: tuple[str, ...], thickness: float) -> _Window:
    """The run of layers that reads the same from both faces, starts with `ends` and is nearest to `thickness`."""
    layers = _layers(z, period)
    labels = ["+".join(sorted({sites[i] for i in layer})) for layer in layers]
    heights = [_height(z[layer], period) for layer in layers]
    n = len(layers)
    best: tuple[float, int, int] | None = None
    for start in range(n):
        for count in range(1, 2 * n + math.ceil(n * thickness / period)):
            run = [labels[(start + k) % n] for k in range(count)]
            if run != run[::-1] or tuple(run[: len(ends)]) != ends:
                continue
            last = start + count - 1
            height = heights[last % n] + period * (last // n) - heights[start]
            score = round(abs(height - thickness), 6)
            if best is None or score < best[0]:
                best = (score, start, count)
    if best is None:
        raise ValueError(f"no symmetric window starts with {ends}; the layers are {labels}")
    _, start, count = best
    atoms, heights_of_atoms = [], []
    for k in range(start, start + count):
        layer = layers[k % n]
        atoms.append(layer)
        heights_of_atoms.append(_near(z[layer], heights[k % n], period) + period * (k // n))
    flat = np.concatenate(heights_of_atoms)
    return _Window(np.concatenate(atoms), flat - flat.min())


def _layers(z: np.ndarray, period: float) -> list[np.ndarray]:
    """Atoms grouped by height in the periodic cell, in rising order."""
    order = np.argsort(z, kind="stable")
    gaps = np.diff(np.append(z[order], z[order[0]] + period))
    first = int(np.argmax(gaps > LAYER_GAP)) + 1
    rolled = np.roll(order, -first)
    breaks = np.flatnonzero(np.roll(gaps, -first)[:-1] > LAYER_GAP) + 1
    layers = np.split(rolled, breaks)
    return sorted(layers, key=lambda layer: _height(z[layer], period))


def _height(z: np.ndarray, period: float) -> float:
    """Mean height of one layer, in [0, period)."""
    return float(np.mean(_near(z, z[0], period)) % period)


def _near(z: np.ndarray, reference: float, period: float) -> np.ndarray:
    """Heights moved by whole periods to lie within half a period of the reference."""
    return z - period * np.round((z - reference) / period)


def _exposed(z: np.ndarray, sites: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    oxygens = np.array([i for i, site in enumerate(sites) if site == "oxygen"])
    heights = z[oxygens]
    return (
        oxygens[heights < heights.min() + EXPOSED_DEPTH],
        oxygens[heights > heights.max() - EXPOSED_DEPTH],
    )


def _charge(model: str, oxide: str, site: str) -> float:
    parameters = catalogue.data(model)
    kind = parameters["oxygen"]["bulk"] if site == "oxygen" else parameters["metals"][oxide][site]
    return float(kind["charge"])
