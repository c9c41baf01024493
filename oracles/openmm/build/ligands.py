"""Ligands on the faces of a slab, bound by oxygens of the surface, which stay frozen with it.

All else of a ligand is mobile and has the parameters of the free molecule. Ligand and anchors together have the charge
of the hydroxyl groups they replace: exchanging one for the other leaves the surface's charge, and with it `dq`, as it
was. Every metal bound to an anchor holds the metal-O-X angle, as for hydroxyls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from loop.seeds import derive
from oracles.openmm.build import sites
from oracles.openmm.build.conformers import conformers, height
from oracles.openmm.build.geometry import wrapped
from oracles.openmm.build.heads import Ligand, ligand
from oracles.openmm.build.packing import AVOGADRO
from oracles.openmm.build.particle import Particle
from oracles.openmm.build.slab import Slab, folded
from oracles.openmm.forcefield import sage, silicon
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.materials import catalogue
from oracles.openmm.materials.volume import molar_volume

BOND_RISE = 0.127
"""nm per bond along an extended alkane: half its repeat of 0.254 nm in the crystal."""
CLEARANCE = 0.3
"""nm kept between a ligand's highest atom and the opposite surface."""
TURNS = 12
"""Azimuths of each shape of which a ligand takes the one that keeps it clearest of slab and other ligands."""
REACH = 1.0
"""nm; atoms of the slab deeper below a face than this do not matter to where its ligands stand."""


