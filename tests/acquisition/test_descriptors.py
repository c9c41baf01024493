"""Descriptors of choices and molecules in the surrogate."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.encoding import Encoding
from acquisition.surrogate import Surrogate
from loop.molecules import at_fraction, describe
from loop.space import Space
from loop.types import Design, Estimate, Molecules, Objective, Parameter, Record

OBJECTIVE = Objective("adhesion", "maximize", "md", "mJ/m^2")
ACIDS = Molecules("O=C([OH:1])R", (2, 10), ("C", "F", "O"))
METALS = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 10.0}


def by_charge(name: str, value: object) -> dict[str, float]:
    return {"charge": METALS[str(value)], "constant": 7.0, "twice": 2 * METALS[str(value)]} if name == "oxide" else {}


def records(designs: list[Design], values: np.ndarray, se: float = 0.05) -> list[Record]:
    return [
        Record(design, "md", "screen", "simulation", {"adhesion": Estimate(float(y), se, "mJ/m^2")}, 2, 0)
        for design, y in zip(designs, values, strict=True)
    ]


def test_choices_keep_their_code_beside_scaled_descriptors() -> None:
    oxide = Parameter("oxide", "choices", tuple(METALS))
    space = Space([oxide, Parameter("density", "real", bounds=(0.0, 8.0))], describers=[by_charge])
    encoding = Encoding(space)
    assert encoding.described == (1,) and encoding.generated == ()  # no constant, nothing twice
    rows = encoding.rows([Design({"oxide": name, "density": 4.0}) for name in METALS])
    assert rows.tolist() == [[0.5, 0, 0], [0.5, 1, 1 / 9], [0.5, 2, 2 / 9], [0.5, 3, 1]]
    assert encoding.distances(rows[:1], rows[1:]).tolist() == [[1.0, 1.0, 1.0]]
    assert encoding.at(np.array([[0.5, 0.99, 0.0]])).tolist() == [[0.5, 3.0, 1.0]]


def test_without_a_description_nothing_changes() -> None:
    oxide = Parameter("oxide", "choices", tuple(METALS))
    plain, pair = Encoding(Space([oxide])), Parameter("oxide", "choices", ("a", "d"))
    assert plain.width == 1 and plain.described == ()
    assert Encoding(Space([pair], describers=[by_charge])).described == ()


def test_an_unseen_choice_is_predicted_by_its_descriptors() -> None:
    oxide = Parameter("oxide", "choices", tuple("abcdefghij"))

    def told(name: str, value: object) -> dict[str, float]:
        return {"charge": float("abcdefghij".index(str(value)))} if name == "oxide" else {}

    density = Parameter("density", "real", bounds=(0.0, 8.0))
    seen = [Design({"oxide": o, "density": float(d)}) for o in "abcdfhij" for d in (0, 4, 8)]
    values = np.array([told("oxide", d.values["oxide"])["charge"] for d in seen])
    new = [Design({"oxide": "g", "density": 4.0})]
    errors = []
    for describers in ((), (told,)):
        encoding = Encoding(Space([oxide, density], describers=describers))
        mean, _ = Surrogate(encoding, OBJECTIVE, records(seen, values)).predict(encoding.rows(new))
        errors.append(abs(float(mean[0]) - 6.0))
    assert errors[1] < 0.3 < errors[0]


def test_molecules_are_known_by_their_descriptors() -> None:
    space = Space([Parameter("ligand", "smiles", molecules=ACIDS), Parameter("density", "real", bounds=(0.0, 3.0))])
    encoding = Encoding(space)
    assert encoding.n_categorical == 0 and encoding.generated == (len(encoding.groups[0].names),)
    ligands = [at_fraction(ACIDS, (k + 0.37) / 60) for k in range(60)]
    designs = [Design({"ligand": name, "density": (k * 0.7) % 3}) for k, name in enumerate(ligands)]
    truth = np.array([5.0 * describe(str(d.values["ligand"]))["fluorine_share"] + d.values["density"] for d in designs])
    surrogate = Surrogate(encoding, OBJECTIVE, records(designs[::2], truth[::2]))
    mean, sd = surrogate.predict(encoding.rows(designs[1::2]))
    error = truth[1::2] - mean
    assert 1 - (error**2).mean() / truth[1::2].var() > 0.8  # molecules that it never saw
    assert np.isfinite(sd).all() and (np.abs(error) < 4 * sd + 0.3).mean() > 0.9


def test_molecules_apart_by_descriptors_are_apart_in_the_encoding() -> None:
    encoding = Encoding(Space([Parameter("ligand", "smiles", molecules=ACIDS)]))
    names = ("CCCC(=O)[OH:1]", "CCCCC(=O)[OH:1]", "O=C(C(F)(F)C(F)(F)C(F)(F)C(F)(F)F)[OH:1]")
    rows = encoding.rows([Design({"ligand": name}) for name in names])
    apart = encoding.distances(rows, rows)
    assert apart[0, 0] == 0 and apart[0, 1] < apart[0, 2] and apart[1, 2] == apart[2, 1]


def test_a_missing_descriptor_counts_as_the_middle() -> None:
    def sometimes(name: str, value: object) -> dict[str, float]:
        return {"length": float(len(str(value)))} if "F" in str(value) else {}

    encoding = Encoding(Space([Parameter("ligand", "smiles", molecules=ACIDS)], describers=[sometimes]))
    (group,) = encoding.groups
    assert "length" in group.names
    row = encoding.rows([Design({"ligand": "CCCC(=O)[OH:1]"})])[0]
    assert row[group.names.index("length")] == pytest.approx(group.middle[group.names.index("length")])
