"""Coordinates of a molecule grown from its backbone's torsions, side groups and rings included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oracles.openmm.build.geometry import dihedral, extend, frame
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.perception import ring_systems
from oracles.openmm.forcefield.parameters import Parameters

AZIMUTHS = 12
"""Torsions of which a side group takes the one that keeps it clearest of the atoms before it."""


def grow(
    molecule: Molecule, parameters: Parameters, backbone_torsions: np.ndarray, hands: np.ndarray | None = None
) -> np.ndarray:
    """(n, 3) nm: backbone from its torsions (degrees), side atoms at 120 degrees about the bonds, rings in one piece.

    Bond lengths and angles are the force field's, those of rings UFF's. Torsions about a ring's bonds are the ring's
    own, whatever `backbone_torsions` says of them. `hands` (backbone atoms,), 1 or -1, says on which side of each
    backbone atom, seen along the chain, its first side group is: +1 everywhere is isotactic. The molecule must have
    three atoms in a row.
    """
    growing = _Growing(molecule, parameters)
    chain = _spine(molecule)
    growing.begin(chain)
    for k, torsion in enumerate(np.deg2rad(backbone_torsions)):
        if not growing.placed[chain[k + 3]]:
            growing.place(chain[k + 3], chain[k + 2], chain[k + 1], chain[k], torsion)
    turn = {} if hands is None else dict(zip(chain, hands, strict=False))
    queue = [*chain, *(int(i) for i in np.flatnonzero(growing.placed) if i not in chain)]
    while queue:
        parent = queue.pop(0)
        queue += growing.complete(parent, parent in chain, float(turn.get(parent, 1.0)))
    return growing.x


def _spine(molecule: Molecule) -> list[int]:
    """The backbone, lengthened to three atoms where it is shorter."""
    chain = [int(i) for i in molecule.backbone]
    while len(chain) < 3:
        end = next(end for end in (-1, 0) if set(molecule.neighbours[chain[end]]) - set(chain))
        added = min(set(molecule.neighbours[chain[end]]) - set(chain))
        chain.insert(len(chain) if end == -1 else 0, added)
    return chain


class _Growing:
    """A molecule of which `x` (n, 3) nm is known where `placed`."""

    def __init__(self, molecule: Molecule, parameters: Parameters) -> None:
        self._neighbours = molecule.neighbours
        self._heavy = np.array([element != "H" for element in molecule.elements])
        self._lengths = {frozenset((i, j)): r for i, j, r, _ in parameters.bonds}
        self._angles = {(j, frozenset((i, k))): theta for i, j, k, theta, _ in parameters.angles}
        self._rings = {atom: ring for ring in ring_systems(molecule.smiles) for atom in ring.core}
        self.x = np.full((len(molecule.elements), 3), np.nan)

    @property
    def placed(self) -> np.ndarray:
        return np.asarray(~np.isnan(self.x[:, 0]))

    def begin(self, chain: Sequence[int]) -> None:
        """Place the first three atoms of the chain, the second on the x axis, or the ring that they begin with."""
        first, second, third = chain[:3]
        ring = self._rings.get(second) or self._rings.get(first)
        if ring is not None:
            self.x[ring.atoms] = ring.x
        else:
            self.x[first] = 0.0
            self.x[second] = (self._lengths[frozenset((first, second))], 0.0, 0.0)
            bend = np.pi - self._angles[second, frozenset((first, third))]
            reach = self._lengths[frozenset((second, third))]
            self.x[third] = self.x[second] + reach * np.array([np.cos(bend), np.sin(bend), 0.0])
        if not self.placed[third]:
            reference = next(j for j in self._neighbours[first] if j != second and self.placed[j])
            self.place(third, second, first, reference, np.pi)

    def place(self, atom: int, parent: int, grandparent: int, reference: int, torsion: float) -> None:
        """Place an atom and, where its parent is in a ring not yet there, that ring."""
        x = self.x
        length = self._lengths[frozenset((atom, parent))]
        angle = self._angles[parent, frozenset((atom, grandparent))]
        x[atom] = extend(x[reference], x[grandparent], x[parent], length, angle, torsion)
        ring = self._rings.get(parent)
        if ring is None or self.placed[ring.atoms].all():
            return
        own = dict(zip(ring.atoms.tolist(), ring.x, strict=True))
        turn = frame(x[grandparent], x[parent], x[atom]) @ frame(own[grandparent], own[parent], own[atom]).T
        for new in ring.atoms[~self.placed[ring.atoms] | (ring.atoms == atom)]:
            x[new] = x[parent] + turn @ (own[int(new)] - own[parent])

    def complete(self, parent: int, on_backbone: bool, hand: float) -> list[int]:
        """Place the neighbours of a placed atom that are missing, and return the atoms that are new."""
        before = self.placed
        around = self._neighbours[parent]
        missing = [j for j in around if not before[j]]
        if not missing:
            return []
        # an axis to turn about: a placed neighbour that itself has another one
        grandparent, reference = next(
            (a, b) for a in around if before[a] for b in self._neighbours[a] if b != parent and before[b]
        )
        siblings = [j for j in around if before[j] and j != grandparent]
        step = hand * 2 * np.pi / (len(around) - 1)
        if siblings:
            taken = dihedral(self.x[reference], self.x[grandparent], self.x[parent], self.x[siblings[0]])
            self._fan(missing, parent, grandparent, reference, taken + step, step)
        elif on_backbone or not self._heavy[missing].any():
            self._fan(missing, parent, grandparent, reference, np.pi, step)
        else:
            self._clearest(missing, parent, grandparent, reference, step)
        return [int(i) for i in np.flatnonzero(self.placed & ~before)]

    def _fan(
        self, missing: Sequence[int], parent: int, grandparent: int, reference: int, torsion: float, step: float
    ) -> None:
        for k, atom in enumerate(missing):
            if not self.placed[atom]:  # a ring brings all of its neighbours
                self.place(atom, parent, grandparent, reference, torsion + k * step)

    def _clearest(self, missing: Sequence[int], parent: int, grandparent: int, reference: int, step: float) -> None:
        """Fan out at the azimuth, trans first, that leaves the new atoms farthest from all others."""
        start, before = self.x.copy(), self.placed
        others = before.copy()
        others[[parent, grandparent]] = False
        best, clearance = start, -1.0
        for azimuth in np.pi + np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS:
            self.x = start.copy()
            self._fan(missing, parent, grandparent, reference, azimuth, step)
            new = self.x[self.placed & ~before]
            nearest = float(np.linalg.norm(new[:, None] - self.x[others][None], axis=-1).min())
            if nearest > clearance + 1e-9:
                best, clearance = self.x, nearest
        self.x = best
