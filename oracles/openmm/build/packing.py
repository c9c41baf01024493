"""Places chains in the gap between a slab and its periodic image. Overlaps are left for the push-off."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

AVOGADRO = 602.214076
"""(g/mol) / (g/cm^3 nm^3)."""
SLACK = 0.3
"""nm of the gap that is left free on top of the target density's height."""
WALL = 0.12
"""nm kept between any chain atom and the oxide's outermost planes at placement."""
ROTATIONS = 30
CONFORMATIONS = 40
PLACEMENTS, SHIFTS = 60, 20
"""Conformations tried for a chain whose neighbours stand in its way, and places of each."""
ROW_PITCH = 0.48
"""nm between neighbouring rows of extended chains (interchain distances of alpha and beta PVDF: 0.45 to 0.50)."""
END_GAP = 0.3
"""nm between the ends of successive extended chains."""


class DoesNotFit(ValueError):
    """Chains of this length cannot be placed in this box. The message says what would fit."""


@dataclass(frozen=True)
class Gap:
    """Where the polymer goes: a periodic rectangle (nm) from z = bottom to z = top."""

    lateral: tuple[float, float]
    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


def chain_count(mass: float, density: float, area: float, gap: float) -> int:
    """Whole chains (mass g/mol) that fill the gap (nm) less its slack at the density (g/cm^3); at least one."""
    return max(1, round(density * AVOGADRO * area * (gap - SLACK) / mass))


def volume(mass: float, density: float) -> float:
    """nm^3 of a molecule (g/mol) at a density (g/cm^3)."""
    return mass / (density * AVOGADRO)


def gap_height(mass: float, density: float, area: float) -> float:
    """Height (nm) in which all chains together (g/mol) have the density, plus the slack."""
    return mass / (density * AVOGADRO * area) + SLACK


def pack_coils(
    conformation: Callable[[int, int], np.ndarray],
    chains: int,
    gap: Gap,
    rng: np.random.Generator,
    entangled: Callable[[Sequence[np.ndarray]], bool] = lambda placed: False,
) -> list[np.ndarray]:
    """Chains spread evenly over the height, each in a random orientation that fits, at random x and y.

    `conformation(chain, seed)` gives the chain of a number, (n, 3) nm; `entangled(placed)` says of the chains so far
    that the last must be placed anew. Raises DoesNotFit where none of many conformations fits.
    """
    levels = (rng.permutation(chains) + rng.random(chains)) / chains
    placed: list[np.ndarray] = []
    for chain, level in enumerate(levels):
        for _ in range(PLACEMENTS):
            x = _fitting(partial(conformation, chain), gap.height - 2 * WALL, rng)
            candidates = (_shifted(x, gap, level, rng) for _ in range(SHIFTS))
            free = next((candidate for candidate in candidates if not entangled([*placed, candidate])), None)
            if free is not None:
                placed.append(free)
                break
        else:
            raise DoesNotFit(f"chain {chain + 1} of {chains} cannot be placed clear of the others; use shorter chains")
    return placed


def _shifted(x: np.ndarray, gap: Gap, level: float, rng: np.random.Generator) -> np.ndarray:
    """The chain at a level (0 to 1) of the gap and at random x and y."""
    low = gap.bottom + WALL - x[:, 2].min()
    high = gap.top - WALL - x[:, 2].max()
    shift = (*(rng.random(2) * gap.lateral), low + level * (high - low))
    return np.asarray(x + shift)


def _fitting(conformation: Callable[[int], np.ndarray], height: float, rng: np.random.Generator) -> np.ndarray:
    smallest = math.inf
    for _ in range(CONFORMATIONS):
        x = conformation(int(rng.integers(2**62)))
        x = x - x.mean(axis=0)
        for _ in range(ROTATIONS):
            turned = x @ random_rotation(rng).T
            extent = float(np.ptp(turned[:, 2]))
            if extent <= height:
                return np.asarray(turned)
            smallest = min(smallest, extent)
    raise DoesNotFit(
        f"the flattest of {CONFORMATIONS} coils is {smallest:.2f} nm high and the gap {height:.2f} nm; "
        "use shorter chains or a larger fidelity"
    )


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation matrix uniform over orientations (from a random unit quaternion)."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def rows_per_layer(gap_lateral: tuple[float, float]) -> int:
    return max(1, round(gap_lateral[1] / ROW_PITCH))


def layer_capacity(length: float, lateral: tuple[float, float]) -> int:
    """Extended chains of a length (nm) that fit end to end in one layer."""
    rows = rows_per_layer(lateral)
    return int(rows * math.hypot(lateral[0], lateral[1] / rows) / (length + END_GAP))


def pack_extended(
    straight: Sequence[tuple[np.ndarray, np.ndarray]], gap: Gap, rng: np.random.Generator
) -> list[np.ndarray]:
    """Straight chains in layers. Within a layer they lie end to end along one line that winds around the periodic
    rectangle, so that every length packs evenly; each has a random turn about its axis and a random direction.

    `straight` has each chain, (n, 3) nm, and the vector (3,) nm from its one end to the other. Raises DoesNotFit where
    a layer cannot hold the longest.
    """
    chains = len(straight)
    length = max(float(np.linalg.norm(axis)) for _, axis in straight)
    waiting = iter([(x - x.mean(axis=0)) @ _onto_x(axis).T for x, axis in straight])
    capacity = layer_capacity(length, gap.lateral)
    if capacity < 1:
        raise DoesNotFit(f"an extended chain of {length:.1f} nm does not fit in one layer; use shorter chains")
    layers = math.ceil(chains / capacity)
    rows = rows_per_layer(gap.lateral)
    step = np.array([gap.lateral[0], gap.lateral[1] / rows])
    line = rows * float(np.hypot(*step))
    along = step / np.hypot(*step)
    sideways = _onto_x(np.array([along[0], -along[1], 0.0]))
    placed: list[np.ndarray] = []
    for layer in range(layers):
        here = chains // layers + (layer < chains % layers)
        z = gap.bottom + gap.height * (layer + 0.5) / layers
        offset = rng.random(2) * gap.lateral
        for k in range(here):
            turned = next(waiting) @ _about_x(rng.uniform(0, 2 * np.pi)).T
            if rng.random() < 0.5:
                turned = turned * (-1, -1, 1)
            centre = offset + along * (k + 0.5) / here * line
            placed.append(turned @ sideways.T + (centre[0], centre[1], z))
    return placed


def _onto_x(axis: np.ndarray) -> np.ndarray:
    """The rotation that takes `axis` to +x."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.align_vectors([[1.0, 0.0, 0.0]], [axis / np.linalg.norm(axis)])[0].as_matrix())


def _about_x(angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
