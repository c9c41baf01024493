"""Rotational states of chains with stereocentres: what meso and racemo diads allow, and chains that are at ease."""

from itertools import pairwise

import numpy as np
import openmm
import pytest

from oracles.openmm.build.assemble import build_isolated
from oracles.openmm.build.chains import grow
from oracles.openmm.build.geometry import dihedral
from oracles.openmm.build.melt import melt, shapes
from oracles.openmm.build.pentanes import beside
from oracles.openmm.build.polymers import polymer
from oracles.openmm.build.rotors import boltzmann_weights, coil
from oracles.openmm.build.sequences import hands
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.forcefield.assign import assign

T, PLUS, MINUS = 0, 1, 2
PP_DESIGN = {"polymer": "PP", "chain_length": 12, "comonomer_fraction": 0.0, "arrangement": "random"}


def chain(name, tacticity, units, seed=0):
    """The molecule, its parameters, the sides of its groups, its rotors and those told of their neighbours."""
    kind = polymer(name)
    made = kind.chain("A" * units)
    parameters, side = assign(made, "sage"), hands(made, tacticity, seed)
    rotors = kind.rotors("A" * units)
    return made, parameters, side, rotors, rotors.crowded(beside(made, parameters, side))


@pytest.mark.parametrize(("name", "tacticity"), [("PP", "isotactic"), ("PP", "syndiotactic"), ("PVC", "syndiotactic")])
def test_side_groups_meet_where_flory_says(name, tacticity):
    """Both bonds of a CH2 between two CHR. Meso: tt brings R to R, and one tg each way is free, of opposite signs;
    racemo: tt is free, and so is one gg, but no tg. About CHR itself nothing but the backbone can meet."""
    made, parameters, side, _, _ = chain(name, tacticity, 4)
    counts = beside(made, parameters, side)
    assert not counts[0::2].any()  # pairs about CHR; the first bond has none before it
    for diad in counts[1::2]:
        if tacticity == "isotactic":
            assert diad[T, T] == 1
            assert (diad[T, PLUS], diad[MINUS, T]) in ((0, 0), (1, 1))
            assert diad[T, PLUS] + diad[T, MINUS] == diad[PLUS, T] + diad[MINUS, T] == 1
        else:
            assert diad[T, T] == 0
            assert sorted((diad[PLUS, PLUS], diad[MINUS, MINUS])) == [0, 2]
            assert diad[T, PLUS] == diad[PLUS, T] == diad[T, MINUS] == diad[MINUS, T] == 1
    mirror = beside(made, parameters, -side)
    swap = [T, MINUS, PLUS]
    assert (mirror == counts[:, swap][:, :, swap]).all()


def test_two_heavy_side_groups_always_meet_someone():
    """About the CH2 of PMMA six ends take three places on each side: two of them meet whatever the states, the
    backbone's own pair among them in two."""
    made, parameters, side, _, _ = chain("PMMA", "syndiotactic", 4)
    for diad in beside(made, parameters, side)[1::2]:
        backbone = np.zeros((3, 3))
        backbone[PLUS, MINUS] = backbone[MINUS, PLUS] = 1
        assert (diad + backbone == 2).all()


def drawn(name, tacticity, units=8, draws=100):
    """Pairs of states (draws, units - 2, 2) of the two bonds of every CH2 within the chain."""
    *_, rotors = chain(name, tacticity, units)
    angles = np.array([coil(rotors, 400.0, seed) for seed in range(draws)])
    states = np.where(np.abs(angles) > 120, 0, np.sign(angles)).astype(int)
    return np.stack([states[:, 0:-1:2], states[:, 1::2]], axis=-1)


def test_meso_diads_are_trans_gauche_and_racemo_ones_trans_trans():
    meso, racemo = (drawn("PP", tacticity) for tacticity in ("isotactic", "syndiotactic"))
    tt, tg = (np.array([(pairs == 0).sum(-1) == n for pairs in (meso, racemo)], dtype=object) for n in (2, 1))
    assert tt[0].mean() < 0.1 < 0.35 < tt[1].mean()
    assert tg[1].mean() < 0.15 < 0.75 < tg[0].mean()


