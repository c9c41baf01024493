"""The ledger in words and tables: what each round believed of its data, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loop.export import property_units
from loop.ledger import Calibration, Gate, Ledger, Quality, Verdict
from loop.wording import in_words, label

if TYPE_CHECKING:
    from loop.campaign import Campaign
    from loop.store import Reader
    from loop.types import Design, Parameter

Row = dict[str, str]
UNKNOWN = "–"
WHAT_BECAME = {
    "labelled": "labelled, not judged yet",
    "admitted": "believed",
    "rejected": "not believed",
    "promoted": "borne out",
    "contradicted": "contradicted",
    "flagged": "doubted",
    "confirmed": "confirmed",
    "corrected": "corrected",
    "unresolved": "left in doubt",
}
SHOWN = ("admitted", "rejected", "promoted", "contradicted", "flagged", "confirmed", "corrected", "unresolved")
"""Of `WHAT_BECAME`, those that are counted in the tables: synthetic records first, then real ones."""


NO_LEDGER = "no ledger yet: no round has been judged"
"""A round is judged once it is complete; one that an older version of this program decided never is."""


def drawn(ledgers: Sequence[Ledger]) -> list[Row]:
    """What the generator drew, a row per round; of molecules only where some were generated."""
    made = any("molecules" in ledger.counts() for ledger in ledgers)
    return [
        {"round": str(ledger.round), **quality_cells(ledger.quality), **(molecule_cells(ledger) if made else {})}
        for ledger in ledgers
    ]


def quality_cells(quality: Quality | None) -> Row:
    """Counts with their share of the one before, and the distances from held-out designs."""
    if quality is None:
        return dict.fromkeys(
            ("generated", "valid", "unique", "novel", "coverage", "density", "C2ST", "C2ST null"), UNKNOWN
        )
    return {
        "generated": str(quality.generated),
        "valid": with_share(quality.valid, quality.generated),
        "unique": with_share(quality.unique, quality.valid),
        "novel": with_share(quality.novel, quality.unique),
        "coverage": figure(quality.coverage),
        "density": figure(quality.density),
        "C2ST": figure(quality.c2st),
        "C2ST null": figure(quality.c2st_null),
    }


def molecule_cells(ledger: Ledger) -> Row:
    """Different generated molecules, and how many of them have no name."""
    counts = ledger.counts()
    if "molecules" not in counts:
        return dict.fromkeys(("molecules", "unnamed"), UNKNOWN)
    molecules, unnamed = counts["molecules"], counts["unnamed"]
    return {"molecules": str(molecules), "unnamed": with_share(unnamed, molecules)}


def believed(ledgers: Sequence[Ledger]) -> list[Row]:
    """How many records of each status, and how error bars held, a row per round."""
    return [
        {"round": str(ledger.round)}
        | {name: str(ledger.counts()[name]) for name in SHOWN}
        | calibration_cells(ledger.calibration)
        for ledger in ledgers
    ]


def calibration_cells(calibration: Calibration | None) -> Row:
    if calibration is None:
        return dict.fromkeys(("left out", "in 68 %", "in 95 %"), UNKNOWN)
    return {
        "left out": str(calibration.n),
        "in 68 %": figure(calibration.within_68),
        "in 95 %": figure(calibration.within_95),
    }


def with_share(part: int, whole: int) -> str:
    """`486 (97 %)`."""
    return f"{part} ({100 * part / whole:.0f} %)" if whole else str(part)


def figure(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Words:
    """What a campaign calls things: its designs by id, the parameters that vary, and the unit of every property."""

    designs: Mapping[str, Design]
    free: tuple[Parameter, ...]
    units: Mapping[str, str]

    def design(self, id: str) -> str:
        return in_words(self.designs[id], self.free) if id in self.designs else ""

    def properties(self, text: str) -> str:
        """The text with its properties' names as a reader wants them, units included."""
        names = "|".join(sorted(map(re.escape, self.units), key=len, reverse=True))
        return re.sub(rf"\b({names})\b", lambda m: label(m[0], self.units[m[0]]), text) if names else text


