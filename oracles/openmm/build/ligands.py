"""Alkoxide ligands on the faces of a slab: O-R, whose oxygen is a surface oxygen and frozen with the slab.

R and its oxygen have the alcohol's Sage parameters. The charge of the alcohol's hydroxyl hydrogen goes to the oxygen,
so that ligand and oxygen together are neutral; the charge the bulk oxygen had is made up for by the metals (`dq`).
Every metal bound to the oxygen holds the metal-O-C angle, as for hydroxyls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from loop.seeds import derive
from oracles.openmm.build.chains import grow
from oracles.openmm.build.hydroxyls import bound_metals
from oracles.openmm.build.molecules import Molecule, molecule
from oracles.openmm.build.packing import volume
from oracles.openmm.build.slab import Slab
from oracles.openmm.forcefield import sage
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.materials import catalogue

OXYGEN = 0
"""Index of an alkoxide's oxygen, which is the anchor."""
SITE_CANDIDATES = 10
TRIES = 50
TURNS = 12
"""Azimuths of which a ligand takes the one that keeps it clearest of slab and other ligands."""


@dataclass(frozen=True)
class Ligands:
    """Ligands of both faces: one alkoxide, its anchors (slab indices) and the positions of R on each, (k, n, 3) nm.

    angles: (metal, index into `anchors`, equilibrium angle in rad) of every metal-O-C angle.
    """

    molecule: Molecule
    parameters: Parameters
    anchors: np.ndarray
    positions: np.ndarray
    angles: tuple[tuple[int, int, float], ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """Of R, ligand by ligand."""
        return self.molecule.elements[1:] * len(self.anchors)

    @property
    def charges(self) -> np.ndarray:
        """e, of R, ligand by ligand."""
        return np.tile(self.parameters.charges[1:], len(self.anchors))


def alkoxide(name: object) -> Molecule:
    """The alkoxide of the catalogue, its oxygen first, its backbone from there. Raises UnknownMaterial."""
    return _graph("[O]" + catalogue.ligand(name)["alcohol"].removeprefix("O"))


def ligand_charge(model: str) -> float:
    """e that one ligand adds to the surface: it is neutral with its oxygen, which had the bulk's charge."""
    return -float(catalogue.data(model)["oxygen"]["bulk"]["charge"])


@cache
def layer_height(name: str, per_area: float) -> float:
    """nm of the gap that `per_area` ligands per nm^2 of one face take."""
    from oracles.openmm.build.assemble import atomic_mass

    mass = sum(atomic_mass(element) for element in alkoxide(name).elements[1:])
    return per_area * volume(mass, catalogue.ligand(name)["density"]["value"])


def parametrise(name: object, model: str, cache: Path | None = None) -> tuple[Molecule, Parameters]:
    """The alkoxide with the parameters of its alcohol; the oxygen's core is the oxide model's."""
    alcohol, kept = _graph(catalogue.ligand(name)["alcohol"]), alkoxide(name)
    full = sage.assign(alcohol, cache)
    (hydrogen,) = (j for j in alcohol.neighbours[OXYGEN] if alcohol.elements[j] == "H")
    stay = [i for i in range(len(alcohol.elements)) if i != hydrogen]
    new = {old: index for index, old in enumerate(stay)}
    charges, sigma, epsilon = (values[stay] for values in (full.charges, full.sigma, full.epsilon))
    charges[OXYGEN] += full.charges[hydrogen]
    core = catalogue.data(model)["oxygen"]["bulk"]
    sigma[OXYGEN], epsilon[OXYGEN] = core["sigma"], core["epsilon"]
    bond = catalogue.anchor()["bond"]
    anchored = (bond["length"], bond["stiffness"])
    bonds = [(new[i], new[j], r, k) for i, j, r, k in full.bonds if hydrogen not in (i, j)]
    return kept, replace(
        full,
        charges=charges,
        sigma=sigma,
        epsilon=epsilon,
        bonds=tuple((i, j, *(anchored if OXYGEN in (i, j) else (r, k))) for i, j, r, k in bonds),
        angles=tuple(
            (new[i], new[j], new[k], theta, stiffness)
            for i, j, k, theta, stiffness in full.angles
            if hydrogen not in (i, j, k)
        ),
        torsions=tuple(
            (new[i], new[j], new[k], new[m], periodicity, phase, barrier)
            for i, j, k, m, periodicity, phase, barrier in full.torsions
            if hydrogen not in (i, j, k, m)
        ),
    )


def add_ligands(slab: Slab, name: object, per_face: int, model: str, seed: int, cache: Path | None = None) -> Ligands:
    """Ligands on `per_face` oxygens of each face, at random but no closer than the catalogue's spacing.

    The first carbon is straight above its oxygen: were the backbone's axis upright instead, a substituent of that
    carbon would start in a hollow of the slab and slip inside. Raises ValueError where a face has not so many sites.
    """
    rng = np.random.default_rng(derive(seed, "ligands"))
    kind, parameters = parametrise(name, model, cache)
    upright = _upright(kind, parameters)
    theta = np.deg2rad(catalogue.anchor()["angle"]["angle"])
    anchors: list[int] = []
    positions: list[np.ndarray] = []
    for face, flip in ((slab.upper, (1, 1, 1)), (slab.lower, (1, -1, -1))):
        standing = [slab.positions]
        for site in spread_apart(slab.positions[face, :2], per_face, slab.lateral, rng):
            atom = int(face[site])
            standing.append(_turned(upright * flip, slab.positions[atom], standing, slab.lateral, rng))
            anchors.append(atom)
        positions += standing[1:]
    angles = [(int(metal), k, theta) for k, atom in enumerate(anchors) for metal in bound_metals(slab, atom)]
    return Ligands(kind, parameters, np.array(anchors), np.array(positions), tuple(angles))


def capacity(slab: Slab) -> int:
    """Most ligands that one face holds at their spacing."""
    return min(len(_densest(_blocks(slab.positions[face, :2], slab.lateral))) for face in (slab.lower, slab.upper))


def blocked(slab: Slab, anchors: Sequence[int] | np.ndarray) -> np.ndarray:
    """Exposed oxygens that carry no hydroxyl for the ligands' sake: the anchors, and those too near to one."""
    exposed = np.concatenate([slab.lower, slab.upper])
    if not len(anchors):
        return np.array([], dtype=int)
    apart = slab.positions[exposed][:, None] - slab.positions[np.asarray(anchors)][None]
    apart[..., :2] -= np.round(apart[..., :2] / slab.lateral) * slab.lateral
    near = np.linalg.norm(apart, axis=-1) < catalogue.anchor()["hydroxyl_spacing"]["value"]
    return np.asarray(exposed[near.any(axis=1)])


def spread_apart(points: np.ndarray, n: int, lateral: tuple[float, float], rng: np.random.Generator) -> list[int]:
    """n of the points, random but apart, each the farthest from those before it among a few candidates (Mitchell,
    SIGGRAPH 1991, 157), and none within the ligands' spacing of another.

    points (m, 2) in a periodic rectangle. Where chance does not find so many, some of the densest arrangement. Raises
    ValueError where that has fewer.
    """
    near = _blocks(points, lateral)
    distances = _distances(points, lateral)
    for _ in range(TRIES):
        chosen: list[int] = []
        free = np.flatnonzero(~near[chosen].any(axis=0))
        while len(chosen) < n and len(free):
            candidates = rng.choice(free, size=min(SITE_CANDIDATES, len(free)), replace=False)
            farthest = np.argmax(distances[candidates][:, chosen].min(axis=1)) if chosen else 0
            chosen.append(int(candidates[farthest]))
            free = np.flatnonzero(~near[chosen].any(axis=0))
        if len(chosen) == n:
            return chosen
    densest = _densest(near)
    if len(densest) < n:
        raise ValueError(f"{n} ligands do not fit on a face with room for {len(densest)}; use fewer")
    return [int(i) for i in rng.choice(densest, size=n, replace=False)]


def _densest(near: np.ndarray) -> list[int]:
    """Indices of a densest arrangement: the largest of many found by taking, from some first site, the site that blocks
    the fewest of those still free."""
    best: list[int] = []
    for first in range(len(near)):
        chosen, free = [first], ~near[first]
        while free.any():
            cost = np.where(free, (near & free).sum(axis=1), len(near) + 1)
            pick = int(np.argmin(cost))
            chosen.append(pick)
            free &= ~near[pick]
        best = max(best, chosen, key=len)
    return best


def _blocks(points: np.ndarray, lateral: tuple[float, float]) -> np.ndarray:
    """(m, m) whether two points (or one and itself) are closer than ligands may be."""
    return np.asarray(_distances(points, lateral) < catalogue.anchor()["spacing"]["value"])


def _distances(points: np.ndarray, lateral: tuple[float, float]) -> np.ndarray:
    apart = points[:, None] - points[None]
    apart -= np.round(apart / lateral) * lateral
    return np.asarray(np.linalg.norm(apart, axis=-1))


def _graph(smiles: str) -> Molecule:
    """A molecule of one unit whose backbone runs from its first atom to the carbon farthest from it."""
    from rdkit import Chem

    heavy = Chem.MolFromSmiles(smiles)
    steps = np.where([atom.GetSymbol() == "C" for atom in heavy.GetAtoms()], Chem.GetDistanceMatrix(heavy)[OXYGEN], 0)
    backbone = Chem.GetShortestPath(heavy, OXYGEN, int(np.argmax(steps)))
    return molecule(smiles, np.zeros(heavy.GetNumAtoms(), dtype=int), backbone)


def _upright(kind: Molecule, parameters: Parameters) -> np.ndarray:
    """(n, 3) nm of R from the oxygen at the origin, its first carbon above it and the backbone straight."""
    from scipy.spatial.transform import Rotation

    x = grow(kind, parameters, np.full(len(kind.backbone) - 3, 180.0))
    x = x - x[OXYGEN]
    bond = x[kind.backbone[1]]
    turn, _ = Rotation.align_vectors([[0.0, 0.0, 1.0]], [bond / np.linalg.norm(bond)])
    return np.asarray(turn.apply(x)[1:])


def _turned(
    upright: np.ndarray,
    anchor: np.ndarray,
    others: Sequence[np.ndarray],
    lateral: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """R standing on its anchor, (n, 3) nm, turned about the normal to keep its atoms beyond the first carbon clear of
    the slab and of the others on its face."""
    around = np.concatenate(others)
    around = around[np.linalg.norm(around - anchor, axis=1) > 1e-6]
    best, clearance = upright, -1.0
    for angle in rng.uniform(0, 2 * np.pi, TURNS):
        c, s = np.cos(angle), np.sin(angle)
        x = anchor + upright @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        apart = x[1:, None] - around[None]
        apart[..., :2] -= np.round(apart[..., :2] / lateral) * lateral
        nearest = float(np.linalg.norm(apart, axis=-1).min())
        if nearest > clearance:
            best, clearance = x, nearest
    return best
