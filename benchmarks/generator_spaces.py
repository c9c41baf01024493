"""Spaces that generators are measured on: three that the product was developed with, three that it was not.

A check is code that no generator can read; constraints are known to the decoder.
"""

from __future__ import annotations

from loop.space import Constraint, Range, Space
from loop.types import Check, Design, Parameter

IMPOSSIBLE = {("clay", "sphere"), ("clay", "rod"), ("graphite", "sphere"), ("graphite", "rod"), ("silica", "platelet")}
"""Fillers in habits that they do not have."""


def choices(name: str, words: str) -> Parameter:
    return Parameter(name, "choices", tuple(words.split()))


def real(name: str, low: float, high: float, step: float | None = None) -> Parameter:
    return Parameter(name, "real", bounds=(low, high), step=step)


def grafted() -> Space:
    """Ten fields. What fits on a surface is known to a check only, which the decoder cannot read."""
    faces = {"ceria": ("100", "111"), "zirconia": ("101",), "alumina": ("001",), "zincite": ("100", "001")}
    room = {"none": 0.0, "acid": 4.5, "silane": 3.0, "phosphonate": 2.5, "catechol": 2.0}

    def fits(design: Design) -> list[Check]:
        v = design.values
        crowding = float(v["graft_density"]) * (1 + 0.02 * float(v["graft_length"]))
        return [
            Check("face", v["face"] in faces[str(v["oxide"])]),
            Check("crowding", crowding <= room[str(v["linker"])]),
            Check("dry", not (v["solvent"] == "water" and v["linker"] == "silane")),
        ]

    return Space(
        [
            choices("oxide", "ceria zirconia alumina zincite"),
            choices("face", "100 101 111 001"),
            choices("linker", "none acid silane phosphonate catechol"),
            choices("polymer", "PLA PCL PVDF PA6 PET PC"),
            choices("solvent", "melt water toluene"),
            real("graft_density", 0, 3, 0.1),
            Parameter("graft_length", "integer", bounds=(2, 30)),
            Parameter("chain_length", "integer", bounds=(10, 80)),
            real("temperature", 290, 500),
            real("loading", 0.005, 0.2),
        ],
        [
            Constraint("bare", {"linker": ("none",)}, {"graft_density": (0,), "graft_length": (2,)}),
            Constraint("PLA degrades", {"polymer": ("PLA",)}, {"temperature": Range(None, 450)}),
            Constraint("nothing dissolves PET", {"polymer": ("PET", "PA6"), "solvent": ("toluene",)}),
        ],
        [fits],
    )


def fourteen() -> Space:
    """Fourteen fields, nine of them choices, and rules in chains."""
    return Space(
        [
            choices("core", "gold silver silica titania magnetite"),
            choices("shape", "sphere rod plate cube"),
            choices("shell", "none silica alumina"),
            choices("ligand", "none thiol amine carboxylate silane"),
            choices("spacer", "none C6 C12 PEG"),
            choices("end_group", "methyl hydroxyl fluoro"),
            choices("matrix", "PS PMMA PVDF PEO epoxy"),
            choices("architecture", "linear branched network"),
            choices("processing", "cast melt"),
            real("diameter", 2, 20, 0.5),
            real("aspect", 1, 8),
            real("coverage", 0, 4, 0.05),
            Parameter("chain_length", "integer", bounds=(10, 100)),
            real("temperature", 280, 480, 1),
        ],
        [
            Constraint("round", {"shape": ("sphere", "cube")}, {"aspect": (1,)}),
            Constraint("long", {"shape": ("rod",)}, {"aspect": Range(1.5, None)}),
            Constraint(
                "bare", {"ligand": ("none",)}, {"coverage": (0,), "spacer": ("none",), "end_group": ("methyl",)}
            ),
            Constraint("thiol", {"ligand": ("thiol",)}, {"core": ("gold", "silver"), "shell": ("none",)}),
            Constraint("silane", {"ligand": ("silane",), "shell": ("none",)}, {"core": ("silica", "titania")}),
            Constraint("shelled silica", {"core": ("silica",), "shell": ("silica",)}),
            Constraint("cured", {"matrix": ("epoxy",)}, {"architecture": ("network",), "processing": ("cast",)}),
            Constraint("network", {"architecture": ("network",)}, {"matrix": ("epoxy", "PEO")}),
            Constraint("crowded", {"spacer": ("PEG",)}, {"coverage": Range(None, 1.5)}),
            Constraint("cold melt", {"processing": ("melt",)}, {"temperature": Range(400, None)}),
            Constraint("small plates", {"shape": ("plate",), "diameter": Range(None, 4)}),
        ],
    )


