"""A film's polymer away from its surface: the same chains under the same force field, periodic along z too."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    import openmm

    from oracles.openmm.build.film import Film

PARTICLE = re.compile(r"p\d?|particle\d?")
"""Attributes of a serialised force that name particles."""


def away(film: Film) -> Film:
    """The polymer alone in a box as wide as the film's and as high as its gap; without slab or hydroxyls."""
    box = np.array([*film.box[:2], film.box[2] - film.slab_height - film.ligand_height])
    new = np.full(len(film.positions), -1)
    new[film.polymer] = np.arange(len(film.polymer))
    nothing = np.arange(0)
    return replace(
        film,
        system=subsystem(film.system, film.polymer, box),
        flexible=subsystem(film.flexible, film.polymer, box),
        topology=_subtopology(film, box),
        positions=film.positions[film.polymer] - (0.0, 0.0, film.top),
        box=box,
        slab=nothing,
        surface=nothing,
        polymer=new[film.polymer],
        chains=tuple(new[atoms] for atoms in film.chains),
        monomers=tuple(new[atoms] for atoms in film.monomers),
        backbones=tuple(new[atoms] for atoms in film.backbones),
        top=0.0,
        bottom=0.0,
        slab_height=0.0,
        ligand_height=0.0,
        dq=0.0,
        slab_dipole=0.0,
    )


def subsystem(system: openmm.System, atoms: np.ndarray, box: np.ndarray) -> openmm.System:
    """A System of some `atoms`, in their order, in a box (3,) nm: each term whose particles are all among them.

    It works on OpenMM's own serialised form, where every force lists particles and terms in the same way, so that it
    need not know the forces.
    """
    from openmm import XmlSerializer

    root = ElementTree.fromstring(XmlSerializer.serialize(system))
    new = {str(old): str(k) for k, old in enumerate(atoms.tolist())}
    for parent in list(root.iter()):
        if parent.tag == "Particles":
            kept = [parent[int(old)] for old in new]
            parent[:] = kept
        else:
            parent[:] = [child for child in parent if _within(child, new)]
    found: openmm.System = XmlSerializer.deserialize(ElementTree.tostring(root, encoding="unicode"))
    found.setDefaultPeriodicBoxVectors(*np.diag(box))
    return found


def _within(term: ElementTree.Element, new: dict[str, str]) -> bool:
    """Whether all particles of a term are kept; renames them. An element that names none is kept."""
    ends = [key for key in term.attrib if PARTICLE.fullmatch(key)]
    if not all(term.attrib[key] in new for key in ends):
        return False
    for key in ends:
        term.attrib[key] = new[term.attrib[key]]
    return True


def _subtopology(film: Film, box: np.ndarray) -> Any:
    from openmm import app

    modeller = app.Modeller(film.topology, film.positions)
    kept = set(film.polymer.tolist())
    modeller.delete([atom for atom in film.topology.atoms() if atom.index not in kept])
    modeller.topology.setPeriodicBoxVectors(np.diag(box))
    return modeller.topology
