"""Shapes that a bound ligand stands in: one extended, the others coiled, all upright on its anchors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.seeds import derive
from oracles.openmm.build.geometry import dihedral
from oracles.openmm.build.heads import Ligand, ligand
from oracles.openmm.build.perception import mapped

if TYPE_CHECKING:
    from rdkit.Chem import Mol

RELAXATION = 500
"""Steps; a minimiser of dynamics then starts from bonds and angles near its own."""
COILS = 15
TRIES = 300
"""Draws of coils; those that fold back on themselves or to the surface are thrown away."""
CLEAR = 0.2
"""nm, least distance of atoms of a coil more than three bonds apart, hydrogens aside."""
LOWEST = 0.12
"""nm above the anchors that a coil's atoms stay, hydrogens and the atoms that hold the anchors aside."""
GAUCHE, GAUCHE_ANGLE, WIDTH = 0.45, 65.0, 10.0
"""Share of gauche bonds (both signs) in a coil, their angle from cis and the spread of all torsions, degrees: near
those of a molten alkane."""


@cache
def conformers(name: object) -> tuple[np.ndarray, ...]:
    """(n, 3) nm each, the extended one first: atoms of `ligand(name).bound`, its anchor at the origin, or two along x
    with their middle there. The same for the same molecule, whatever the surface."""
    kind = ligand(name)
    graph = _embedded(kind)
    turns = _rotatable(kind, graph)
    shape = graph.GetConformer().GetPositions() / 10
    rng = np.random.default_rng(derive(0, "conformers", kind.free.smiles))
    shapes = [upright(_turned(shape, turns, np.full(len(turns), 180.0)), kind)]
    far, heavy = _far(graph), _heavy(graph)
    heavy[[*range(kind.binds), *kind.holders]] = False
    for _ in range(TRIES if turns else 0):
        coil = upright(_turned(shape, turns, _states(len(turns), rng)), kind)
        if _clear(coil, far) and coil[heavy, 2].min() > LOWEST:
            shapes.append(coil)
        if len(shapes) > COILS:
            break
    return tuple(x[: len(kind.bound.elements)] for x in shapes)


def height(shape: np.ndarray) -> float:
    """nm that an upright ligand needs above its anchors."""
    return float(shape[:, 2].max())


def upright(x: np.ndarray, kind: Ligand) -> np.ndarray:
    """The shape turned and moved onto its anchors, the atoms that hold them straight above.

    Were the chain's axis upright instead, a substituent of the holding atom would start in a hollow of the slab and
    slip inside.
    """
    x = x - x[: kind.binds].mean(axis=0)
    up = x[list(kind.holders)].mean(axis=0)
    up = up / np.linalg.norm(up)
    along = x[1] - x[0] if kind.binds > 1 else np.eye(3)[int(np.argmin(np.abs(up)))]
    along = along - (along @ up) * up
    along /= np.linalg.norm(along)
    return np.asarray(x @ np.array([along, np.cross(up, along), up]).T)


def _embedded(kind: Ligand) -> Mol:
    """The free molecule with coordinates (ETKDG: Riniker, Landrum, J. Chem. Inf. Model. 2015, 55, 2562), relaxed by
    UFF."""
    from rdkit.Chem.rdDistGeom import EmbedMolecule
    from rdkit.Chem.rdForceFieldHelpers import UFFOptimizeMolecule

    graph = mapped(kind.free.smiles)
    if EmbedMolecule(graph, randomSeed=1) and EmbedMolecule(graph, randomSeed=1, useRandomCoords=True):
        raise ValueError(f"no shape can be drawn of {kind.free.smiles}")
    UFFOptimizeMolecule(graph, maxIters=RELAXATION)
    return graph


def _rotatable(kind: Ligand, graph: Mol) -> list[tuple[tuple[int, int, int, int], np.ndarray]]:
    """(four atoms, atoms that turn) of every bond between sp3 atoms outside rings, and of the head's own bonds: from
    the anchors outwards, the fourth atom on the way to the farthest end."""
    from rdkit import Chem

    steps = Chem.GetDistanceMatrix(graph)
    out = steps[:, 0]
    found = []
    for bond in graph.GetBonds():
        ends = sorted((bond.GetBeginAtom(), bond.GetEndAtom()), key=lambda a: out[a.GetIdx()])
        near, far = (a.GetIdx() for a in ends)
        if bond.IsInRing() or not _turns(ends[1]) or not (near in kind.holders or _turns(ends[0])):
            continue
        before = [a.GetIdx() for a in ends[0].GetNeighbors() if out[a.GetIdx()] < out[near]]
        beyond = np.flatnonzero(steps[:, far] < steps[:, near])
        after = [a.GetIdx() for a in ends[1].GetNeighbors() if a.GetIdx() != near and a.GetAtomicNum() > 1]
        if before and after:
            reach = [max(steps[near, k] for k in beyond if steps[k, i] < steps[k, far]) for i in after]
            found.append(((before[0], near, far, after[int(np.argmax(reach))]), beyond[beyond != far]))
    return sorted(found, key=lambda turn: out[turn[0][1]])


def _turns(atom: Any) -> bool:
    from rdkit.Chem import HybridizationType

    return bool(atom.GetAtomicNum() > 1 and atom.GetHybridization() == HybridizationType.SP3)


def _states(bonds: int, rng: np.random.Generator) -> np.ndarray:
    """Torsions of a coil: trans or gauche, never gauche against the one before (a pentane clash)."""
    states = [0]
    for draw in rng.random(bonds):
        state = 0 if draw > GAUCHE else (1 if draw > GAUCHE / 2 else -1)
        states.append(0 if state * states[-1] < 0 else state)
    centres = np.where(np.array(states[1:]) == 0, 180.0, np.array(states[1:]) * GAUCHE_ANGLE)
    return np.asarray(centres + rng.normal(0.0, WIDTH, bonds))


def _turned(x: np.ndarray, turns: Sequence[Any], torsions: np.ndarray) -> np.ndarray:
    """The shape with its rotatable bonds at these torsions, degrees."""
    x = x.copy()
    for ((i, j, k, m), beyond), wanted in zip(turns, np.deg2rad(torsions), strict=True):
        axis = (x[k] - x[j]) / np.linalg.norm(x[k] - x[j])
        x[beyond] = x[k] + _about(axis, wanted - dihedral(x[i], x[j], x[k], x[m]), x[beyond] - x[k])
    return x


def _about(axis: np.ndarray, angle: float, x: np.ndarray) -> np.ndarray:
    """(n, 3) turned about a unit vector by an angle in rad (Rodrigues)."""
    along = np.outer(x @ axis, axis)
    return np.asarray(along + np.cos(angle) * (x - along) + np.sin(angle) * np.cross(axis, x))


def _far(graph: Mol) -> np.ndarray:
    """(pairs, 2) heavy atoms more than three bonds apart."""
    from rdkit import Chem

    heavy = _heavy(graph)
    return np.argwhere(np.triu((Chem.GetDistanceMatrix(graph) > 3) & heavy[:, None] & heavy))


def _heavy(graph: Mol) -> np.ndarray:
    return np.array([atom.GetAtomicNum() > 1 for atom in graph.GetAtoms()])


def _clear(x: np.ndarray, pairs: np.ndarray) -> bool:
    return not len(pairs) or bool(np.linalg.norm(x[pairs[:, 0]] - x[pairs[:, 1]], axis=1).min() > CLEAR)