def films() -> Space:
    """Eight fields whose numbers bind each other through a check."""

    planes = {"halite": ("100", "110"), "quartz": ("001", "100"), "spinel": ("001", "111")}

    def stands(design: Design) -> list[Check]:
        v = design.values
        return [
            Check("gap", float(v["gap"]) >= 2 * float(v["brush"]) + 1.0),
            Check("plane", v["plane"] in planes[str(v["mineral"])]),
        ]

    return Space(
        [
            choices("mineral", "halite quartz spinel"),
            choices("plane", "001 100 110 111"),
            choices("brush_polymer", "none PEO PAA PNIPAM"),
            choices("film", "PVA PEO PSS nafion"),
            choices("salt", "none NaCl CaCl2"),
            real("brush", 0, 3, 0.05),
            real("gap", 1, 12, 0.1),
            real("concentration", 0, 2),
        ],
        [
            Constraint("no brush", {"brush_polymer": ("none",)}, {"brush": (0,)}),
            Constraint("no salt", {"salt": ("none",)}, {"concentration": (0,)}),
            Constraint(
                "PAA gels", {"brush_polymer": ("PAA",), "salt": ("CaCl2",)}, {"concentration": Range(None, 0.5)}
            ),
            Constraint("salt dissolves", {"mineral": ("halite",)}, {"film": ("PVA", "PEO")}),
        ],
        [stands],
    )


def surfaces() -> Space:
    """Ten fields, judged by the checks of the molecular dynamics oracle, which bind hydroxyls, ligands and charge to
    the surface and to each other."""
    from oracles.openmm import OpenMMOracle

    oracle = OpenMMOracle()
    return Space(
        [
            choices("oxide", "magnetite hematite corundum periclase quartz"),
            choices("facet", "001 110 111"),
            choices("termination", "auto octahedral tetrahedral"),
            real("hydroxyl_density", 0, 14, 0.1),
            choices("ligand", "none propoxide hexanoate perfluorohexylphosphonate"),
            real("ligand_density", 0, 3, 0.1),
            choices("polymer", "PVDF PEO PE PMMA"),
            Parameter("chain_length", "integer", bounds=(6, 30)),
            choices("start", "coil alpha beta"),
            real("temperature", 290, 520, 1),
        ],
        [Constraint("bare", {"ligand": ("none",)}, {"ligand_density": (0,)})],
        [lambda design: oracle.check(design, "screen")],
    )


