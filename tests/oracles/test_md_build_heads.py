"""Which SMILES are ligands: the head group found, what is refused and why, and the shapes they stand in."""

import subprocess
import sys
import time

import numpy as np
import pytest

from oracles.openmm.build.conformers import conformers, height
from oracles.openmm.build.heads import NotALigand, ligand
from oracles.openmm.forcefield import sage, silicon
from oracles.openmm.materials import catalogue

ROUNDING = 1e-9


def angle(a, b, c):
    u, v = a - b, c - b
    return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


@pytest.mark.parametrize(
    ("smiles", "head", "binds", "own", "holder"),
    [
        ("CCCCCC(=O)O", "carboxylate", 1, 18, "C"),
        ("OC=O", "carboxylate", 1, 3, "C"),
        ("OC(=O)CCC(=O)O", "carboxylate", 1, 12, "C"),  # both ends are alike
        ("CCP(=O)(O)O", "phosphonate", 1, 11, "P"),
        ("CCP(=O)([OH:1])O", "phosphonate", 1, 11, "P"),
        ("CCP(=O)([OH:1])[OH:1]", "bridging phosphonate", 2, 9, "P"),
        ("Oc1ccc(CCN)cc1O", "catechol", 2, 18, "C"),
        ("NCCC[Si](O)(O)O", "silane", 1, 17, "Si"),
        ("CC[Si](C)(C)O", "silane", 1, 16, "Si"),
        ("OCCC", "alkoxide", 1, 10, "C"),
        ("OC(C)C(=O)[OH:1]", "carboxylate", 1, 10, "C"),
        ("[OH:1]C(C)C(=O)O", "alkoxide", 1, 10, "C"),
        ("Oc1cc(C(=O)O)cc([OH:1])c1[OH:1]", "catechol", 2, 14, "C"),
    ],
)
def test_the_head_is_found(smiles, head, binds, own, holder):
    kind = ligand(smiles)
    assert (kind.head, kind.binds, kind.own) == (head, binds, own)
    assert {kind.bound.elements[i] for i in kind.holders} == {holder}
    assert set(kind.bound.elements[:binds]) == {"O"}
    # binding takes one hydrogen from each anchor, and nothing else
    assert kind.free.elements == (*kind.bound.elements, *["H"] * binds)
    assert all(len(kind.bound.neighbours[oxygen]) == 1 for oxygen in range(binds))


@pytest.mark.parametrize(
    ("smiles", "told"),
    [
        ("unobtainium", "neither in the catalogue, which has none, propoxide"),
        ("", "nor a SMILES"),
        ("CC(=O", "nor a SMILES"),
        ("C(C)(C)(C)(C)O", "cannot exist: Explicit valence for atom # 0 C, 5"),
        ("CC[CH]O", "is radical at C3; give every atom its hydrogens"),
        ("CC(=O)[O-]", "is charged at O4; write the neutral free acid"),
        ("CC(=O)O.OC", "is 2 molecules"),
        ("CB(O)O", "no force field for B2"),
        ("*CCO", "no force field for *1"),
        ("CC[Si](OCC)(OCC)OCC", "no force field for Si3"),
        ("FC[Si](O)(O)O", "no force field for Si3"),
        ("CCCC", "has no head group; the known ones are carboxylate"),
        ("Oc1ccccc1", "has no head group"),
        ("CCCCO[CH3:1]", "has no head group at its mark"),
        ("OCC(=O)O", "has 2 heads: carboxylate at O5, alkoxide at O1; mark what binds, as in C(=O)[OH:1]"),
    ],
)
def test_what_is_no_ligand_is_refused_with_its_atoms(smiles, told):
    with pytest.raises(NotALigand, match="ligand") as refused:
        ligand(smiles)
    assert told in str(refused.value)


