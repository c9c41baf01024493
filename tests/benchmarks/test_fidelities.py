"""Campaigns on two tables of real simulations: what is paid, and what has been found by then."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import fidelities


@pytest.fixture(scope="module")
def films() -> fidelities.Films:
    return fidelities.Films(fidelities.DATA / "md_smoke.csv", fidelities.DATA / "md_screen.csv")


def test_all_films_hold_all_of_the_hypervolume_and_a_mediocre_one_none(films: fidelities.Films) -> None:
    names = [o.property for o in films.objectives]
    assert names == ["surface_field", "adhesion_energy"]
    worst = min(films.designs, key=lambda design: films.values["screen"][design][0][0])
    assert films.found(films.designs) == pytest.approx(1)
    assert films.found([worst]) == 0


def test_labels_are_paid_for_and_the_first_designs_are_the_same(films: fidelities.Films) -> None:
    plays = [fidelities.Play(films, levels, 3) for levels in fidelities.LEVELS]
    alone, both = (next(play.rounds()) for play in plays)
    assert plays[0].labels == 0 and alone[0] == 10 * fidelities.SECONDS["screen"]
    assert plays[1].labels >= 10 and both[0] == alone[0] + plays[1].labels * fidelities.SECONDS["smoke"]
    assert both[1] == alone[1] > 0


def test_the_ratio_is_of_the_times_at_which_means_cross_a_level() -> None:
    seconds = np.arange(0.0, 50, 10)
    slow, fast = fidelities.grid([[(20.0, 0.5), (40.0, 1.0)]], seconds), fidelities.grid([[(20.0, 1.0)]], seconds)
    assert slow.tolist() == [[0, 0, 0.5, 0.5, 1]]
    assert fidelities.ratio(slow, fast, 0.9, seconds) == 0.5
    assert np.isnan(fidelities.ratio(slow, 0 * fast, 0.9, seconds))
