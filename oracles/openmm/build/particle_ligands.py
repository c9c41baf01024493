"""Ligands on a particle, upright along the radius and spread over the sphere.

Ligand and anchors have the charge of the hydroxyls that they stand for, so that where they stand matters to the dipole
of the whole as it does for hydroxyls: each takes its site together with the one at its image through the centre.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from loop.seeds import derive
from oracles.openmm.build import ligands as any_surface
from oracles.openmm.build import sites
from oracles.openmm.build.geometry import outward
from oracles.openmm.build.heads import Ligand
from oracles.openmm.build.hollow import ball
from oracles.openmm.build.ligands import Ligands
from oracles.openmm.build.particle import Particle
from oracles.openmm.materials import catalogue

ABOVE = 0.3
"""nm above a site: a point there is nearer to its oxygens than to all else of the particle where the site is open."""
LEAN = 0.5
"""Cosine of the angle between a pair's axis and the radius beyond which no head stands upright on it."""
STARTS = 8
"""Sites from which a densest arrangement is looked for."""


@cache
def open_sites(particle: Particle, head: str) -> np.ndarray:
    """(m, 1) exposed oxygens, or (m, 2) pairs of them as far apart as the head asks for, above which there is room."""
    from scipy.spatial import cKDTree

    pair = catalogue.heads()[head].get("pair")
    found = particle.exposed[:, None] if pair is None else _pairs(particle, *pair)
    feet = particle.positions[found].mean(axis=1)
    above = feet + ABOVE * outward(feet)
    _, nearest = cKDTree(particle.positions).query(above)
    return np.asarray(found[(nearest[:, None] == found).any(axis=1)])


def _pairs(particle: Particle, near: float, far: float) -> np.ndarray:
    """(m, 2) exposed oxygens between `near` and `far` nm apart that lie about equally far from the centre."""
    from scipy.spatial import cKDTree

    exposed = np.sort(particle.exposed)
    x = particle.positions[exposed]
    pairs = np.array(sorted(cKDTree(x).query_pairs(far)), dtype=int).reshape(-1, 2)
    along = x[pairs[:, 1]] - x[pairs[:, 0]]
    apart = np.linalg.norm(along, axis=1)
    lean = np.abs((along * outward(x[pairs].mean(axis=1))).sum(axis=1)) / apart
    return np.asarray(exposed[pairs[(apart >= near) & (lean < LEAN)]])


@cache
def _places(particle: Particle, head: str) -> np.ndarray:
    """(m, atoms) what is taken together: a site and its image through the centre, or each alone where some lack one."""
    found = open_sites(particle, head)
    images = particle.opposite[found]
    known = {tuple(sorted(site)) for site in found.tolist()}
    if (images == found).any() or not all(tuple(sorted(image)) in known for image in images.tolist()):
        return found
    first = [sorted(site) < sorted(image) for site, image in zip(found.tolist(), images.tolist(), strict=True)]
    return np.asarray(np.hstack([found, images])[first])


