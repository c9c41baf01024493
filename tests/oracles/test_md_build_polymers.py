"""Polymers by name and by SMILES: what is refused and why, stereochemistry, copolymers, rings, densities."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.openmm import OpenMMOracle
from oracles.openmm.build.chains import grow
from oracles.openmm.build.feasible import check
from oracles.openmm.build.film import build_film
from oracles.openmm.build.molecules import Molecule, molecule
from oracles.openmm.build.perception import mapped, ring_systems, turning_runs
from oracles.openmm.build.polymers import STIFF, polymer
from oracles.openmm.build.repeat_units import BadUnit, read
from oracles.openmm.build.rotors import coil, repeated
from oracles.openmm.build.sequences import hands, sequences
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.build.threading import threaded
from oracles.openmm.forcefield import sage
from oracles.openmm.forcefield.parameters import Parameters, Uncovered
from oracles.openmm.materials import catalogue
from oracles.openmm.materials.volume import molar_volume
from oracles.openmm.oracle import BadKey

NAMES = list(catalogue.data("polymers"))
PLAIN = [name for name in NAMES if "copolymer" not in catalogue.data("polymers")[name]]


def ideal(made: Molecule) -> Parameters:
    """Lengths of 0.15 nm (0.11 to hydrogen) and angles of 110 degrees: enough to grow a chain."""
    n = len(made.elements)
    return Parameters(
        charges=np.zeros(n),
        sigma=np.zeros(n),
        epsilon=np.zeros(n),
        bonds=tuple((i, j, 0.11 if "H" in (made.elements[i], made.elements[j]) else 0.15, 1.0) for i, j in made.bonds),
        angles=tuple((i, j, k, np.radians(110), 1.0) for i, j, k in made.angles),
        torsions=(),
        coulomb14=1.0,
        lj14=1.0,
    )


@pytest.mark.parametrize(
    ("smiles", "fault"),
    [
        ("*CC(C", "cannot be read"),
        ("*CC1*", "cannot be read"),
        ("", "cannot be read"),
        ("*CC", "1 open ends"),
        ("C*C(*)*", "3 open ends"),
        ("**", "must have one single bond"),
        ("*=CC=*", "must have one single bond"),
        ("*C(F)(F)(F)C*", "valence for atom 2 C, 5"),
        ("*Cc1cccc1*", "Unkekulized atoms: 2 3 4 5 6"),
        ("*C[CH]C*", r"atom 3 \(C\) has unpaired electrons"),
        ("*C[N+](C)(C)C*", r"net charge is \+1 \(atom 3 \(N\)\)"),
        ("*C[Si](C)(C)*", r"no parameters for atom 3 \(Si\)"),
        ("*CC([Fe])*", r"no parameters for atom 4 \(Fe\)"),
        ("*C[C@H](C)*", r"atom 3 \(C\) has a stereo mark; leave it out and choose a tacticity"),
    ],
)
def test_bad_units_are_refused_with_the_atoms_named(smiles, fault):
    with pytest.raises(BadUnit, match=fault):
        read(smiles)


@pytest.mark.parametrize(
    ("smiles", "backbone"),
    [
        ("*CC(*)c1ccccc1", (0, 1)),
        ("c1ccccc1C(*)C*", (6, 7)),
        ("*CC(C)(*)C(=O)OC", (0, 1)),
        ("*C*", (0,)),
        ("*[CH2][CH2]*", (0, 1)),
        ("*c1ccc(*)cc1", (0, 1, 2, 3)),
        ("*C([N+](=O)[O-])C*", (0, 4)),
    ],
)
def test_the_backbone_is_the_path_between_the_open_ends(smiles, backbone):
    assert read(smiles).backbone == backbone


def refused(values, **options):
    return {c.name: c.detail for c in check({"chain_length": 6, **values}, "smoke", **options) if not c.passed}


@pytest.mark.parametrize(
    ("values", "name", "cure"),
    [
        ({"polymer": "*C[Si](C)(C)*"}, "polymer", "atom 3 (Si)"),
        ({"polymer": "teflon"}, "polymer", "write a repeat unit as SMILES with two *"),
        ({"polymer": "*CC*.*CO*.*CN*"}, "polymer", "3 repeat units"),
        ({"polymer": "*CC(*)CCCCCCCCCCCCCCCCCCCCCCCC", "chain_length": 16}, "chains", "smaller chain_length"),
        ({"polymer": "*c1ccc(*)cc1"}, "dihedrals", "two neighbouring bonds that turn"),
        ({"polymer": "*CC#CC*"}, "dihedrals", "two neighbouring bonds that turn"),
        ({"polymer": "PE", "comonomer_fraction": 0.2}, "comonomer_fraction", "[0, 0]"),
        ({"polymer": "P(VDF-TrFE)", "comonomer_fraction": 1.2}, "comonomer_fraction", "[0, 1]"),
        ({"polymer": "P(VDF-TrFE)", "arrangement": "alternating"}, "comonomer_fraction", "[0.5, 0.5]"),
        ({"polymer": "P(VDF-TrFE)", "arrangement": "gradient"}, "arrangement", "random or alternating or block"),
        ({"polymer": "PE", "arrangement": "block"}, "arrangement", "arrangement of PE is random"),
        ({"polymer": "PVDF", "tacticity": "isotactic"}, "tacticity", "tacticity of PVDF is auto"),
        ({"polymer": "PMMA", "tacticity": "eutactic"}, "tacticity", "isotactic or syndiotactic or atactic"),
        ({"polymer": "PEO", "head_to_head": 0.7}, "head_to_head", "[0, 0.5]"),
    ],
)
def test_check_refuses_what_a_polymer_cannot_be(values, name, cure):
    assert cure in refused(values)[name]


def test_every_polymer_has_sage_but_pvdf_may_have_its_own_set():
    assert {polymer(name).force_field for name in NAMES} == {"sage"}
    assert [n for n in NAMES if polymer(n, "byutner-smith").force_field != "sage"] == ["PVDF"]
    with pytest.raises(BadKey, match="sage, byutner-smith"):
        OpenMMOracle(pvdf_model="opls")


def test_sage_takes_what_the_pvdf_set_cannot():
    inverted = {"polymer": "PVDF", "head_to_head": 0.05}
    assert not refused(inverted)
    assert "pvdf_model: sage" in refused(inverted, pvdf_model="byutner-smith")["head_to_head"]


def test_every_catalogue_polymer_and_start_is_feasible():
    for name in NAMES:
        for start in ("coil", *polymer(name).starts):
            assert not refused({"polymer": name, "start": start}), (name, start)


def test_checks_of_smiles_take_milliseconds_and_do_not_load_the_toolkit():
    code = (
        "import sys; from oracles.openmm.build.feasible import check; "
        "found = check({'polymer': '*CC(*)c1ccc(F)cc1', 'chain_length': 6}, 'screen'); "
        "assert all(c.passed for c in found), found; "
        "assert not {'openff', 'torch'} & set(sys.modules), 'toolkit loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    began = time.process_time()
    for n in range(100):
        check({"polymer": f"*CC(*){'C' * (n % 20)}[Si]", "chain_length": 6}, "smoke")
        check({"polymer": f"*CC(*){'C' * (n % 20)}O", "chain_length": 6}, "smoke")
        check({"polymer": "P(VDF-TrFE)", "comonomer_fraction": n / 100, "chain_length": 6}, "smoke")
    assert (time.process_time() - began) / 300 < 5e-3


def handedness(made, x):
    """Sign of (towards the next backbone atom, first side group, second) at each inner backbone atom."""
    path = made.backbone
    signs = []
    for before, atom, after in zip(path, path[1:], path[2:], strict=False):
        sides = [j for j in made.neighbours[atom] if j not in (before, after)]
        vectors = [x[j] - x[atom] for j in (after, *sides)]
        signs.append(int(np.sign(np.linalg.det(vectors))))
    return np.array(signs)


def test_hands_are_real_chirality():
    """2,4-dichloropentane: alike hands are the meso compound (R,S), unlike ones a racemic one (R,R or S,S)."""
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    made = molecule("CC(Cl)CC(Cl)C", np.zeros(7, int), [0, 1, 3, 4, 6])

    def labels(hand):
        x = grow(made, ideal(made), np.array([180.0, 180.0]), np.array([1, 1, 1, hand, 1]))
        graph = mapped(made.smiles)
        conformer = Chem.Conformer(len(x))
        for i, point in enumerate(10 * x):
            conformer.SetAtomPosition(i, Point3D(*map(float, point)))
        graph.AddConformer(conformer)
        Chem.AssignStereochemistryFrom3D(graph)
        return sorted(code for _, code in Chem.FindMolChiralCenters(graph, useLegacyImplementation=False))

    assert labels(1) == ["R", "S"]
    assert labels(-1) in (["R", "R"], ["S", "S"])


@pytest.mark.parametrize("name", ["PMMA", "PP", "PS", "PVC", "PVA", "PVF"])
def test_tacticity(name):
    made = polymer(name).chain("A" * 10)
    angles = repeated([170.0, -65.0], len(made.backbone) - 3)
    x = {t: grow(made, ideal(made), angles, hands(made, t, 0)) for t in ("isotactic", "syndiotactic")}
    chiral = slice(0, None, 2)  # the second atom of each unit
    assert len(set(handedness(made, x["isotactic"])[chiral])) == 1
    assert (np.diff(handedness(made, x["syndiotactic"])[chiral]) != 0).all()
    drawn = np.array([hands(made, "atactic", seed)[1:-1:2] for seed in range(200)])
    meso = (drawn[:, 1:] == drawn[:, :-1]).mean()
    assert meso == pytest.approx(0.5, abs=0.05)
    assert (hands(made, "atactic", 3) == hands(made, "atactic", 3)).all()


def test_chains_without_stereocentres_have_no_tacticity():
    assert [name for name in NAMES if not polymer(name).chiral] == ["PVDF", "PEO", "PE", "PTFE"]
    assert (hands(polymer("PVDF").chain("AAA"), "atactic", 1) == 1).all()


def test_every_number_of_the_catalogue_has_its_source():
    for name, entry in catalogue.data("polymers").items():
        cited = [entry[key] for key in ("density", "coil") if key in entry] + list(entry["starts"].values())
        assert all(len(numbers["source"]) > 20 for numbers in cited), name
        assert set(entry["force_fields"]) <= {"byutner-smith", "sage"}
        assert "copolymer" in entry or {"repeat_unit", "head", "tail", "density", "coil"} <= set(entry)


def test_the_docs_list_the_catalogue():
    page = (Path(__file__).parents[2] / "docs" / "polymers.md").read_text(encoding="utf-8")
    rows = {cells[1]: cells for line in page.splitlines() if len(cells := [c.strip() for c in line.split("|")]) == 8}
    for name in NAMES:
        kind, cells = polymer(name), rows[name]
        assert cells[2].strip("`") == kind.units[0].repeat.smiles or len(kind.units) == 2
        assert cells[3] == (kind.tacticity if kind.chiral else "")
        assert cells[4].split(", ") == ["coil", *kind.starts]
        assert cells[5] == f"{kind.density(kind.comonomer_fraction):.2f}"


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    chains=st.integers(1, 12),
    length=st.integers(2, 24),
    fraction=st.floats(0, 1),
    arrangement=st.sampled_from(["random", "alternating", "block"]),
    inverted=st.floats(0, 0.5),
    seed=st.integers(0, 2**62),
)
def test_sequences_have_the_wanted_composition(chains, length, fraction, arrangement, inverted, seed):
    drawn = sequences(chains, length, fraction, arrangement, inverted, seed)
    assert drawn == sequences(chains, length, fraction, arrangement, inverted, seed)
    assert [len(sequence) for sequence in drawn] == [length] * chains
    whole = "".join(drawn)
    inner = chains * max(length - 2, 0)
    assert sum(letter.islower() for letter in whole) == min(round(inverted * len(whole)), inner)
    assert all(sequence[0].isupper() and sequence[-1].isupper() for sequence in drawn)
    second = whole.upper().count("B")
    if arrangement == "random":
        assert second == round(fraction * len(whole))
    elif arrangement == "block":
        assert second == chains * round(fraction * length)
        assert all("BA" not in sequence.upper() for sequence in drawn)
    else:
        assert all(sequence.upper() == ("AB" * length)[:length] for sequence in drawn)


def test_an_inverted_unit_makes_one_head_to_head_and_one_tail_to_tail_link():
    made = polymer("PVDF", "sage").chain("AAaAA")
    kinds = []
    for atom in made.backbone:
        around = [made.elements[j] for j in made.neighbours[atom]]
        kinds.append("F" if "F" in around else "H")
    assert "".join(kinds) == "HFHF" + "FH" + "HFHF"


def test_copolymers_mix_mass_and_volume():
    kind = polymer("P(VDF-TrFE)")
    vdf, trfe = kind.units
    assert (vdf.mass, trfe.mass) == pytest.approx((64.034, 82.025), abs=2e-3)
    assert kind.mass("AB") == pytest.approx(64.034 + 82.025 + 20.006, abs=5e-3)
    volume = 0.5 * 64.034 / 1.55 + 0.5 * 82.025 / 1.799
    assert kind.density(0.5) == pytest.approx(0.5 * (64.034 + 82.025) / volume, rel=1e-4)
    made = kind.chain("ABAB")
    assert made.elements.count("F") == 2 + 3 + 2 + 3 + 1
    assert len(kind.rotors("ABAB")) == len(made.backbone) - 3


@pytest.mark.parametrize("name", PLAIN)
def test_additive_volumes_give_the_catalogues_densities(name):
    """Within 15 %: the catalogue's are of glasses and melts, by experiment and by simulation."""
    unit = catalogue.polymer(name)["repeat_unit"]
    estimate = polymer(unit).units[0].mass / molar_volume(unit)
    assert polymer(unit).density(0.0) == estimate
    assert estimate == pytest.approx(catalogue.polymer(name)["density"]["value"], rel=0.15)


