"""The response to a field: its formula on made-up series, and on a real film that is interrupted between the runs."""

import dataclasses

import numpy as np
import pytest

from loop import Design
from oracles.openmm import OpenMMOracle, field
from oracles.openmm.build.feasible import with_defaults
from oracles.openmm.build.film import build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import Journal


def test_a_linear_medium_gives_back_its_susceptibility():
    """P = chi eps0 E with chi 2 and what noise both runs share: it cancels."""
    rng = np.random.default_rng(3)
    common = rng.normal(0.0, 0.5, 30)
    turned = 2.0 * 8.8541878e-12 * 1.5e9 / 1.602176634e-19 * 1e-18  # C/m^2 -> e/nm^2
    plus = {"polarisation": common + turned, "dipole": common + 0.3}
    minus = {"polarisation": common - turned, "dipole": common - 0.3}
    found = field.response(plus, minus)
    assert found["field_response"].mean == pytest.approx(2.0, rel=1e-6)
    assert found["field_response"].se < 1e-6
    assert found["wall_response"].mean == pytest.approx(0.3 / 1.5)


def test_only_the_last_two_picoseconds_count():
    plus = {"polarisation": np.r_[np.full(20, 9.0), np.ones(10)], "dipole": np.r_[np.full(20, 9.0), np.ones(10)]}
    minus = {name: -values for name, values in plus.items()}
    assert field.response(plus, minus)["wall_response"].mean == pytest.approx(1 / 1.5)


def test_who_asks_is_promised_both_and_pays_for_twelve_picoseconds():
    asking, plain, design = OpenMMOracle(observables=["field_response"]), OpenMMOracle(), Design({"polymer": "PE"})
    assert set(asking.properties) - set(plain.properties) == {"field_response", "wall_response"}
    assert 1.05 < asking.cost(design, "screen") / plain.cost(design, "screen") < 1.4
    assert all(check.passed for check in asking.check(design, "screen"))


@pytest.mark.slow
def test_a_film_turns_with_the_field_and_an_interruption_changes_nothing(tmp_path, monkeypatch):
    smoke = FIDELITIES["smoke"]
    production = dataclasses.replace(smoke.production, steps=80, segment=80, sample=20)
    short = dataclasses.replace(smoke, push_off=100, production=production, energy_every=1)
    film = build_film(with_defaults({"chain_length": 6}), SIZES["smoke"], Seeds(1, 2, 3))
    monkeypatch.setattr(field, "LENGTH", 2.0)
    journal = Journal(tmp_path, {})
    Replica(film, short, 400.0, 7, choose("CPU"), journal).run()
    replica = Replica(film, short, 400.0, 7, choose("CPU"), journal)
    at_end, entry = journal.checkpoint(), journal.entries[-1]["height"]
    whole = field.respond(replica, journal)
    assert whole["field_response"].mean > 0
    assert journal.checkpoint() == at_end
    assert journal.entries[-1]["height"] == entry
    del journal.entries[-1]  # killed before the run in -E was durable
    journal.write()
    again = Journal(tmp_path, {})
    resumed = Replica(film, short, 400.0, 7, choose("CPU"), again)
    assert field.respond(resumed, again).estimates == whole.estimates
