"""The C-C-C-C profile of CF3-CH2-CF2-CH3 in the PVDF force fields, beside the ab initio one (data/torsion.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openmm

from oracles.openmm.build.assemble import build_isolated
from oracles.openmm.build.molecules import Molecule, molecule
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.forcefield.assign import assign
from oracles.openmm.forcefield.parameters import Parameters
from oracles.openmm.simulate.platforms import choose

DATA = Path(__file__).parent / "data" / "torsion.json"
HOLD = 2e4
"""kJ/mol/rad^2 on the dihedral while the rest relaxes; its energy is not counted."""
STARTS = (180.0, -60.0, 60.0)


def reference() -> dict[int, float]:
    """kJ/mol over the lowest, by angle."""
    points = json.loads(DATA.read_text())["points"]
    return {point["angle"]: point["relative_kJ_mol"] for point in points}


def fields() -> tuple[Molecule, Mapping[str, Parameters]]:
    """The molecule, in the atom order of the ab initio scan's SMILES, and its parameters by force field."""
    stored = json.loads(DATA.read_text())
    heavy = sum(element != "H" for element in stored["elements"])
    made = molecule(stored["molecule"], np.zeros(heavy, dtype=int), stored["backbone"])
    published = assign(made, "byutner-smith")
    return made, {
        "Byutner-Smith, 1-4 scaled by 0.5": published,
        "Byutner-Smith, 1-4 in full": replace(published, coulomb14=1.0, lj14=1.0),
        "Sage": assign(made, "sage"),
    }


def profile(made: Molecule, parameters: Parameters, points: list[dict[str, Any]]) -> dict[int, float]:
    """kJ/mol over the lowest, by angle: relaxed from the ab initio geometry with the dihedral held."""
    system = build_isolated(made, parameters)
    hold = openmm.CustomTorsionForce("0.5*hold*min(d, 6.283185307179586-d)^2; d = abs(theta-target)")
    hold.addGlobalParameter("hold", HOLD)
    hold.addGlobalParameter("target", 0.0)
    hold.addTorsion(*(int(i) for i in made.backbone))
    hold.setForceGroup(7)
    system.addForce(hold)
    context = choose("Reference").context(system, openmm.VerletIntegrator(0.001))
    energies = {}
    for point in points:
        context.setPositions(np.array(point["positions_angstrom"]) / 10)
        context.setParameter("target", np.deg2rad(point["angle"]))
        openmm.LocalEnergyMinimizer.minimize(context, 0.01)
        energies[point["angle"]] = context.getState(energy=True, groups={0, 1}).getPotentialEnergy()._value
    lowest = min(energies.values())
    return {angle: energy - lowest for angle, energy in energies.items()}


def trans_share(energies: Mapping[int, float], temperature: float) -> float:
    """Boltzmann share of dihedrals beyond 120 degrees, from a profile over 0 to 180 (trapezia)."""
    angles = np.array(sorted(energies))
    fine = np.linspace(angles[0], 180, 721)
    weight = np.exp(-np.interp(fine, angles, [energies[a] for a in angles]) / (GAS_CONSTANT * temperature))
    return float(np.trapezoid(weight[fine >= 120], fine[fine >= 120]) / np.trapezoid(weight, fine))


def measure() -> dict[str, Any]:
    """Profiles by force field, how far each is from the reference (weighted as at 400 K) and its share of trans."""
    stored = json.loads(DATA.read_text())
    made, known = fields()
    exact = reference()
    profiles = {"ab initio": exact}
    profiles |= {name: profile(made, parameters, stored["points"]) for name, parameters in known.items()}
    angles = sorted(exact)
    rms = {name: rms_difference(values, exact) for name, values in profiles.items() if name != "ab initio"}
    return {
        "angles": angles,
        "profiles": {name: [round(values[a], 2) for a in angles] for name, values in profiles.items()},
        "rms": {name: round(value, 2) for name, value in rms.items()},
        "trans_400K": {name: round(trans_share(values, 400.0), 2) for name, values in profiles.items()},
        "source": {key: stored[key] for key in ("geometry", "energy", "packages", "command")},
    }


def rms_difference(values: Mapping[int, float], exact: Mapping[int, float]) -> float:
    """kJ/mol, after the shift that fits best."""
    apart = np.array([values[a] - exact[a] for a in exact])
    return float(np.std(apart))