@pytest.mark.parametrize(
    ("name", "start"), [("PVDF", "alpha"), ("PVDF", "beta"), ("P(VDF-TrFE)", "beta"), ("PTFE", "helix")]
)
def test_extended_chains_are_no_longer_than_the_catalogue_says(name, start, tmp_path):
    from oracles.openmm.forcefield.assign import assign

    kind = polymer(name)
    made = kind.chain("A" * 12)
    x = grow(made, assign(made, kind.force_field, tmp_path), repeated(kind.starts[start]["torsions"], 21))
    length = np.linalg.norm(x[made.backbone[-1]] - x[made.backbone[0]])
    assert 0.85 * 12 < length / kind.starts[start]["rise"] < 12


@pytest.mark.parametrize(
    "smiles", ["*CC(*)c1ccccc1", "*Oc1ccc(cc1)C(C)(C)c1ccc(cc1)OC(=O)*", "*c1sc(*)cc1CCCC", "*CC1(*)CC1", "*CC(*)C#N"]
)
def test_units_with_rings_and_branches_grow_whole(smiles):
    kind = polymer(smiles)
    made = kind.chain("AAAA")
    torsions = coil(kind.rotors("AAAA"), 400.0, 1)
    x = grow(made, ideal(made), torsions, hands(made, "atactic", 1))
    assert np.isfinite(x).all()
    assert (grow(made, ideal(made), torsions, hands(made, "atactic", 1)) == x).all()
    for system in ring_systems(made.smiles):
        core = sorted(system.core)
        own = system.x[np.isin(system.atoms, core)]
        apart, wanted = (np.linalg.norm(y[:, None] - y[None], axis=-1) for y in (x[core], own))
        assert apart == pytest.approx(wanted, abs=1e-9)
    lengths = [np.linalg.norm(x[i] - x[j]) for i, j in made.bonds]
    assert min(lengths) > 0.09 and max(lengths) < 0.19