def test_isotactic_helices_have_one_hand():
    """The 3_1 helix, ...tgtg... of one sign of gauche (Natta, Corradini, Nuovo Cimento Suppl. 1960, 15, 9): which sign
    a meso diad takes depends on which of its two bonds takes it, the other sets a side group against the backbone."""
    pairs = drawn("PP", "isotactic").reshape(-1, 2)
    second = pairs[pairs[:, 0] == 0][:, 1]
    first = pairs[pairs[:, 1] == 0][:, 0]
    preferred = np.sign(second.sum())
    assert (second == preferred).sum() > 5 * (second == -preferred).sum()
    assert (first == -preferred).sum() > 5 * (first == preferred).sum()


@pytest.mark.parametrize("name", ["PVDF", "PE", "PEO", "PTFE", "*CC(F)(F)*", "*CC(C)(C)*"])
def test_chains_without_stereocentres_are_drawn_as_ever(name):
    kind = polymer(name)
    rotors = kind.rotors("AAAA")
    assert not kind.chiral and not rotors.side_clash.any()
    _, pair = boltzmann_weights(rotors, 400.0)
    plain = np.ones_like(pair)
    plain[:, 1, 2] = plain[:, 2, 1] = np.exp(-rotors.clash / (GAS_CONSTANT * 400.0))
    assert (pair == plain).all()


def relaxed(made, parameters, x):
    """kJ/mol, backbone angles' share of it each, and positions after minimisation in free space."""
    context = openmm.Context(
        build_isolated(made, parameters),
        openmm.VerletIntegrator(0.001),
        openmm.Platform.getPlatformByName("CPU"),
        {"Threads": "1"},
    )
    context.setPositions(x)
    openmm.LocalEnergyMinimizer.minimize(context, 1.0, 0)
    state = context.getState(energy=True, positions=True)
    x = state.getPositions(asNumpy=True)._value
    path = set(made.backbone.tolist())
    bent = []
    for i, j, k, theta, force in parameters.angles:
        if {i, j, k} <= path:
            u, v = x[i] - x[j], x[k] - x[j]
            found = np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
            bent.append(0.5 * force * (found - theta) ** 2)
    return state.getPotentialEnergy()._value, np.array(bent), x


def bond_strain(made, parameters, x):
    """kJ/mol of each backbone bond."""
    path = {frozenset(pair) for pair in pairwise(made.backbone.tolist())}
    bonds = [(i, j, r, k) for i, j, r, k in parameters.bonds if frozenset((i, j)) in path]
    return np.array([0.5 * k * (np.linalg.norm(x[i] - x[j]) - r) ** 2 for i, j, r, k in bonds])


@pytest.mark.parametrize("tacticity", ["isotactic", "syndiotactic", "atactic"])
@pytest.mark.parametrize(("name", "gain"), [("PP", 2.0), ("PVC", 1.5)])
def test_coils_are_at_ease(name, gain, tacticity):
    """States that know of their side groups relax to lower energies, with little strain in bonds and angles."""
    units, told, untold = 8, [], []
    for seed in range(4):
        made, parameters, side, rotors, crowded = chain(name, tacticity, units, seed)
        energy, bent, x = relaxed(made, parameters, grow(made, parameters, coil(crowded, 400.0, seed), side))
        told.append(energy / units)
        untold.append(relaxed(made, parameters, grow(made, parameters, coil(rotors, 400.0, seed), side))[0] / units)
        assert bond_strain(made, parameters, x).mean() < 0.8 and bent.mean() < 2.0 and bent.max() < 8.0
    assert np.mean(told) < np.mean(untold) - gain


def test_melts_tell_their_chains_of_their_side_groups():
    """Chains of a film, not only those made here: gauche bonds of PP by sign, against the places of its methyls."""
    design = {**PP_DESIGN, "head_to_head": 0.0, "tacticity": "isotactic"}
    chains = melt(design, 6, "sage", 3)
    grown = shapes(chains, 400.0, 3)
    made = chains.molecules[0]
    path = made.backbone
    angles = np.array([[np.degrees(dihedral(*x[path[k : k + 4]])) for k in range(len(path) - 3)] for x in grown])
    states = np.where(np.abs(angles) > 120, 0, np.sign(angles)).astype(int)
    pairs = np.stack([states[:, 0:-1:2], states[:, 1::2]], axis=-1)
    assert ((pairs == 0).sum(-1) == 2).mean() < 0.15
    assert ((pairs == 0).sum(-1) == 1).mean() > 0.7
