"""Crystals cut along a facet: the orthogonal surface cell, and the layers that read the same from both faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    from ase import Atoms

LAYER_GAP = 0.025
"""nm; atoms closer than this in z belong to one layer (the B layer of magnetite is puckered by 0.004 nm)."""
SAME_HEIGHT = 1e-3
"""nm; two runs of layers whose spacings differ by less are the same."""


@dataclass(frozen=True)
class SurfaceCell:
    """One period of a crystal along a facet's normal, which is z.

    positions (n, 3) nm, `sites` their names, `edges` nm of the rectangle in the plane and `period` nm along z; the
    next period is displaced by `shift` (nm, x and y) in the plane.
    """

    positions: np.ndarray
    sites: tuple[str, ...]
    edges: tuple[float, float]
    period: float
    shift: np.ndarray

    @property
    def volume(self) -> float:
        return self.edges[0] * self.edges[1] * self.period


def surface_cell(oxide: str, vectors: Sequence[Sequence[float]]) -> SurfaceCell:
    """The crystal's cell of three vectors, in units of the conventional cell's: two orthogonal ones in the plane, and
    one out of it. Raises ValueError where they are not."""
    from ase.build import cut

    crystal, bulk = catalogue.oxide(oxide), _bulk(oxide)
    cell = cut(bulk, *vectors)  # type: ignore[no-untyped-call]
    first, second, third = np.asarray(cell.cell) / 10
    lengths = cell.cell.lengths() / 10
    edges = float(lengths[0]), float(lengths[1])
    if abs(first @ second) > 1e-6:
        raise ValueError(f"the surface cell of {crystal['formula']} {vectors} is not orthogonal")
    normal = np.cross(first, second)
    period = abs(float(third @ normal)) / float(np.linalg.norm(normal))
    shift = np.array([third @ first / edges[0], third @ second / edges[1]])
    shift[np.abs(shift) < 1e-6] = 0.0
    fractions = cell.get_scaled_positions(wrap=True)
    fractions[np.abs(fractions - 1) < 1e-6] = 0.0
    positions = fractions * (*edges, period)
    positions[:, :2] += np.outer(fractions[:, 2], shift)
    names = [site["name"] for site in crystal["sites"]]
    return SurfaceCell(positions, tuple(names[k] for k in cell.arrays["spacegroup_kinds"]), edges, period, shift)


@dataclass(frozen=True)
class UnitCell:
    """The conventional cell of a crystal: its vectors (3, 3) nm in rows, fractions (n, 3) and `sites` of its atoms, and
    the fraction (3,) of a centre of inversion, or of the first site where the crystal has none."""

    vectors: np.ndarray
    fractions: np.ndarray
    sites: tuple[str, ...]
    centre: np.ndarray


def unit_cell(oxide: str) -> UnitCell:
    from ase.spacegroup import Spacegroup

    crystal, bulk = catalogue.oxide(oxide), _bulk(oxide)
    operations = Spacegroup(crystal["spacegroup"], crystal["setting"]).get_symop()  # type: ignore[no-untyped-call]
    inversions = [shift / 2 for turn, shift in operations if np.array_equal(turn, -np.eye(3))]
    names = [site["name"] for site in crystal["sites"]]
    return UnitCell(
        vectors=np.asarray(bulk.cell) / 10,
        fractions=bulk.get_scaled_positions(),  # type: ignore[no-untyped-call]
        sites=tuple(names[k] for k in bulk.arrays["spacegroup_kinds"]),
        centre=np.asarray([*inversions, crystal["sites"][0]["position"]][0], dtype=float),
    )


def _bulk(oxide: str) -> Atoms:
    from ase.spacegroup import crystal as ase_crystal

    crystal = catalogue.oxide(oxide)
    conventional, angles = crystal["cell"][:3], crystal["cell"][3:]
    return ase_crystal(
        [site["element"] for site in crystal["sites"]],
        [site["position"] for site in crystal["sites"]],
        spacegroup=crystal["spacegroup"],
        setting=crystal["setting"],
        cellpar=[*(10 * edge for edge in conventional), *angles],
    )


@dataclass(frozen=True)
class Window:
    """Layers of a crystal from the lower face to the upper: what each consists of and (n, 3) nm of its atoms."""

    labels: tuple[str, ...]
    layers: tuple[np.ndarray, ...]
    """Indices into the surface cell, layer by layer."""
    positions: np.ndarray
    """(n, 3) nm of the layers' atoms in order, the lowest at z = 0."""


def window(cell: SurfaceCell, ends: Sequence[str], thickness: float) -> Window:
    """The run of layers that reads the same from both faces, in kinds and spacings, starts with `ends` and is nearest
    to `thickness` (nm). Raises ValueError where there is none."""
    layers = _layers(cell.positions[:, 2], cell.period)
    labels = ["+".join(sorted({cell.sites[i] for i in layer})) for layer in layers]
    heights = [_height(cell.positions[layer, 2], cell.period) for layer in layers]
    n = len(layers)
    best: tuple[float, int, int] | None = None
    for start in range(n):
        for count in range(1, 2 * n + math.ceil(n * thickness / cell.period)):
            run = [labels[(start + k) % n] for k in range(count)]
            if run != run[::-1] or run[: len(ends)] != list(ends):
                continue
            z = np.array([heights[(start + k) % n] + cell.period * ((start + k) // n) for k in range(count)])
            if np.abs((z - z[0]) - (z[-1] - z)[::-1]).max() > SAME_HEIGHT:
                continue
            score = round(abs(float(z[-1] - z[0]) - thickness), 6)
            if best is None or score < best[0]:
                best = (score, start, count)
    if best is None:
        raise ValueError(f"no symmetric window starts with {ends}; the layers are {labels}")
    return _taken(cell, layers, labels, heights, range(best[1], best[1] + best[2]))


def _taken(cell: SurfaceCell, layers: list[np.ndarray], labels: list[str], heights: list[float], run: range) -> Window:
    n = len(layers)
    positions = []
    for k in run:
        x = cell.positions[layers[k % n]].copy()
        periods = k // n - np.round((x[:, 2] - heights[k % n]) / cell.period)
        x[:, 2] += cell.period * periods
        x[:, :2] += np.outer(periods, cell.shift)
        positions.append(x)
    flat = np.concatenate(positions)
    flat[:, 2] -= flat[:, 2].min()
    if cell.shift.any():
        flat[:, :2] %= cell.edges
    return Window(tuple(labels[k % n] for k in run), tuple(layers[k % n] for k in run), flat)


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
    return float(np.mean(z - period * np.round((z - z[0]) / period)) % period)
