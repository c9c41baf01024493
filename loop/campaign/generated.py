"""The `smiles` entry of a campaign file: molecules that are generated within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loop.campaign.reader import Problems, Where
from loop.campaign.schema import SmilesEntry
from loop.molecules import CHAIN, ELEMENTS, BadMolecule, head, unmarked
from loop.plugins import did_you_mean
from loop.types import Molecules, Oracle


def read_molecules(name: str, entry: SmilesEntry, oracles: Sequence[Oracle], problems: Problems) -> Molecules | None:
    """What the parameter may be, or None where a fault was noted."""
    where: Where = ("space", name, "smiles")
    before = len(problems.found)
    template = read_head(where, name, entry.head, oracles, problems)
    low, high = entry.length
    if low > high:
        problems.add((*where, "length"), f"the lower limit {low} is above the upper limit {high}")
    for i, element in enumerate(entry.elements):
        if element not in ELEMENTS:
            cure = "hydrogen is always there; leave it out" if element == "H" else f"give some of {', '.join(ELEMENTS)}"
            problems.add((*where, "elements", i), f"{element} is not generated; {cure}")
        elif element in entry.elements[:i]:
            problems.add((*where, "elements", i), f"{element} is given twice")
    if high > 0 and not any(element in CHAIN for element in entry.elements):
        cure = f"give some of {', '.join(CHAIN)}; halogens end a chain"
        problems.add((*where, "elements"), f"R of up to {high} atoms cannot be built: {cure}")
    if template is None or len(problems.found) > before:
        return None
    return Molecules(template, (low, high), tuple(entry.elements), known_molecules(name, oracles))


def read_head(where: Where, name: str, written: str, oracles: Sequence[Oracle], problems: Problems) -> str | None:
    """The head as a SMILES with R."""
    names: dict[str, str] = {}
    for oracle in reversed(oracles):
        names |= mapping(oracle, "heads", name)
    template = names.get(written, written)
    if template == written and "R" not in written:
        known = f"known are {', '.join(names)}, or write" if names else "no oracle knows any by name; write"
        hint = did_you_mean(written, names)
        problems.add((*where, "head"), f"unknown head {written!r}{hint}; {known} a SMILES with R, such as O=C(O)R")
        return None
    try:
        head(template)
    except BadMolecule as error:
        problems.add((*where, "head"), str(error))
        return None
    return template


def known_molecules(name: str, oracles: Sequence[Oracle]) -> tuple[str, ...]:
    """Canonical SMILES of what the oracles have a name for."""
    written = [smiles for oracle in oracles for smiles in mapping(oracle, "named", name).values()]
    return tuple(sorted({unmarked(smiles) for smiles in written}))


def mapping(oracle: Oracle, method: str, parameter: str) -> Mapping[str, str]:
    """What an oracle answers, if it has the method."""
    ask = getattr(oracle, method, None)
    return {} if ask is None else ask(parameter)