def test_refusing_needs_no_force_field_and_no_second():
    script = (
        "import sys; from oracles.openmm.build import feasible\n"
        "names = ['CC[CH]O', 'OCC(=O)O', 'CB(O)O', 'C(C)(C)(C)(C)O', 'x']\n"
        "checks = [c for n in names for c in feasible.check({'ligand': n}, 'smoke') if c.name == 'ligand']\n"
        "assert len(checks) == 5 and not any(c.passed for c in checks)\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('openff', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
    began = time.process_time()
    for k in range(100):
        with pytest.raises(NotALigand):
            ligand("C" * (k + 1) + "[CH2]")
    assert (time.process_time() - began) / 100 < 5e-3


def test_the_catalogue_has_every_head_and_only_ligands():
    heads = {name: ligand(name).head for name in catalogue.ligands()}
    assert len(heads) >= 10
    assert {"hexanoate", "perfluorohexylphosphonate"} <= set(heads)
    unmarked = {head for head, entry in catalogue.heads().items() if not entry.get("marked")}
    assert set(heads.values()) == unmarked
    assert all(entry["source"] for entry in catalogue.heads().values())


@pytest.mark.parametrize("name", catalogue.ligands())
def test_shapes_stand_upright_and_above_the_surface(name):
    kind, shapes = ligand(name), conformers(name)
    assert len(shapes) > 1
    assert height(shapes[0]) > 0.7 * max(map(height, shapes))  # a kinked molecule may be taller as a coil
    for x in shapes:
        assert x.shape == (len(kind.bound.elements), 3)
        assert x[: kind.binds].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
        above = x[list(kind.holders)].mean(axis=0)
        assert above[:2] == pytest.approx(np.zeros(2), abs=1e-6)
        assert 0.1 < above[2] < 0.18
        assert abs(x[: kind.binds, 1:]).max() < 0.01
        assert x[kind.binds :, 2].min() > 0.0
        bonds = np.array(kind.bound.bonds)
        assert np.linalg.norm(x[bonds[:, 0]] - x[bonds[:, 1]], axis=1).min() > 0.09
        assert np.linalg.norm(x[bonds[:, 0]] - x[bonds[:, 1]], axis=1).max() < 0.2


def test_shapes_keep_angles_and_mirror_nothing():
    """Turning bonds leaves bond angles and the cis double bond of oleic acid as they were embedded."""
    kind = ligand("oleate")
    first, *rest = conformers("oleate")
    for i, j, k in kind.bound.angles:
        at = angle(first[i], first[j], first[k])
        assert all(angle(x[i], x[j], x[k]) == pytest.approx(at, abs=0.01) for x in rest[:3])
    longest = [height(conformers(name)[0]) for name in ("hexanoate", "stearate")]
    # twelve more CH2 of 0.127 nm each, tilted
    assert longest[1] - longest[0] == pytest.approx(12 * 0.127 * np.cos(np.deg2rad(30)), rel=0.15)


def test_a_silanol_has_the_silicon_of_opls_and_the_tail_of_sage():
    free = ligand("NCCC[Si](O)(O)O").free
    parameters = silicon.assign(free)
    at = free.elements.index("Si")
    assert parameters.charges.sum() == pytest.approx(0.0, abs=ROUNDING)
    assert parameters.charges[at] == pytest.approx(0.08 + 3 * 0.15)
    oxygens = [j for j in free.neighbours[at] if free.elements[j] == "O"]
    assert [parameters.charges[j] for j in oxygens] == [-0.5] * 3
    lengths = {frozenset(term[:2]): term[2] for term in parameters.bonds}
    assert len(lengths) == len(free.bonds)
    assert {lengths[frozenset((at, j))] for j in oxygens} == {0.166}
    assert {frozenset(term[:3]) for term in parameters.angles} == {frozenset(a) for a in free.angles}
    assert {frozenset(term[:4]) for term in parameters.torsions} >= {frozenset(t) for t in free.torsions}
    # butan-1-amine, whose methyl stands for Si(OH)3: same nitrogen
    amine = ligand("NCCCCO").free
    assert parameters.charges[free.elements.index("N")] == pytest.approx(
        sage.assign(amine).charges[amine.elements.index("N")], abs=0.02
    )