def _together(particle: Particle, head: str) -> int:
    """Sites of a place."""
    found = open_sites(particle, head)
    return int(_places(particle, head).shape[1] // found.shape[1])


@cache
def _densest(particle: Particle, head: str) -> list[int]:
    """Places of a densest arrangement."""
    from scipy.spatial import cKDTree

    places = _places(particle, head)
    m, atoms = places.shape
    pairs = cKDTree(particle.positions[places.ravel()]).query_pairs(sites.spacing(), output_type="ndarray") // atoms
    near = np.eye(m, dtype=bool)
    near[pairs[:, 0], pairs[:, 1]] = near[pairs[:, 1], pairs[:, 0]] = True
    return sites.densest(near, range(0, m, max(1, m // STARTS)))


def capacity(particle: Particle, head: str) -> int:
    """Most ligands that the particle holds at their spacing, an even number."""
    return _together(particle, head) * len(_densest(particle, head)) // 2 * 2


def choose(particle: Particle, head: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, anchors) sites, spread over the particle. Raises ValueError where it holds fewer."""
    most = capacity(particle, head)
    if n > most:
        raise ValueError(f"{n} ligands do not fit on a particle with room for {most}; use fewer")
    places, together = _places(particle, head), _together(particle, head)
    x = particle.positions[places]

    def between(place: int) -> np.ndarray:
        return np.asarray(np.linalg.norm(x[:, :, None] - x[place], axis=-1).min(axis=(1, 2)))

    wanted = -(-n // together)
    chosen = sites.spread(between, len(places), wanted, rng)
    if chosen is None:
        chosen = sites.some_of(_densest(particle, head), wanted, rng)
    return np.asarray(places[chosen].reshape(wanted * together, -1)[:n])


def blocked(particle: Particle, anchors: np.ndarray) -> np.ndarray:
    """Exposed oxygens that carry no hydroxyl for the sake of ligands, by their anchors (ligands, anchors each): the
    anchors, and those too near to one."""
    taken = set().union(*_blocking(particle, anchors))
    return np.asarray(particle.exposed[sorted(taken)])


@cache
def most_blocked(particle: Particle, head: str) -> int:
    """Most exposed oxygens that one ligand keeps from carrying a hydroxyl."""
    return max(map(len, _blocking(particle, open_sites(particle, head))), default=0)


def _blocking(particle: Particle, anchors: np.ndarray) -> list[set[int]]:
    """For each ligand the places of such oxygens among the exposed ones."""
    from scipy.spatial import cKDTree

    near = float(catalogue.anchor()["hydroxyl_spacing"]["value"])
    tree = cKDTree(particle.positions[particle.exposed])
    return [set().union(*tree.query_ball_point(particle.positions[site], near)) for site in anchors]


def layer_thickness(name: object, number: int, radius: float) -> float:
    """nm about a sphere of `radius` nm that so many ligands take, as a liquid of the free molecules."""
    volume = ball(radius) + number * any_surface.layer_height(name, 1.0)
    return float((volume / ball(1.0)) ** (1 / 3)) - radius


def add_ligands(
    particle: Particle, name: object, number: int, gap: float, seed: int, cache: Path | None = None
) -> Ligands:
    """So many ligands with a gap (nm) between the particle and its image, at random but apart.

    Raises ValueError where the particle has not so many sites, or the gap is too low for every shape of the ligand.
    """
    rng = np.random.default_rng(derive(seed, "ligands"))
    kind, parameters = any_surface.parametrise(name, cache)
    shapes = any_surface.shapes_within(name, gap)
    anchors = choose(particle, kind.head, number, rng)
    around = [particle.positions]
    for site in anchors:
        around.append(_upon(particle, site, np.concatenate(around), shapes, kind, rng))
    return any_surface.bound(particle, kind, parameters, list(anchors), around[1:])


def _upon(
    particle: Particle,
    site: np.ndarray,
    around: np.ndarray,
    shapes: list[np.ndarray],
    kind: Ligand,
    rng: np.random.Generator,
) -> np.ndarray:
    """A ligand on a site, clear of the particle and of the ligands already there, all of it `around`, (n, 3) nm."""
    from scipy.spatial import cKDTree

    at = particle.positions[site]
    foot = at.mean(axis=0)
    tree = cKDTree(np.delete(around, site, axis=0))
    axes = _axes(outward(foot[None])[0], at[-1] - at[0])

    def clearance(x: np.ndarray) -> float:
        return float(tree.query(x)[0].min())

    return any_surface.standing(
        shapes, foot, lambda: (turn @ axes for turn in any_surface.turns(kind, 0.0, rng)), clearance, kind
    )


def _axes(up: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal rows: the first `along` a pair, or anywhere where that is zero, the last as nearly `up` as can
    be."""
    first = along if along.any() else np.cross(up, np.eye(3)[int(np.argmin(np.abs(up)))])
    first = first / np.linalg.norm(first)
    last = up - (up @ first) * first
    last /= np.linalg.norm(last)
    return np.array([first, np.cross(last, first), last])
