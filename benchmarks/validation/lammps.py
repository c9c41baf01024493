"""An OpenMM System handed to LAMMPS: the same topology and parameters, everything else worked out by the other engine.

LAMMPS mixes (Lorentz-Berthelot), finds 1-2, 1-3 and 1-4 pairs from the bonds, scales the latter, tapers and sums over
images on its own. Pairs whose share of the interaction does not follow from the bonds it is told by that share, and
works out from its own charges and cores. Needs a System of harmonic bonds and angles, periodic torsions and one
NonbondedForce in an orthogonal box.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openmm

KCAL = 4.184
"""kJ."""
RUNS = ("near", "charged", "plain")
PAIR_RUNS = ("cores", "charges")
Shares = Mapping[tuple[int, int], tuple[float, float]]
"""Pairs of atoms and the shares of their Lennard-Jones and Coulomb interaction."""
ACCURACY = 1e-7
"""Ewald summation: force error relative to two unit charges one Angstrom apart."""
QUANTITIES = ("ebond", "eangle", "edihed", "evdwl", "ecoul", "elong", "etail")


class NoLammps(Exception):
    """There is no LAMMPS to compare with."""


@dataclass(frozen=True)
class Answer:
    """energies by term, kJ/mol ("tail" is the dispersion correction); forces (N, 3) kJ/mol/nm."""

    energies: Mapping[str, float]
    forces: np.ndarray


@dataclass(frozen=True)
class Topology:
    """What both engines are given, read from a System. Bonds without stiffness that are no constraint only hold the
    slab together for a barostat and are left out; constrained bonds count as bonds of no energy."""

    charges: np.ndarray
    types: np.ndarray
    kinds: np.ndarray
    """(types, 2): sigma nm, epsilon kJ/mol."""
    bonds: Sequence[tuple[int, int, float, float]]
    angles: Sequence[tuple[int, int, int, float, float]]
    torsions: Sequence[tuple[int, int, int, int, int, float, float]]
    exceptions: Mapping[tuple[int, int], tuple[float, float, float]]
    """(charge product e^2, sigma nm, epsilon kJ/mol) of the pairs that do not interact in full."""
    cutoff: float
    switch: float | None


def executable() -> tuple[str, dict[str, str]]:
    """LAMMPS of this Python's environment, with its MPI library which lies beside it, else of the PATH; and the
    variables it runs with. Raises NoLammps."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    own = Path(sys.prefix) / "bin" / "lmp"
    if own.exists():
        paths = [str(Path(sys.prefix) / "lib"), os.environ.get("LD_LIBRARY_PATH")]
        return str(own), {**variables, "LD_LIBRARY_PATH": ":".join(filter(None, paths))}
    found = shutil.which("lmp")
    if found is None:
        raise NoLammps(
            'no lmp in this environment or on the PATH; pip install -c constraints.txt -e ".[test]" brings one'
        )
    return found, variables


def read(system: openmm.System) -> Topology:
    """Raises ValueError for a force that it does not know."""
    bonds = [(*system.getConstraintParameters(k)[:2], 0.1, 0.0) for k in range(system.getNumConstraints())]
    angles, torsions, nonbonded = [], [], None
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce):
            rows = (force.getBondParameters(k) for k in range(force.getNumBonds()))
            bonds += [(i, j, r._value, k._value) for i, j, r, k in rows if k._value > 0]
        elif isinstance(force, openmm.HarmonicAngleForce):
            rows = (force.getAngleParameters(k) for k in range(force.getNumAngles()))
            angles += [(*row[:3], row[3]._value, row[4]._value) for row in rows]
        elif isinstance(force, openmm.PeriodicTorsionForce):
            rows = (force.getTorsionParameters(k) for k in range(force.getNumTorsions()))
            torsions += [(*row[:5], row[5]._value, row[6]._value) for row in rows]
        elif isinstance(force, openmm.NonbondedForce) and nonbonded is None:
            nonbonded = force
        else:
            raise ValueError(f"the exporter does not know {force.getName()}")
    if nonbonded is None:
        raise ValueError("a System without a NonbondedForce")
    atoms = [nonbonded.getParticleParameters(i) for i in range(nonbonded.getNumParticles())]
    lj = np.array([(sigma._value, epsilon._value) for _, sigma, epsilon in atoms])
    kinds, types = np.unique(lj, axis=0, return_inverse=True)
    rows = (nonbonded.getExceptionParameters(k) for k in range(nonbonded.getNumExceptions()))
    return Topology(
        charges=np.array([q._value for q, _, _ in atoms]),
        types=types.ravel(),
        kinds=kinds,
        bonds=bonds,
        angles=angles,
        torsions=torsions,
        exceptions={(min(i, j), max(i, j)): (q._value, s._value, e._value) for i, j, q, s, e in rows},
        cutoff=nonbonded.getCutoffDistance()._value,
        switch=nonbonded.getSwitchingDistance()._value if nonbonded.getUseSwitchingFunction() else None,
    )