def test_phenyl_rings_are_flat_and_bound_to_the_chain():
    made = polymer("PS").chain("AAA")
    x = grow(made, ideal(made), np.full(3, 180.0))
    for system in ring_systems(made.smiles):
        flat = x[system.atoms] - x[system.atoms].mean(axis=0)
        assert np.linalg.svd(flat)[1][2] < 0.02
        core = sorted(system.core)
        assert np.linalg.norm(x[core[0]] - x[core[1]]) == pytest.approx(0.139, abs=0.004)


def test_bonds_that_cannot_turn_keep_trans_and_are_no_dihedrals():
    ester = polymer("*OC(=O)c1ccc(cc1)C(=O)OCC*")
    (unit,) = ester.units
    stiff = unit.rotors.gauche == STIFF
    # O-C(=O), C-ring, three in the ring, ring-C, C(=O)-O, O-C, C-C, and C-O to the next
    assert stiff.tolist() == [True, False, True, True, True, False, True, False, False, False]
    made = ester.chain("AAA")
    inner = {tuple(run[k : k + 2]) for run in turning_runs(made) for k in range(1, len(run) - 2)}
    ring = set().union(*(system.core for system in ring_systems(made.smiles)))
    assert inner and not any(set(pair) <= ring for pair in inner)
    drawn = coil(ester.rotors("AAA"), 400.0, 2)
    assert (np.abs(drawn[np.resize(stiff, 30)[1:-2]]) > 120).all()