def dispersions() -> Space:
    """Ten fields; checks bind loading to particle size by the gap between particles, chain length to temperature, and
    three fractions to their sum."""
    melts = {"PE": 410.0, "PP": 440.0, "PA6": 490.0, "PVDF": 450.0, "PLA": 430.0}
    coils = {"PE": 0.45, "PP": 0.36, "PA6": 0.39, "PVDF": 0.34, "PLA": 0.37}

    def mixes(design: Design) -> list[Check]:
        v = {name: value for name, value in design.values.items() if not isinstance(value, str)}
        polymer = str(design.values["polymer"])
        gap = v["diameter"] * ((0.64 / v["loading"]) ** (1 / 3) - 1)
        degraded = melts[polymer] + 150 - 0.25 * v["chain_length"]
        return [
            Check("gap", gap >= 2 * coils[polymer] * v["chain_length"] ** 0.5),
            Check("melt", melts[polymer] <= v["temperature"] <= degraded),
            Check("fractions", v["plasticiser"] + v["compatibiliser"] + v["loading"] <= 0.35),
            Check("habit", (design.values["filler"], design.values["habit"]) not in IMPOSSIBLE),
        ]

    return Space(
        [
            choices("filler", "silica titania clay graphite ceria"),
            choices("habit", "sphere platelet rod"),
            choices("polymer", " ".join(melts)),
            choices("mixing", "melt solution masterbatch"),
            real("diameter", 5, 60, 0.5),
            real("loading", 0.005, 0.3),
            Parameter("chain_length", "integer", bounds=(50, 400)),
            real("temperature", 400, 640, 1),
            real("plasticiser", 0, 0.2),
            real("compatibiliser", 0, 0.15),
        ],
        [
            Constraint("PLA dissolves", {"polymer": ("PLA",)}, {"plasticiser": Range(None, 0.1)}),
            Constraint("PA6 is not dissolved", {"polymer": ("PA6",), "mixing": ("solution",)}),
        ],
        [mixes],
    )


def membranes() -> Space:
    """Fourteen fields, nine of them choices, half of the rules known to checks only."""
    pores = {"ZIF8": 0.34, "MOF5": 1.2, "NaA": 0.42, "silicalite": 0.55, "carbon": 0.5}
    swells = {"PDMS": 3.0, "PIM": 1.8, "Nafion": 2.2, "PEBA": 2.0, "PI": 1.2}

    def separates(design: Design) -> list[Check]:
        v = design.values
        size = {"CO2": 0.33, "N2": 0.364, "CH4": 0.38, "ethanol": 0.45, "water": 0.265}[str(v["permeant"])]
        thick, coat = float(v["thickness"]), float(v["coating"])
        return [
            Check("sieve", pores[str(v["sieve"])] >= size),
            Check("coat", coat <= 0.3 * thick),
            Check("swelling", v["permeant"] not in ("ethanol", "water") or swells[str(v["matrix"])] >= 1.8),
            Check("pressure", float(v["pressure"]) * float(v["grain"]) <= 40),
            Check("charge", not (v["counterion"] != "none" and v["matrix"] != "Nafion")),
        ]

    return Space(
        [
            choices("matrix", " ".join(swells)),
            choices("sieve", " ".join(pores)),
            choices("permeant", "CO2 N2 CH4 ethanol water"),
            choices("coupling", "none amine silane plasma"),
            choices("counterion", "none Li Na Ca"),
            choices("geometry", "flat fibre spiral"),
            choices("support", "none PVDF alumina PSf"),
            choices("casting", "dry wet dip"),
            choices("flow", "cross dead"),
            real("thickness", 0.1, 20, 0.1),
            real("coating", 0, 4, 0.05),
            real("grain", 0.05, 5, 0.05),
            Parameter("pressure", "integer", bounds=(1, 60)),
            real("temperature", 270, 420, 1),
        ],
        [
            Constraint("alone", {"support": ("none",)}, {"coating": (0,), "geometry": ("flat", "fibre")}),
            Constraint("silane", {"coupling": ("silane",)}, {"sieve": ("NaA", "silicalite")}),
            Constraint(
                "dry Nafion", {"matrix": ("Nafion",)}, {"temperature": Range(None, 370), "casting": ("wet", "dip")}
            ),
            Constraint("fibres are drawn wet", {"geometry": ("fibre",)}, {"casting": ("wet",)}),
            Constraint("dead ends foul", {"flow": ("dead",), "pressure": Range(41, None)}),
            Constraint("alumina", {"support": ("alumina",)}, {"geometry": ("flat",)}),
        ],
        [separates],
    )


DEVELOPED_WITH = {"grafted": grafted, "fourteen": fourteen, "films": films}
UNSEEN = {"surfaces": surfaces, "dispersions": dispersions, "membranes": membranes}
SPACES = {**DEVELOPED_WITH, **UNSEEN}
