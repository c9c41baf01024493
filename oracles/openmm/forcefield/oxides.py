"""Published 12-6 + charge sets for oxides: what each atom of a surface carries.

In CLAYFF an oxygen has one charge; in MINFF it depends on the metals bound to it. Either way a hydroxyl's hydrogen has
one charge and raises that of its oxygen by a fixed gain, and dissociated water adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from oracles.openmm.materials import catalogue

MODELS = ("clayff", "minff")
DEFAULT = "clayff"
OXYGEN = "oxygen"
"""Name of the site of every oxide's oxygens; the other sites are metals."""


def metals(model: str, oxide: str) -> Mapping[str, Any]:
    """Parameters of an oxide's metal sites. Raises UnknownMaterial where the model lacks the oxide."""
    known = catalogue.data(model)["metals"]
    if oxide in known:
        return known[oxide]  # type: ignore[no-any-return]
    others = [name for name in MODELS if oxide in catalogue.data(name)["metals"]]
    raise catalogue.UnknownMaterial(
        f"{model} has no parameters for {oxide}, only for {', '.join(known)}"
        + (f"; write oxide_model: {others[0]}" if others else "")
    )


def core(model: str, oxide: str, site: str, hydroxylated: bool = False) -> Mapping[str, Any]:
    """`sigma` (nm) and `epsilon` (kJ/mol) of an atom on a site."""
    if site == OXYGEN:
        return catalogue.data(model)["oxygen"]["hydroxyl" if hydroxylated else "bulk"]  # type: ignore[no-any-return]
    return metals(model, oxide)[site]  # type: ignore[no-any-return]


def bare_charges(model: str, oxide: str, sites: Sequence[str], bonds: np.ndarray) -> np.ndarray:
    """(n,) e of a bare slab's atoms, given their sites and (k, 2) pairs of a metal and an oxygen bound to it.

    CLAYFF: each site's own (Cygan et al. 2004). MINFF: an oxygen has its formal charge plus (Z - q)/n of each metal
    bound to it, where n counts that metal's oxygens (10.48550/arXiv.2610.18220), so that the slab has the sum of the
    formal charges.
    """
    oxygen, metal = catalogue.data(model)["oxygen"], metals(model, oxide)
    if "formal_charge" not in oxygen:
        return np.array([oxygen["bulk"]["charge"] if site == OXYGEN else metal[site]["charge"] for site in sites])
    charges = np.array([oxygen["formal_charge"] if site == OXYGEN else metal[site]["charge"] for site in sites])
    formal = np.array([0.0 if site == OXYGEN else metal[site]["formal_charge"] for site in sites])
    neighbours = np.bincount(bonds[:, 0], minlength=len(sites))
    shared = (formal - charges)[bonds[:, 0]] / neighbours[bonds[:, 0]]
    np.add.at(charges, bonds[:, 1], shared)
    return charges


def hydroxyl_gain(model: str) -> float:
    """e by which an oxygen's charge rises when it takes up a hydrogen."""
    return float(catalogue.data(model)["oxygen"]["hydroxyl"]["gain"])
