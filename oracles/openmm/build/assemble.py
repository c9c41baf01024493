"""OpenMM systems from slab, hydroxyls and molecules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from oracles.openmm.build.hydroxyls import Hydroxyls, hydroxyl_charge
from oracles.openmm.build.ligands import Ligands
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.build.particle import Particle
from oracles.openmm.build.slab import Slab
from oracles.openmm.forcefield.oxides import core, hydroxyl_gain
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.materials import catalogue

if TYPE_CHECKING:
    import openmm

Oxide = TypeVar("Oxide", bound=Slab | Particle)
BONDED, NONBONDED = 0, 1
"""Force groups."""
HYDROGEN_MASS = 3.0
"""amu of an organic hydrogen, taken from its heavy atom: 4 fs conserves energy (Hopkins et al., J. Chem. Theory
Comput. 2015, 11, 1864, 10.1021/ct5010406)."""
CUTOFF_SHARE = 0.485
"""Largest cut-off as a share of the smallest box edge, so that a compressed box still holds it."""
SWITCH_WIDTH = 0.1
EWALD_TOLERANCE = 5e-4


@dataclass(frozen=True)
class Surface(Generic[Oxide]):
    """A hydroxylated and grafted slab or particle: its atoms first, then the hydroxyl hydrogens, then the ligands, each
    without its anchors. charges (n,) e sum to zero."""

    slab: Oxide
    hydroxyls: Hydroxyls
    model: str
    ligands: Ligands | None = None

    @cached_property
    def dq(self) -> float:
        """e added to every metal atom to make the whole neutral."""
        return float(-self._bare_charges.sum() / len(self.slab.metals))

    @cached_property
    def charges(self) -> np.ndarray:
        charges = self._bare_charges.copy()
        charges[self.slab.metals] += self.dq
        return charges

    @property
    def elements(self) -> tuple[str, ...]:
        bare = (*self.slab.elements, *("H" for _ in self.hydroxyls.oxygens))
        return bare if self.ligands is None else (*bare, *self.ligands.elements)

    @property
    def positions(self) -> np.ndarray:
        bare = np.concatenate([self.slab.positions, self.hydroxyls.positions])
        return bare if self.ligands is None else np.concatenate([bare, *self.ligands.positions])

    @cached_property
    def _bare_charges(self) -> np.ndarray:
        oxide = catalogue.data(self.model)
        charges = self.slab.charges(self.model)
        charges[self.hydroxyls.oxygens] += hydroxyl_gain(self.model)
        hydrogens = np.full(len(self.hydroxyls.oxygens), oxide["hydrogen"]["charge"])
        if self.ligands is None:
            return np.append(charges, hydrogens)
        share = self.ligands.parameters.charges[: self.ligands.kind.binds]
        charges[self.ligands.anchors] += share + hydroxyl_charge(self.model)
        return np.concatenate([charges, hydrogens, self.ligands.charges])


def build_system(
    surface: Surface[Any], molecules: Sequence[tuple[Molecule, Parameters]], box: np.ndarray, cutoff: float
) -> openmm.System:
    """The full force field: bonded terms in group 0, PME in group 1, X-H bonds of molecules constrained."""
    system, forces = _bonded_system(surface, molecules, box, constrain=True)
    first = surface.slab.positions.shape[0]
    # bonds without stiffness: a barostat moves whatever is bonded together as one rigid body
    for atom in range(1, first):
        forces["bond"].addBond(0, atom, 0.0, 0.0)
    force = _nonbonded(surface, molecules, box, cutoff)
    system.addForce(force)
    return system


def build_flexible(
    surface: Surface[Any], molecules: Sequence[tuple[Molecule, Parameters]], box: np.ndarray
) -> openmm.System:
    """The bonded terms alone, without constraints: what a push-off adds a soft repulsion to. Ligands' heads are frozen:
    they stand as they should, and a crowd of chains would press them into the slab."""
    system = _bonded_system(surface, molecules, box, constrain=False)[0]
    if surface.ligands is not None:
        for atom in surface.ligands.heads(len(surface.elements) - len(surface.ligands.elements)):
            system.setParticleMass(atom, 0.0)
    return system


def build_isolated(molecule: Molecule, parameters: Parameters) -> openmm.System:
    """One molecule in free space, bonds flexible, no cut-off: for references and scans."""
    import openmm

    system = openmm.System()
    forces = _bonded_forces()
    add_bonded(system, forces, molecule, parameters, constrain=False)
    nonbonded = openmm.NonbondedForce()
    nonbonded.setForceGroup(NONBONDED)
    add_nonbonded(nonbonded, molecule, parameters)
    for force in (*forces.values(), nonbonded):
        system.addForce(force)
    return system


def _bonded_system(
    surface: Surface[Any], molecules: Sequence[tuple[Molecule, Parameters]], box: np.ndarray, constrain: bool
) -> tuple[openmm.System, dict[str, Any]]:
    import openmm

    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(box))
    forces = _bonded_forces()
    # the angles of hydroxyls reach metals across the cell's edge, and ligands any atom; nearest images cost a tenth of
    # a step, so that chains, which are whole, only pay where there are ligands
    forces["angle"].setUsesPeriodicBoundaryConditions(True)
    for name in ("bond", "torsion"):
        forces[name].setUsesPeriodicBoundaryConditions(surface.ligands is not None)
    _add_surface(system, forces, surface, constrain)
    for molecule, parameters in molecules:
        add_bonded(system, forces, molecule, parameters, constrain)
    for force in forces.values():
        system.addForce(force)
    return system, forces


def _bonded_forces() -> dict[str, Any]:
    import openmm

    forces = {
        "bond": openmm.HarmonicBondForce(),
        "angle": openmm.HarmonicAngleForce(),
        "torsion": openmm.PeriodicTorsionForce(),
    }
    for name, force in forces.items():
        force.setName(name)
        force.setForceGroup(BONDED)
    return forces


def _add_surface(system: openmm.System, forces: dict[str, Any], surface: Surface[Any], constrain: bool) -> None:
    oxide = catalogue.data(surface.model)
    for _ in surface.slab.elements:
        system.addParticle(0.0)
    first = system.getNumParticles()
    bond, angle = oxide["hydroxyl_bond"], oxide["hydroxyl_angle"]
    for k, oxygen in enumerate(surface.hydroxyls.oxygens):
        system.addParticle(oxide["hydrogen_mass"]["value"])
        forces["bond"].addBond(int(oxygen), first + k, bond["length"], bond["stiffness"])
    for metal, k, theta in surface.hydroxyls.angles:
        oxygen = int(surface.hydroxyls.oxygens[k])
        forces["angle"].addAngle(metal, oxygen, first + k, theta, angle["stiffness"])
    if surface.ligands is not None:
        _add_ligands(system, forces, surface.ligands, constrain)


def _add_ligands(system: openmm.System, forces: dict[str, Any], ligands: Ligands, constrain: bool) -> None:
    stiffness = catalogue.anchor()["angle"]["stiffness"]
    places = ligands.places(system.getNumParticles())
    for anchors in ligands.anchors.tolist():
        add_bonded(system, forces, ligands.kind.bound, ligands.parameters, constrain, anchors)
    for metal, anchor, k, holder, theta in ligands.angles:
        forces["angle"].addAngle(metal, anchor, places[k][holder], theta, stiffness)


def add_bonded(
    system: openmm.System,
    forces: dict[str, Any],
    molecule: Molecule,
    parameters: Parameters,
    constrain: bool,
    anchors: Sequence[int] = (),
) -> None:
    """The molecule's atoms with their bonded terms; `constrain` holds its X-H bonds at their length. Where there are
    `anchors`, those particles are the molecule's first atoms."""
    at = _places(system.getNumParticles(), molecule, anchors)
    for mass in repartitioned_masses(molecule)[len(anchors) :]:
        system.addParticle(mass)
    for i, j, length, stiffness in parameters.bonds:
        if constrain and "H" in (molecule.elements[i], molecule.elements[j]):
            system.addConstraint(at[i], at[j], length)
        else:
            forces["bond"].addBond(at[i], at[j], length, stiffness)
    for i, j, k, theta, stiffness in parameters.angles:
        forces["angle"].addAngle(at[i], at[j], at[k], theta, stiffness)
    for i, j, k, m, periodicity, phase, barrier in parameters.torsions:
        forces["torsion"].addTorsion(*(at[a] for a in (i, j, k, m)), periodicity, phase, barrier)


