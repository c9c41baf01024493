"""Where ligands stand: oxygens of a face, or pairs of them, random but apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from oracles.openmm.build.geometry import wrapped
from oracles.openmm.build.slab import Slab
from oracles.openmm.materials import catalogue

ABOVE = 0.02
"""nm by which a metal stands out of the oxygens' plane; layers are puckered by less."""
CANDIDATES = 10
TRIES = 50


def sites(slab: Slab, face: np.ndarray, head: str) -> np.ndarray:
    """(m, 1) oxygens of a face, or (m, 2) pairs of them as far apart as the head asks for, without a metal that stands
    above both: it would be in the head's way."""
    pair = catalogue.heads()[head].get("pair")
    if pair is None:
        return face[:, None]
    distances = _between(slab.positions[face], slab.lateral)
    near, far = pair
    apart = np.triu((distances >= near) & (distances <= far))
    on = _metals_above(slab, face)
    return face[np.argwhere(apart & ~(on @ on.T))]


def _metals_above(slab: Slab, face: np.ndarray) -> np.ndarray:
    """(oxygens, metals) whether a metal bound to an oxygen of the face stands above it."""
    outward = 1.0 if slab.positions[face, 2].mean() > slab.height / 2 else -1.0
    height = outward * slab.positions[:, 2]
    above = {(m, o) for m, o in slab.bonds.tolist() if height[m] > height[o] + ABOVE}
    return np.array([[(m, o) in above for m in slab.metals] for o in face.tolist()]).reshape(len(face), -1)


def choose(slab: Slab, face: np.ndarray, head: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, anchors) sites of a face, spread over it.

    Where chance does not find so many, some of the densest arrangement. Raises ValueError where that has fewer.
    """
    all_sites = sites(slab, face, head)
    distances = _apart(slab, all_sites)
    chosen = spread(lambda site: distances[site], len(all_sites), n, rng)
    if chosen is None:
        chosen = some_of(densest(distances < spacing(), range(len(all_sites))), n, rng)
    return np.asarray(all_sites[chosen])


def spread(between: Callable[[int], np.ndarray], sites: int, n: int, rng: np.random.Generator) -> Sequence[int] | None:
    """n of so many sites, each the farthest from those before it among a few random candidates (Mitchell, SIGGRAPH
    1991, 157), and none within the ligands' spacing of another; None where chance does not find so many.

    `between(site)` gives the distances (sites,) nm of one from all.
    """
    for _ in range(TRIES):
        chosen: list[int] = []
        nearest = np.full(sites, np.inf)
        free = np.arange(sites)
        while len(chosen) < n and len(free):
            candidates = rng.choice(free, size=min(CANDIDATES, len(free)), replace=False)
            chosen.append(int(candidates[np.argmax(nearest[candidates])]))
            nearest = np.minimum(nearest, between(chosen[-1]))
            free = np.flatnonzero(nearest >= spacing())
        if len(chosen) == n:
            return chosen
    return None


def some_of(arrangement: Sequence[int], n: int, rng: np.random.Generator) -> Sequence[int]:
    """n sites of an arrangement. Raises ValueError where it has fewer."""
    if len(arrangement) < n:
        raise ValueError(f"{n} ligands do not fit on a face with room for {len(arrangement)}; use fewer")
    return [int(site) for site in rng.choice(arrangement, size=n, replace=False)]


def capacity(slab: Slab, head: str) -> int:
    """Most ligands that one face holds at their spacing."""
    near = (_apart(slab, sites(slab, face, head)) < spacing() for face in (slab.lower, slab.upper))
    return min(len(densest(one, range(len(one)))) for one in near)


def blocked(slab: Slab, anchors: Sequence[int] | np.ndarray) -> np.ndarray:
    """Exposed oxygens that carry no hydroxyl for the ligands' sake: the anchors, and those too near to one."""
    exposed = np.concatenate([slab.lower, slab.upper])
    taken = np.asarray(anchors, dtype=int).ravel()
    if not len(taken):
        return np.array([], dtype=int)
    apart = wrapped(slab.positions[exposed][:, None] - slab.positions[taken][None], slab.lateral)
    near = np.linalg.norm(apart, axis=-1) < catalogue.anchor()["hydroxyl_spacing"]["value"]
    return np.asarray(exposed[near.any(axis=1)])


def spacing() -> float:
    """nm, least distance of two ligands' anchors."""
    return float(catalogue.anchor()["spacing"]["value"])


def densest(near: np.ndarray, firsts: Iterable[int]) -> list[int]:
    """Indices of a densest arrangement of sites that are not `near` (m, m) to each other, each near to itself: the
    largest found by taking, from each of the `firsts` on, the site that blocks the fewest of those still free."""
    best: list[int] = []
    for first in firsts:
        chosen, pick = [], first
        free, blocks = np.ones(len(near), dtype=bool), near.sum(axis=1)
        while True:
            chosen.append(pick)
            taken = free & near[pick]
            free &= ~taken
            blocks = blocks - near[:, taken].sum(axis=1)
            if not free.any():
                break
            pick = int(np.argmin(np.where(free, blocks, len(near) + 1)))
        best = max(best, chosen, key=len)
    return best


def _apart(slab: Slab, all_sites: np.ndarray) -> np.ndarray:
    """(m, m) least distance in the plane between an anchor of one site and one of another."""
    flat = slab.positions[all_sites.ravel()] * (1, 1, 0)
    m, anchors = all_sites.shape
    between = _between(flat, slab.lateral).reshape(m, anchors, m, anchors)
    return np.asarray(between.min(axis=(1, 3)))


def _between(points: np.ndarray, lateral: tuple[float, float]) -> np.ndarray:
    return np.asarray(np.linalg.norm(wrapped(points[:, None] - points[None], lateral), axis=-1))