def test_a_bond_through_a_ring_is_seen_across_the_cells_edge():
    ring = molecule("C1CCCCC1", np.zeros(6, int), [0, 1, 2])
    stick = molecule("CCC", np.zeros(3, int), [0, 1, 2])
    x, y = np.full((18, 3), 9.0), np.full((11, 3), 5.0)
    turns = np.arange(6) * np.pi / 3
    x[:6] = 0.15 * np.column_stack([np.cos(turns), np.sin(turns), np.zeros(6)]) + (0.02, 0.0, 0.0)
    y[:3] = [[0.0, 0.05, -0.1], [0.0, 0.05, 0.05], [0.1, 0.05, 0.15]]
    assert threaded(ring, x, stick, y, (2.0, 2.0))
    assert threaded(ring, x, stick, y + np.array([2.0, -2.0, 0.0]), (2.0, 2.0))
    assert not threaded(ring, x, stick, y + np.array([0.3, 0.0, 0.0]), (2.0, 2.0))
    assert not threaded(ring, x, stick, y + np.array([0.0, 0.0, 0.2]), (2.0, 2.0))


def test_films_of_rings_are_packed_without_threads(tmp_path):
    values = {"polymer": "PS", "chain_length": 4}
    film = build_film(values, SIZES["smoke"], Seeds(1, 2, 3), tmp_path)
    made = polymer("PS").chain("AAAA")
    for k, first in enumerate(film.chains):
        for second in film.chains[:k]:
            x, y = film.positions[first], film.positions[second]
            assert not threaded(made, x, made, y, tuple(film.box[:2]))
            assert not threaded(made, y, made, x, tuple(film.box[:2]))
    again = build_film(values, SIZES["smoke"], Seeds(1, 2, 3), tmp_path)
    assert (film.positions == again.positions).all()
    assert film.provenance["tacticity"] == "atactic"