def words_of(campaign: Campaign, reader: Reader) -> Words:
    return Words(reader.designs(), campaign.space.free, property_units(campaign, reader))


def sentences(ledger: Ledger, words: Words) -> list[str]:
    """Every decision of a round: sources first, then synthetic records by their fate, then real ones. Records of one
    oracle that met the same fate for the same reason share a sentence."""
    alike: dict[tuple[Any, ...], list[Verdict]] = {}
    for verdict in ledger.verdicts:
        key = (verdict.subject == "real", verdict.status, verdict.oracle, verdict.fidelity, verdict.reason)
        alike.setdefault((*key, verdict.superseded), []).append(verdict)
    fates = list(WHAT_BECAME)
    ordered = sorted(alike, key=lambda key: (key[0], 0 if key[0] else fates.index(key[1])))
    return [*(of_gate(gate, words) for gate in ledger.gates), *(of_group(alike[key], words) for key in ordered)]


def of_gate(gate: Gate, words: Words) -> str:
    """What became of a cheap source, or of the plausible designs."""
    became = "admitted" if gate.admitted else "refused"
    if gate.form == "prior":
        return sentence(f"{gate.source} {became}", words.properties(gate.reason))
    form = {"feature": "as a feature", "rows": "as rows"}[gate.form]
    return sentence(f"source {gate.source} {became} for {label(gate.property)}, {form}", words.properties(gate.reason))


def of_group(verdicts: Sequence[Verdict], words: Words) -> str:
    """One verdict, its design in words; or how many alike."""
    first, n = verdicts[0], len(verdicts)
    if n == 1:
        design = words.design(first.design_id)
        what = f"{first.design_id} ({design})" if design else first.design_id
        who = f"{first.subject} record {what} of {first.oracle}, {first.fidelity}, "
    else:
        who = f"{n} {first.subject} records of {first.oracle}, {first.fidelity}, "
    became = WHAT_BECAME[first.status]
    if first.superseded:
        became += f", replicates {', '.join(map(str, first.superseded))} no longer count"
    return sentence(who + became, words.properties(first.reason))


def sentence(what: str, why: str) -> str:
    """`What became of it: why it did.`"""
    why = why.strip().removesuffix(".")
    text = f"{what}: {why}." if why else f"{what}."
    return text[0].upper() + text[1:]


def doubted(ledgers: Sequence[Ledger], words: Words) -> list[Row]:
    """Every real record that was ever judged, with what became of it round by round and the last reason."""
    found: dict[tuple[str, str, str], list[tuple[int, Verdict]]] = {}
    for ledger in ledgers:
        for verdict in (verdict for verdict in ledger.verdicts if verdict.subject == "real"):
            record = verdict.design_id, verdict.oracle, verdict.fidelity
            found.setdefault(record, []).append((ledger.round, verdict))
    return [
        {
            "id": id,
            "what": words.design(id),
            "oracle": f"{oracle}, {fidelity}",
            "history": ", ".join(f"{WHAT_BECAME[verdict.status]} in round {at}" for at, verdict in judged),
            "reason": words.properties(judged[-1][1].reason),
        }
        for (id, oracle, fidelity), judged in found.items()
    ]


def in_all(ledgers: Sequence[Ledger]) -> str:
    """The verdicts of all rounds, in one sentence."""
    counts = [ledger.counts() for ledger in ledgers]
    n = {name: sum(count[name] for count in counts) for name in SHOWN}
    rounds = "1 round" if len(ledgers) == 1 else f"{len(ledgers)} rounds"
    return (
        f"In {rounds}: of synthetic records {n['admitted']} believed, {n['rejected']} not believed, "
        f"{n['promoted']} borne out and {n['contradicted']} contradicted by real ones; of real records "
        f"{n['flagged']} doubted, {n['confirmed']} confirmed, {n['corrected']} corrected, "
        f"{n['unresolved']} left in doubt."
    )
