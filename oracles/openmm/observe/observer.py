"""What is read from sampled configurations of a film: one array of values per observable, one value per frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oracles.openmm.build.geometry import wrapped
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.observe.dipoles import Units
from oracles.openmm.observe.profiles import PREFIX, bins, order
from oracles.openmm.observe.structure import FIRST_LAYER, TRANS, backbone_dihedrals, dihedrals, trans_fractions
from oracles.openmm.simulate.energy import charges

if TYPE_CHECKING:
    import openmm

    from oracles.openmm.build.specimen import Specimen

CLOSEST_PERCENTILE = 5.0


@dataclass(frozen=True, eq=False)
class Seen:
    """Frames with what several observables need of them: `positions` (frames, N, 3) nm and box `heights` (frames,) nm;
    of monomers `distances` (frames, monomers) nm, `normals` (frames, monomers, 3) and `dipoles` (frames, monomers, 3)
    D; `angles` (frames, dihedrals) degrees."""

    positions: np.ndarray
    heights: np.ndarray
    distances: np.ndarray
    normals: np.ndarray
    dipoles: np.ndarray
    angles: np.ndarray

    @property
    def outward(self) -> np.ndarray:
        """(frames, monomers) dipoles along the normal, D."""
        return np.asarray((self.normals * self.dipoles).sum(-1))


class Observer:
    """Turns frames of one film into series.

    A monomer is in the first layer where its centre of mass is less than 0.38 nm from the outermost atom plane (the
    hydroxyl hydrogens' where there are any) of its nearest interface. Ligands move that plane outwards by what they
    fill of the gap: long ones keep every monomer farther than that from the oxide.
    """

    def __init__(self, film: Specimen) -> None:
        self.film = film
        self._masses = element_masses(film)
        self._units = Units(film.monomers, self._masses, charges(film.system))
        self._quads, self._pairs = backbone_dihedrals(film.backbones)

    def series(self, positions: np.ndarray, heights: np.ndarray) -> dict[str, np.ndarray]:
        """Per frame, from `positions` (frames, N, 3) nm and box heights (frames,) nm:

        - `count`, `count_lower`: monomers in the first layer, of all interfaces and of those that face up (a film's
          lower one, half of a particle's);
        - `dipole`, `dipole_lower`: sum of mu along the normal over them in D, positive away from the oxide;
        - `closest`: 5th percentile of the distance d over all monomers, nm; `deepest`: the least, nm;
        - `trans`: fraction of backbone dihedrals beyond 120 degrees; `tt`: fraction of neighbouring backbone dihedrals
          in one chain that are both trans. Every backbone atom counts, oxygens included, so that `tt` means the same
          for PVDF (beta-like dyads), PE and PEO;
        - `film_dipole`: mean mu_z over all monomers, D;
        - what `profiles` takes.
        """
        seen = self._seen(positions, heights)
        d, outward = seen.distances, seen.outward
        layer, lower = d < FIRST_LAYER, seen.normals[..., 2] > 0
        trans, tt = trans_fractions(seen.angles, self._pairs)
        return {
            **self._profiles(seen),
            "count": layer.sum(1).astype(float),
            "count_lower": (layer & lower).sum(1).astype(float),
            "dipole": (outward * layer).sum(1),
            "dipole_lower": (outward * (layer & lower)).sum(1),
            "closest": np.percentile(d, CLOSEST_PERCENTILE, axis=1),
            "deepest": d.min(1),
            "trans": trans,
            "tt": tt,
            "film_dipole": seen.dipoles[..., 2].mean(1),
        }

    def profiles(self, positions: np.ndarray, heights: np.ndarray) -> dict[str, np.ndarray]:
        """Sums (frames, bins) over what lies in each of the `bins` of d, from `positions` (frames, N, 3) nm and box
        heights (frames,) nm, all the same: `profile_mass` of atoms, amu; `profile_monomers`, how many, and
        `profile_dipole`, mu along the normal of them, D; `profile_chords` from backbone atom i to i + 3, how many,
        `profile_order`, P2 of them, and `profile_trans`, how many of their dihedrals are trans."""
        return self._profiles(self._seen(positions, heights))

    def _seen(self, positions: np.ndarray, heights: np.ndarray) -> Seen:
        distances, normals = self.distances(positions, heights)
        dipoles, angles = self._units.dipoles(positions), dihedrals(positions, self._quads)
        return Seen(positions, heights, distances, normals, dipoles, angles)

    def _profiles(self, seen: Seen) -> dict[str, np.ndarray]:
        positions, heights = seen.positions, seen.heights
        cut = bins(self.film, float(heights[0]))
        atoms, _ = self.nearest(positions[:, self.film.polymer], positions, heights)
        first, last = positions[:, self._quads[:, 0]], positions[:, self._quads[:, 3]]
        chords, normals = self.nearest((first + last) / 2, positions, heights)
        found = {
            "mass": cut.sums(atoms, self._masses[self.film.polymer]),
            "monomers": cut.sums(seen.distances),
            "dipole": cut.sums(seen.distances, seen.outward),
            "chords": cut.sums(chords),
            "order": cut.sums(chords, order(last - first, normals)),
            "trans": cut.sums(chords, np.abs(seen.angles) > TRANS),
        }
        return {PREFIX + name: values for name, values in found.items()}

    def wall_field(self, positions: np.ndarray, heights: np.ndarray, pulls: np.ndarray) -> dict[str, np.ndarray]:
        """Per frame, `near`, the monomers in the first layer, and two sums over them: `field` of |E| in V/nm, E being
        the field behind the Coulomb forces `pulls` (frames, N, 3) kJ/mol/nm of the surface, and `aligned` of mu E/|E|
        in D."""
        layer = self.first_layer(positions, heights)
        field = self._units.fields(pulls)
        strength = np.linalg.norm(field, axis=-1)
        along = (self._units.dipoles(positions) * field).sum(-1) / np.where(strength > 0, strength, 1.0)
        return {
            "near": layer.sum(1).astype(float),
            "field": (strength * layer).sum(1),
            "aligned": (along * layer).sum(1),
        }

    def distances(self, positions: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(frames, monomers) distance d nm of monomers from their nearest interface, and (frames, monomers, 3) its
        outward normal there."""
        return self.nearest(self._units.centres(positions), positions, heights)

    def nearest(self, x: np.ndarray, positions: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of any points `x` (frames, points, 3) nm of the frames `positions`."""
        first = self.film.slab[0]
        return self.film.distances(x, heights, positions[:, first] - self.film.positions[first])

    def first_layer(self, positions: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """(frames, monomers) whether a monomer is in the first layer."""
        return np.asarray(self.distances(positions, heights)[0] < FIRST_LAYER)

    def normal_dipoles(self, positions: np.ndarray) -> np.ndarray:
        """(frames, monomers) mu_z, D."""
        return np.asarray(self._units.dipoles(positions)[..., 2])

    def conformations(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`trans` and `tt` of `positions` (frames, N, 3) nm."""
        return trans_fractions(dihedrals(positions, self._quads), self._pairs)


def element_masses(film: Specimen) -> np.ndarray:
    """(N,) amu, the elements' own masses."""
    return np.array([atom.element.mass._value for atom in film.topology.atoms()])


class Thermometer:
    """Kinetic temperature of the mobile atoms from their velocities: T = 2 K / (f R)."""

    def __init__(self, system: openmm.System) -> None:
        self._masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
        self.freedom = 3 * int((self._masses > 0).sum()) - system.getNumConstraints()

    def __call__(self, velocities: np.ndarray) -> float:
        """K, from `velocities` (N, 3) nm/ps."""
        twice = float((self._masses[:, None] * velocities**2).sum())
        return float(twice / (self.freedom * GAS_CONSTANT))


class Bonds:
    """Lengths of the unconstrained bonds relative to their rest lengths (bonds of no stiffness are left out)."""

    def __init__(self, system: openmm.System) -> None:
        import openmm

        kept = []
        for force in system.getForces():
            if isinstance(force, openmm.HarmonicBondForce):
                kept += [force.getBondParameters(k) for k in range(force.getNumBonds())]
        kept = [bond for bond in kept if bond[3]._value > 0]
        self._atoms = np.array([bond[:2] for bond in kept], dtype=int).reshape(-1, 2)
        self._rest = np.array([bond[2]._value for bond in kept])
        self._lateral = np.diag([edge._value for edge in system.getDefaultPeriodicBoxVectors()])[:2]

    def stretch(self, positions: np.ndarray) -> np.ndarray:
        """(bonds,) length over rest length, averaged over the frames of `positions` (frames, N, 3)."""
        # a ligand bound by two oxygens may reach across the cell's edge
        ends = wrapped(positions[:, self._atoms[:, 0]] - positions[:, self._atoms[:, 1]], self._lateral)
        return np.asarray((np.linalg.norm(ends, axis=-1) / self._rest).mean(axis=0))


def arrays(context: openmm.Context, *wanted: str) -> tuple[Any, ...]:
    """`positions`, `velocities` (N, 3), `forces` or `box` (3,) of a Context as arrays in nm, ps, kJ/mol."""
    kinds = [name for name in wanted if name != "box"]
    state = context.getState(**dict.fromkeys(kinds, True))
    readers: dict[str, Callable[[], Any]] = {
        "positions": lambda: state.getPositions(asNumpy=True)._value,
        "velocities": lambda: state.getVelocities(asNumpy=True)._value,
        "forces": lambda: state.getForces(asNumpy=True)._value,
        "box": lambda: np.diag(state.getPeriodicBoxVectors(asNumpy=True)._value).copy(),
    }
    return tuple(readers[name]() for name in wanted)