def evaluate(topology: Topology, positions: np.ndarray, box: np.ndarray, coulomb14: float, lj14: float) -> Answer:
    """Energies and forces at `positions` (N, 3) nm in `box` (3,) nm, the 1-4 pairs scaled by the two factors."""
    parts, dumps = _lammps(data(topology, positions, box), commands(topology, coulomb14, lj14), RUNS)
    bond, angle, torsion, lj, *_ = parts["near"]
    *_, coulomb, far, _ = parts["charged"]
    energies = {"bond": bond, "angle": angle, "torsion": torsion, "lj": lj, "coulomb": coulomb + far}
    return Answer({**energies, "tail": parts["plain"][-1]}, dumps["near"] + dumps["charged"])


def pairs(topology: Topology, positions: np.ndarray, box: np.ndarray, shares: Shares) -> Answer:
    """Energies and forces of these pairs alone, at their nearest images and without a taper, the interaction of their
    atoms multiplied by the shares."""
    if not shares:
        return Answer(dict.fromkeys(("lj", "coulomb"), 0.0), np.zeros(positions.shape))
    alone = replace(topology, bonds=[(*pair, *share) for pair, share in shares.items()], angles=[], torsions=[])
    told = [f"{lj:.15g} {coulomb:.15g}" for lj, coulomb in shares.values()]
    kinds = dict(zip(told, shares.values(), strict=True)).values()
    parts, dumps = _lammps(data(alone, positions, box, told), _pair_commands(alone, kinds), PAIR_RUNS)
    return Answer(
        {"lj": parts["cores"][0], "coulomb": parts["charges"][0]}, sum(dumps.values(), np.zeros(positions.shape))
    )