def _places(first: int, molecule: Molecule, anchors: Sequence[int]) -> list[int]:
    """Particles of the molecule's atoms, those not yet there counted from `first`."""
    return [*anchors, *range(first, first + len(molecule.elements) - len(anchors))]


def repartitioned_masses(molecule: Molecule) -> np.ndarray:
    """(n,) amu, hydrogens at 3 and their heavy atoms lighter by what they gained."""
    masses = np.array([atomic_mass(element) for element in molecule.elements])
    for i, j in molecule.bonds:
        for hydrogen, heavy in ((i, j), (j, i)):
            if molecule.elements[hydrogen] == "H":
                masses[heavy] -= HYDROGEN_MASS - atomic_mass("H")
                masses[hydrogen] = HYDROGEN_MASS
    return masses


def atomic_mass(element: str) -> float:
    """amu."""
    from openmm import app, unit

    return float(app.Element.getBySymbol(element).mass.value_in_unit(unit.dalton))


def _nonbonded(
    surface: Surface[Any], molecules: Sequence[tuple[Molecule, Parameters]], box: np.ndarray, cutoff: float
) -> openmm.NonbondedForce:
    import openmm

    force = openmm.NonbondedForce()
    force.setName("nonbonded")
    force.setForceGroup(NONBONDED)
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    reach = min(cutoff, CUTOFF_SHARE * float(min(box)))
    force.setCutoffDistance(reach)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(reach - SWITCH_WIDTH)
    force.setUseDispersionCorrection(True)
    force.setEwaldErrorTolerance(EWALD_TOLERANCE)
    force.setExceptionsUsePeriodicBoundaryConditions(True)
    oxide = catalogue.data(surface.model)
    hydroxylated = set(surface.hydroxyls.oxygens.tolist())
    n = len(surface.slab.elements)
    grafted = n + len(surface.hydroxyls.oxygens)
    for atom, charge in enumerate(surface.charges[:grafted]):
        site = surface.slab.sites[atom] if atom < n else None
        kind = core(surface.model, surface.slab.oxide, site, atom in hydroxylated) if site else oxide["hydrogen"]
        force.addParticle(charge, kind["sigma"], kind["epsilon"])
    for k, oxygen in enumerate(surface.hydroxyls.oxygens):
        force.addException(int(oxygen), n + k, 0.0, 1.0, 0.0)
    if surface.ligands is not None:
        _add_nonbonded_ligands(force, surface.ligands)
    for molecule, parameters in molecules:
        add_nonbonded(force, molecule, parameters)
    return force


