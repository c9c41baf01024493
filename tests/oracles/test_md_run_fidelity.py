"""The price levels: what each stage is for, and the long ones in short."""

from dataclasses import replace

import numpy as np
import pytest

from oracles.openmm.build.film import build_film
from oracles.openmm.build.size import SIZES, Seeds
from oracles.openmm.simulate.fidelity import FIDELITIES
from oracles.openmm.simulate.platforms import choose
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import Journal

DESIGN = {"oxide": "magnetite", "polymer": "PVDF", "chain_length": 6, "temperature": 350.0}


def shortened(name, by):
    """A fidelity with its stages `by` times shorter (production five times more so), sampled ten times each."""

    def short(stage, by=by):
        steps = max(stage.steps // by, 50)
        return replace(stage, steps=steps, segment=steps, sample=steps // 10)

    long = FIDELITIES[name]
    return replace(
        long,
        push_off=100,
        equilibration=tuple(map(short, long.equilibration)),
        production=short(long.production, 5 * by),
    )


@pytest.mark.parametrize("name", FIDELITIES)
def test_stages_are_whole_segments_of_whole_samples(name):
    for stage in FIDELITIES[name].stages:
        assert sum(stage.lengths()) == stage.steps
        assert all(steps % stage.sample == 0 for steps in stage.lengths()), stage.name
    assert len({stage.name for stage in FIDELITIES[name].stages}) == len(FIDELITIES[name].stages)


def test_each_level_is_larger_and_longer_than_the_one_before():
    assert list(FIDELITIES) == list(SIZES)
    for less, more in zip(list(FIDELITIES)[:-1], list(FIDELITIES)[1:], strict=True):
        assert np.prod(SIZES[less].lateral) * SIZES[less].gap < np.prod(SIZES[more].lateral) * SIZES[more].gap
        assert FIDELITIES[less].production.steps < FIDELITIES[more].production.steps
        steps = [sum(stage.steps for stage in FIDELITIES[name].equilibration) for name in (less, more)]
        assert steps[0] < steps[1]


def test_the_anneal_is_of_200_ps_and_ends_cold():
    stages = {stage.name: stage for stage in FIDELITIES["standard"].equilibration}
    annealing = [stage for stage in stages.values() if stage.temperature]
    assert [stage.temperature for stage in annealing] == [600.0, 550.0, 500.0, 450.0]
    picoseconds = sum(stage.steps * stage.step_fs * 1e-3 for stage in (*annealing, stages["compress 1 bar"]))
    assert picoseconds == pytest.approx(175.0)
    assert all(stage.pressure == 1.0 for stage in annealing)


@pytest.mark.slow
def test_an_anneal_heats_and_cools_and_a_kill_within_it_shows_nowhere(tmp_path):
    standard = shortened("standard", by=50)
    film = build_film(DESIGN, SIZES["smoke"], Seeds(1, 2, 3))

    def replica(kind, folder):
        return kind(film, standard, 350.0, 4, choose("CPU"), Journal(folder, {}))

    replica(Replica, tmp_path / "whole").run()
    with pytest.raises(Cut):
        replica(Interrupted, tmp_path / "cut").run()
    replica(Replica, tmp_path / "cut").run()
    whole, cut = (Journal(tmp_path / name, {}) for name in ("whole", "cut"))
    hot, cold = (whole.series(name)["temperature"] for name in ("anneal 600 K", "production"))
    assert 475.0 < hot[5:].mean() < 640.0  # half a picosecond is not enough to reach 600 K from 350 K
    assert cold[5:].mean() == pytest.approx(350.0, rel=0.12)
    assert whole.checkpoint() == cut.checkpoint()


class Cut(Exception):
    pass


class Interrupted(Replica):
    def advance(self, engine, index, stage, steps, previous):
        if stage.name == "anneal 500 K":
            raise Cut
        super().advance(engine, index, stage, steps, previous)