def test_chains_of_a_copolymer_film_are_its_own_and_assigned_directly(tmp_path):
    values = {"polymer": "P(VDF-TrFE)", "comonomer_fraction": 0.4, "chain_length": 6}
    film = build_film(values, SIZES["smoke"], Seeds(1, 2, 3), tmp_path)
    found = film.provenance
    letters = "".join(found["sequences"])
    assert found["comonomer_fraction"] == pytest.approx(0.4, abs=0.5 / len(letters))
    assert len(set(found["sequences"])) > 2
    assert found["polymer_model"]["force_field"] == sage.FORCE_FIELD
    assert len(list(tmp_path.glob("*.json"))) == len(set(found["sequences"]))
    force = next(f for f in film.system.getForces() if f.getName() == "nonbonded")
    charges = np.array([force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles())])
    assert [charges[atoms].sum() for atoms in film.chains] == pytest.approx(np.zeros(len(film.chains)), abs=1e-9)
    units = np.array([charges[atoms].sum() for atoms in film.monomers])
    assert np.abs(units).max() < 0.1  # repeat units are nearly neutral: their dipoles have a meaning
    assert [len(a) for a in film.chains] == [38] * len(film.chains)
    assert film.topology.getNumAtoms() == len(film.positions)
    other = build_film(values, SIZES["smoke"], Seeds(1, 9, 3), tmp_path)
    assert other.provenance["sequences"] != found["sequences"]


def test_sage_says_which_atoms_it_lacks(tmp_path):
    boron = molecule("CB(C)C", np.zeros(4, int), [0, 1, 2])
    with pytest.raises(Uncovered, match=r"no vdW parameters for B1"):
        sage.assign(boron, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_many_write_at_once_is_always_whole(tmp_path):
    path, stored = tmp_path / "parameters" / "key.json", {"charges": list(range(20000))}
    sage._write(path, stored)
    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(sage._write, path, stored) for _ in range(60)]
        while not all(writer.done() for writer in writers):
            assert sage._read(path) == stored
    assert list(path.parent.iterdir()) == [path]