def _add_nonbonded_ligands(force: openmm.NonbondedForce, ligands: Ligands) -> None:
    """As molecules; the metals that an angle joins to the atom that holds an anchor have no core for it, else they
    stretch its bond by half, and a share of their charge."""
    share = catalogue.anchor()["coulomb13"]["value"]
    places = ligands.places(force.getNumParticles())
    for anchors in ligands.anchors.tolist():
        add_nonbonded(force, ligands.kind.bound, ligands.parameters, anchors)
    for metal, atom in sorted({(metal, places[k][holder]) for metal, _, k, holder, _ in ligands.angles}):
        charge, other = (force.getParticleParameters(i)[0]._value for i in (metal, atom))
        force.addException(metal, atom, share * charge * other, 1.0, 0.0)


def add_nonbonded(
    force: openmm.NonbondedForce, molecule: Molecule, parameters: Parameters, anchors: Sequence[int] = ()
) -> None:
    """The molecule's atoms, its 1-2 and 1-3 pairs excluded and its 1-4 pairs scaled (Lorentz-Berthelot). Where there
    are `anchors`, those particles are the molecule's first atoms, with the charge and core they already have."""
    at = _places(force.getNumParticles(), molecule, anchors)
    q, sigma, epsilon = parameters.charges.copy(), parameters.sigma.copy(), parameters.epsilon.copy()
    for k, anchor in enumerate(anchors):
        q[k], sigma[k], epsilon[k] = (value._value for value in force.getParticleParameters(anchor))
    for atom in range(len(anchors), len(molecule.elements)):
        force.addParticle(q[atom], sigma[atom], epsilon[atom])
    near = {(min(i, j), max(i, j)) for i, j in molecule.bonds}
    near |= {(min(i, k), max(i, k)) for i, _, k in molecule.angles}
    for i, j in sorted(near):
        force.addException(at[i], at[j], 0.0, 1.0, 0.0)
    far = {(min(i, m), max(i, m)) for i, _, _, m in molecule.torsions} - near
    for i, j in sorted(far):
        force.addException(
            at[i],
            at[j],
            parameters.coulomb14 * q[i] * q[j],
            0.5 * (sigma[i] + sigma[j]),
            parameters.lj14 * np.sqrt(epsilon[i] * epsilon[j]),
        )


def build_topology(
    surface: Surface[Any], molecules: Sequence[Molecule], names: Sequence[str], box: np.ndarray
) -> openmm.app.Topology:
    """One chain for the oxide and its ligands, then one per molecule with a residue per repeat unit, called `names`."""
    from openmm import app

    topology = app.Topology()
    topology.setPeriodicBoxVectors(np.diag(box))
    oxide = topology.addChain()
    residue = topology.addResidue("OXI", oxide)
    slab = [
        topology.addAtom(element, app.Element.getBySymbol(element), residue)
        for element in (*surface.slab.elements, *("H" for _ in surface.hydroxyls.oxygens))
    ]
    if surface.ligands is not None:
        kind = surface.ligands.kind
        for anchors in surface.ligands.anchors:
            grafted = topology.addResidue("LIG", oxide)
            rest = [
                topology.addAtom(f"{element}{k}", app.Element.getBySymbol(element), grafted)
                for k, element in enumerate(kind.bound.elements[kind.binds :], start=1)
            ]
            atoms = [*(slab[anchor] for anchor in anchors), *rest]
            for i, j in kind.bound.bonds:
                topology.addBond(atoms[i], atoms[j])
    for molecule, name in zip(molecules, names, strict=True):
        chain = topology.addChain()
        residues = [topology.addResidue(name, chain) for _ in range(int(molecule.monomer.max()) + 1)]
        atoms = [
            topology.addAtom(f"{element}{k}", app.Element.getBySymbol(element), residues[unit])
            for k, (element, unit) in enumerate(zip(molecule.elements, molecule.monomer, strict=True), start=1)
        ]
        for i, j in molecule.bonds:
            topology.addBond(atoms[i], atoms[j])
    return topology