def _lammps(
    lines: Iterable[str], script: Iterable[str], runs: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """By run: the QUANTITIES in kJ/mol, and forces (N, 3) in kJ/mol/nm."""
    program, environment = executable()
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "data").write_text("\n".join(lines) + "\n")
        (at / "in").write_text("\n".join(script) + "\n")
        done = subprocess.run(
            [program, "-in", "in", "-log", "log", "-nocite"], cwd=at, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"LAMMPS failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        parts = {name: [float(x) * KCAL for x in (at / f"{name}.energies").read_text().split()] for name in runs}
        dumps = {name: np.loadtxt(at / f"{name}.forces", skiprows=9) for name in runs}
    return parts, {name: dump[np.argsort(dump[:, 0]), 1:] * KCAL * 10 for name, dump in dumps.items()}


def data(
    topology: Topology, positions: np.ndarray, box: np.ndarray, bonds: Sequence[str] | None = None
) -> Iterator[str]:
    """The data file: one line per atom and term, in Angstrom and kcal/mol. `bonds` are the bonds' coefficients where
    these are not harmonic."""
    yield "film\n"
    counts = {"atoms": positions, "bonds": topology.bonds, "angles": topology.angles, "dihedrals": topology.torsions}
    for name, rows in counts.items():
        yield f"{len(rows)} {name}"
    coefficients = {
        "bond": bonds or [f"{k / 2 / KCAL / 100:.12g} {r * 10:.12g}" for *_, r, k in topology.bonds],
        "angle": [f"{k / 2 / KCAL:.12g} {np.degrees(theta):.12g}" for *_, theta, k in topology.angles],
        "dihedral": [f"1 {k / KCAL:.12g} {n} {np.degrees(phase):.12g}" for *_, n, phase, k in topology.torsions],
    }
    numbers = {name: {row: n for n, row in enumerate(dict.fromkeys(rows), 1)} for name, rows in coefficients.items()}
    yield f"{len(topology.kinds)} atom types"
    for name, known in numbers.items():
        yield f"{len(known)} {name} types"
    for axis, edge in zip("xyz", box, strict=True):
        yield f"0.0 {edge * 10:.12f} {axis}lo {axis}hi"
    yield "\nMasses\n"
    yield from (f"{kind} 1.0" for kind in range(1, len(topology.kinds) + 1))
    for name, known in numbers.items():
        if known:
            yield f"\n{name.capitalize()} Coeffs\n"
            yield from (f"{n} {row}" for row, n in known.items())
    yield "\nAtoms # full\n"
    for i, (x, kind, charge) in enumerate(zip(positions * 10, topology.types, topology.charges, strict=True), 1):
        yield f"{i} 1 {kind + 1} {charge:.15g} {x[0]:.12f} {x[1]:.12f} {x[2]:.12f}"
    terms = {"bond": (topology.bonds, 2), "angle": (topology.angles, 3), "dihedral": (topology.torsions, 4)}
    for name, (rows, members) in terms.items():
        if rows:
            yield f"\n{name.capitalize()}s\n"
        for n, (row, coefficient) in enumerate(zip(rows, coefficients[name], strict=True), 1):
            yield f"{n} {numbers[name][coefficient]} " + " ".join(str(i + 1) for i in row[:members])


def commands(topology: Topology, coulomb14: float, lj14: float) -> Iterator[str]:
    """The input script: cores and bonded terms, then charges, then cores without a taper. lj/mdf tapers with
    1 - 10 x^3 + 15 x^4 - 6 x^5, which is OpenMM's switch; no style of LAMMPS has both that and charges."""
    cutoff = topology.cutoff * 10
    if topology.switch is None:
        raise ValueError("the exporter expects a switching distance")
    yield "units real\natom_style full\nboundary p p p"
    yield "bond_style harmonic\nangle_style harmonic\ndihedral_style fourier"
    yield f"special_bonds lj 0.0 0.0 {lj14:.12g} coul 0.0 0.0 {coulomb14:.15g}"
    yield "read_data data extra/special/per/atom 60"
    yield f"thermo_style custom {' '.join(QUANTITIES)}\nthermo_modify norm no"
    cores = _cores(topology)
    yield f"pair_style lj/mdf {topology.switch * 10:.12g} {cutoff:.12g}\npair_modify mix arithmetic"
    yield from (*cores, *_run("near"))
    yield "bond_style none\nangle_style none\ndihedral_style none"
    yield f"pair_style coul/long {cutoff:.12g}\npair_modify table 0\npair_coeff * *"
    yield from (f"kspace_style ewald {ACCURACY}", *_run("charged"))
    yield f"kspace_style none\npair_style lj/cut {cutoff:.12g}\npair_modify mix arithmetic tail yes"
    yield from (*cores, *_run("plain"))


def _pair_commands(topology: Topology, shares: Iterable[tuple[float, float]]) -> Iterator[str]:
    """The input script of pairs alone: no pair but bonds of style special, which have a share of the pair style's
    energy. Each run takes one share for both: LAMMPS of July 2025 reads the two in the opposite order of its manual."""
    cutoff = topology.cutoff * 10
    yield "units real\natom_style full\nboundary p p p\nbond_style special\nspecial_bonds lj/coul 0.0 1.0 1.0"
    yield "read_data data extra/special/per/atom 60\nneigh_modify exclude group all all"
    yield f"thermo_style custom {' '.join(QUANTITIES)}\nthermo_modify norm no"
    styles = (
        (f"lj/cut {cutoff:.12g}\npair_modify mix arithmetic", _cores(topology)),
        (f"coul/cut {cutoff:.12g}", ["pair_coeff * *"]),
    )
    for which, (name, (style, coefficients)) in enumerate(zip(PAIR_RUNS, styles, strict=True)):
        yield f"pair_style {style}"
        yield from coefficients
        yield from (
            f"bond_coeff {kind} {share[which]:.15g} {share[which]:.15g}" for kind, share in enumerate(shares, 1)
        )
        yield from _run(name)


def _cores(topology: Topology) -> list[str]:
    return [
        f"pair_coeff {kind} {kind} {epsilon / KCAL:.15g} {sigma * 10:.15g}"
        for kind, (sigma, epsilon) in enumerate(topology.kinds, 1)
    ]


def _run(name: str) -> Iterator[str]:
    yield f"dump {name} all custom 1 {name}.forces id fx fy fz\ndump_modify {name} format float %.15g"
    yield "run 0 post no"
    values = " ".join(f"$({quantity}:%.15g)" for quantity in QUANTITIES)
    yield f'print "{values}" file {name}.energies'
    yield f"undump {name}"
