"""Write docs/validation.md from results/*.json, measuring first what is not there.

    make validate        (python -m benchmarks.validation [--stored] [PART ...])

Each part keeps its numbers in benchmarks/validation/results/PART.json; delete a file, or name the part, to have it
measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.validation import conservation, crystal, dipole, invariance, melts, oxide, ranks, torsion
from benchmarks.validation.unfinished import gathered

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
HEAD = """# Validation

The force field and the films against references outside this project. `make validate` writes this page from
`benchmarks/validation/results/`; delete a result there to have it measured again.
"""


def engines_rows() -> dict[str, Any]:
    """The comparison with LAMMPS, film by film."""
    from benchmarks.validation import engines

    def row(film: Any) -> dict[str, float]:
        found = engines.compare(*engines.relaxed(*film))
        return {
            "atoms": found.atoms,
            **{term: float(found.error(term)) for term in found.energies},
            "force": float(found.force),
            "worst_force": float(found.worst_force),
            "production": float(found.production),
        }

    return gathered("engines", {name: partial(row, film) for name, film in engines.FILMS.items()})


def engines_text(rows: Mapping[str, Mapping[str, float]]) -> str:
    terms = ("bond", "angle", "torsion", "lj", "coulomb", "force")
    lines = [
        "## Another engine: OpenMM against LAMMPS\n",
        "Relative difference of each energy term, and root mean square difference of the forces on mobile atoms over",
        "the root mean square force. LAMMPS gets atoms, bonds, angles and torsions; it mixes, finds, and scales",
        "1-4 pairs, tapers and sums the electrostatics itself. Both sum tightly (1e-6, 1e-7); the last column is what",
        "the tolerance of production, 5e-4, changes in the forces.\n",
        "| film | atoms | bonds | angles | torsions | Lennard-Jones | Coulomb | forces | production |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        shown = " | ".join(f"{row[term]:.0e}" for term in terms)
        lines.append(f"| {name} | {row['atoms']} | {shown} | {row['production']:.1e} |")
    lines += [
        "\nFilms are pushed off and minimised. Where a graft gives pairs a share of their interaction that does not",
        "follow from the bonds (a metal and the atom above its ligand's anchor have no core for each other and half",
        "the Coulomb energy; a ligand's own 1-4 factor beside another polymer's), LAMMPS is told the pairs and the",
        "shares and works them out in a run of their own (`bond_style special`): the list of pairs is ours, energies",
        "and forces are its.",
    ]
    return "\n".join(lines)


def torsion_text(found: Mapping[str, Any]) -> str:
    source = found["source"]
    lines = [
        "## Torsion of CF3-CH2-CF2-CH3\n",
        f"kJ/mol over the lowest of the angles shown. Ab initio: {source['energy']['method']}/"
        f"{source['energy']['basis']} at {source['geometry']['method']}/{source['geometry']['basis']} geometries",
        f"relaxed with the dihedral held (PySCF {source['packages']['pyscf']}; `{source['command']}`).",
        "Force fields: relaxed from the same geometries, dihedral held. 180 is trans.\n",
        "| degrees | " + " | ".join(str(a) for a in found["angles"]) + " | RMS | trans at 400 K |",
        "|---" * (len(found["angles"]) + 3) + "|",
    ]
    for name, values in found["profiles"].items():
        rms = found["rms"].get(name, "")
        shown = " | ".join(f"{v:.1f}" for v in values)
        lines.append(f"| {name} | {shown} | {rms} | {found['trans_400K'].get(name, '')} |")
    gauche, top, trans = (found["angles"].index(angle) for angle in (60, 120, 180))
    lines += [
        "\nTrans (180) over gauche (60), and the barrier (120) over each, kJ/mol:\n",
        "| | trans over gauche | barrier from gauche | barrier from trans |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {v[trans] - v[gauche]:+.1f} | {v[top] - v[gauche]:.1f} | {v[top] - v[trans]:.1f} |"
        for name, v in found["profiles"].items()
    ]
    lines.append(
        "\nDefault: Sage. MP2 has trans 5.7 kJ/mol above gauche, Sage 2.6; the published Byutner-Smith set, with 1-4"
        "\nfactors of 0.5, has 0.4 and so half of all bonds trans. In full, its 1-4 pairs are as near as Sage, but that"
        "\nis nobody's published set. With Sage all molecules have one force field and, with the oxides, one mixing"
        "\nrule. All three make trans too hard to leave, this is one molecule in vacuum at one level of theory, and"
        "\nfilms keep the conformations they start with: no absolute trans fraction is to be believed. For comparison"
        "\nwith the papers that used it, `pvdf_model: byutner-smith` stays. Films of both at screen:\n"
        "\n| | Sage | Byutner-Smith |"
        "\n|---|---|---|"
        "\n| adhesion, bare, mJ/m^2 | 116 +- 3 | 115 +- 3 |"
        "\n| adhesion, 4 OH/nm^2, mJ/m^2 | 253 +- 19 | 243 +- 31 |"
        "\n| first-layer dipole, bare, D | +0.61 +- 0.07 | +0.38 +- 0.07 |"
        "\n| first-layer dipole, 4 OH/nm^2, D | +0.20 +- 0.09 | +0.08 +- 0.02 |"
    )
    return "\n".join(lines)


PARTS: Mapping[str, tuple[Callable[[], Any], Callable[[Any], str]]] = {
    "engines": (engines_rows, engines_text),
    "invariance": (invariance.measure, invariance.text),
    "conservation": (conservation.measure, conservation.text),
    "torsion": (torsion.measure, torsion_text),
    "dipole": (dipole.measure, dipole.text),
    "melts": (melts.measure, melts.text),
    "crystal": (crystal.measure, crystal.text),
    "oxide": (oxide.measure, oxide.text),
    "ranks": (ranks.measure, ranks.text),
}


def page() -> str:
    """The page of what is stored; a part that has no results has no section."""
    sections = [HEAD]
    for name, (_, text) in PARTS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            sections.append(text(json.loads(path.read_text(encoding="utf-8"))) + "\n")
        notes = Path(__file__).parent / "notes" / f"{name}.md"
        if path.exists() and notes.exists():
            sections.append(notes.read_text(encoding="utf-8"))
    return "\n".join(sections)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"measure again: {', '.join(PARTS)}")
    parser.add_argument("--stored", action="store_true", help="measure nothing: write the page from what is stored")
    arguments = parser.parse_args()
    again = arguments.part
    if unknown := sorted(set(again) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    RESULTS.mkdir(exist_ok=True)
    for name, (measure, _) in PARTS.items():
        path = RESULTS / f"{name}.json"
        if not arguments.stored and (name in again or not path.exists()):
            path.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