@dataclass(frozen=True)
class Ligands:
    """Ligands of a surface: anchors (k, anchors each) as indices of the oxide, positions (k, n, 3) nm of all but them.

    `parameters` are those of the neutral bound molecule, its anchors first. angles: (metal, anchor, index of the
    ligand, index in its molecule of the atom that holds the anchor, equilibrium angle in rad) of every metal-O-X angle.
    """

    kind: Ligand
    parameters: Parameters
    anchors: np.ndarray
    positions: np.ndarray
    angles: tuple[tuple[int, int, int, int, float], ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """Of all but the anchors, ligand by ligand."""
        return self.kind.bound.elements[self.kind.binds :] * len(self.anchors)

    @property
    def charges(self) -> np.ndarray:
        """e, of all but the anchors, ligand by ligand."""
        return np.tile(self.parameters.charges[self.kind.binds :], len(self.anchors))

    def provenance(self) -> dict[str, str]:
        """Head group and binding, charge rule and where the parameters come from."""
        silanol = {"silicon": catalogue.data("silicon")["source"]} if "Si" in self.kind.free.elements else {}
        return {
            "head": self.kind.head,
            "smiles": self.kind.smiles,
            "binding": catalogue.heads()[self.kind.head]["source"],
            "charge_rule": catalogue.anchor()["charge"]["source"],
            **sage.sources(),
            **silanol,
        }

    def heads(self, first: int) -> list[int]:
        """Particles of the heads: what is up to two bonds beyond an atom that holds an anchor; numbered as `places`."""
        around = self.kind.bound.neighbours
        near = set(self.kind.holders).union(*(around[i] for i in self.kind.holders))
        near = near.union(*(around[i] for i in near)) - set(range(self.kind.binds))
        return [at[part] for at in self.places(first) for part in sorted(near)]

    def places(self, first: int) -> list[list[int]]:
        """Particles of each ligand's atoms, those that are not the slab's counted from `first`."""
        own = self.kind.own
        return [[*site.tolist(), *range(first + k * own, first + (k + 1) * own)] for k, site in enumerate(self.anchors)]


def layer_height(name: object, per_area: float) -> float:
    """nm of the gap that `per_area` ligands per nm^2 of one face take, as a liquid of the free molecules."""
    return per_area * molar_volume(ligand(name).free.smiles) / AVOGADRO


def parametrise(name: object, cache: Path | None = None) -> tuple[Ligand, Parameters]:
    """The bound ligand, neutral with its anchors, with the parameters of the free molecule."""
    kind = ligand(name)
    assign = silicon.assign if "Si" in kind.free.elements else sage.assign
    full = assign(kind.free, cache)
    kept = len(kind.bound.elements)
    charges = full.charges[:kept].copy()
    for atom, charge in kind.charges.items():
        charges[atom] = charge
    charges[: kind.binds] = -charges[kind.binds :].sum() / kind.binds
    sigma, epsilon = full.sigma[:kept].copy(), full.epsilon[:kept].copy()
    core, acid = catalogue.anchor()["hydroxyl_hydrogen"], _on_oxygen(kind)
    sigma[acid], epsilon[acid] = core["sigma"], core["epsilon"]
    return kind, replace(
        full,
        charges=charges,
        sigma=sigma,
        epsilon=epsilon,
        bonds=tuple(term for term in full.bonds if max(term[:2]) < kept),
        angles=tuple(term for term in full.angles if max(term[:3]) < kept),
        torsions=tuple(term for term in full.torsions if max(term[:4]) < kept),
    )


def _on_oxygen(kind: Ligand) -> list[int]:
    """Hydrogens of the bound molecule's own hydroxyl groups."""
    elements, around = kind.bound.elements, kind.bound.neighbours
    return [i for i, element in enumerate(elements) if element == "H" and elements[around[i][0]] == "O"]


def add_ligands(slab: Slab, name: object, per_face: int, gap: float, seed: int, cache: Path | None = None) -> Ligands:
    """Ligands on `per_face` sites of each face under a gap (nm) to the slab's image, at random but apart.

    Raises ValueError where a face has not so many sites, or the gap is too low for every shape of the ligand.
    """
    rng = np.random.default_rng(derive(seed, "ligands"))
    kind, parameters = parametrise(name, cache)
    shapes = shapes_within(name, gap)
    anchors: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    for face, flip in ((slab.upper, (1, 1, 1)), (slab.lower, (1, -1, -1))):
        depth = np.abs(slab.positions[:, 2] - slab.positions[face, 2].mean())
        around = [slab.positions[depth < REACH]]
        for site in sites.choose(slab, face, kind.head, per_face, rng):
            x = _upon(slab, site, flip, np.concatenate(around), shapes, kind, rng)
            around.append(x)
            anchors.append(site)
            positions.append(x)
    return bound(slab, kind, parameters, anchors, positions)


def bound(
    oxide: Slab | Particle, kind: Ligand, parameters: Parameters, anchors: list[np.ndarray], positions: list[np.ndarray]
) -> Ligands:
    """The ligands on their anchors, with the angles that these hold."""
    theta = np.deg2rad(catalogue.anchor()["angle"]["angle"])
    angles = [
        (int(metal), int(atom), k, holder, theta)
        for k, site in enumerate(anchors)
        for atom, holder in zip(site, kind.holders, strict=True)
        for metal in oxide.bound_metals(int(atom))
    ]
    return Ligands(kind, parameters, np.array(anchors), np.array(positions), tuple(angles))


def shapes_within(name: object, gap: float) -> list[np.ndarray]:
    """Shapes of a ligand that a gap (nm) is high enough for. Raises ValueError where there is none."""
    shapes = [x for x in conformers(name) if height(x) <= gap - CLEARANCE]
    if not shapes:
        raise ValueError(f"ligand {name!r} needs {lowest(name):.2f} nm and the gap is {gap:.2f} nm high")
    return shapes


def room(name: object, per_face: int, area: float, gap: float) -> float:
    """nm between two surfaces whose ligands take their layers on top of the polymer's gap."""
    return gap + 2 * layer_height(name, per_face / area)


@cache
def lowest(name: object) -> float:
    """nm of gap that the flattest shape of a ligand needs."""
    return min(height(x) for x in conformers(name)) + CLEARANCE


@cache
def contour(name: object) -> float:
    """nm along the bonds from an anchor to the end of the extended ligand."""
    around, ahead, seen, steps = ligand(name).bound.neighbours, {0}, {0}, 0
    while ahead := {j for i in ahead for j in around[i]} - seen:
        seen |= ahead
        steps += 1
    return BOND_RISE * steps


@cache
def longest(name: object) -> float:
    """nm from the anchors to the top of the tallest shape."""
    return max(height(x) for x in conformers(name))


def _upon(
    slab: Slab,
    site: np.ndarray,
    flip: tuple[int, int, int],
    around: np.ndarray,
    shapes: list[np.ndarray],
    kind: Ligand,
    rng: np.random.Generator,
) -> np.ndarray:
    """A ligand on a site of a slab's face, clear of what is `around`, (n, 3) nm, on the same face."""
    from scipy.spatial import cKDTree

    at = slab.positions[site]
    along = wrapped(at[-1:] - at[:1], slab.lateral)[0]
    foot = at[0] + along / 2
    others = around[np.linalg.norm(around[:, None] - at[None], axis=-1).min(axis=1) > 1e-6]
    period = np.array([*slab.lateral, 1e3])
    raised = np.array([0.0, 0.0, period[2] / 2])
    tree = cKDTree(folded(others + raised, period), boxsize=period)

    def clearance(x: np.ndarray) -> float:
        return float(tree.query(folded(x + raised, period))[0].min())

    axis = float(np.arctan2(along[1] * flip[1], along[0]))
    return standing(shapes, foot, lambda: (turn * flip for turn in turns(kind, axis, rng)), clearance, kind)


def standing(
    shapes: list[np.ndarray],
    foot: np.ndarray,
    ways: Callable[[], Iterable[np.ndarray]],
    clearance: Callable[[np.ndarray], float],
    kind: Ligand,
) -> np.ndarray:
    """The shape on a `foot` (3,) nm without its anchors, (n, 3) nm, and of the `ways` to turn it, (3, 3) each and drawn
    anew for each shape, the one by which its atoms beyond those that hold the anchors have the most `clearance`."""
    free = np.setdiff1d(np.arange(len(kind.bound.elements)), [*range(kind.binds), *kind.holders])
    best, widest = np.empty((0, 3)), -1.0
    for shape in shapes:
        for way in ways():
            x = foot + shape @ way
            nearest = clearance(x[free]) if len(free) else 0.0
            if nearest > widest:
                best, widest = x[kind.binds :], nearest
    return best


def turns(kind: Ligand, axis: float, rng: np.random.Generator) -> Iterable[np.ndarray]:
    """Rotations (3, 3) of rows about the normal: any, or the two that lay two anchors' axis along their site's, which
    is at an angle of `axis` (rad) from x."""
    angles = rng.uniform(0, 2 * np.pi, TURNS) if kind.binds == 1 else (axis, axis + np.pi)
    for angle in angles:
        c, s = np.cos(angle), np.sin(angle)
        yield np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
