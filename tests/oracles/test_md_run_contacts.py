"""Fluorine on bare metal is counted across the box's edges and flagged."""

from types import SimpleNamespace

import numpy as np
import pytest

from oracles.openmm.observe import gates
from oracles.openmm.observe.contacts import fluorine_contacts


def film_of(elements, slab):
    atoms = [SimpleNamespace(element=SimpleNamespace(symbol=symbol)) for symbol in elements]
    topology = SimpleNamespace(atoms=lambda: iter(atoms))
    return SimpleNamespace(
        topology=topology, slab=np.array(slab), cell=lambda height: np.array([2.0, 2.0, height]), interface=8.0
    )


def test_pairs_are_counted_per_area_of_both_interfaces_and_across_edges():
    film = film_of(["Fe", "O", "H", "F", "F", "F"], [0, 1])
    near = [[0.0, 0.0, 0.0], [0.3, 0, 0], [0.3, 0, 0.1], [1.9, 0.0, 3.9], [0.0, 0.2, 0.0], [0.0, 0.0, 0.25]]
    far = [*near[:3], [1.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.3, 0.0, 0.1]]
    # the first is 0.141 nm from iron over two edges of a box 4 nm high, the second 0.2; the third is too far, and one
    # near to oxygen alone does not count
    assert fluorine_contacts(film, np.array([near, far], dtype=np.float32), 4.0) == pytest.approx(2 / 2 / 8.0)


def test_without_fluorine_there_is_nothing_to_count():
    film = film_of(["Fe", "O", "C"], [0, 1])
    assert fluorine_contacts(film, np.zeros((1, 3, 3)), 4.0) == 0.0


def test_many_contacts_are_flagged_but_pass():
    few, many = gates.fluorine_contacts(0.1), gates.fluorine_contacts(1.5)
    assert few.passed and many.passed
    assert many.flagged and not few.flagged
    assert "hydroxylate" in many.detail
