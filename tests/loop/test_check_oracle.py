"""`check_oracle` accepts honest oracles and names what is wrong with each kind of dishonest one."""

import itertools
import json
import math
import time

import numpy as np
import pytest

from loop import Check, Design, Estimate, OracleFailure, Outcome
from loop.testing import check_oracle
from oracles.measurement import MeasurementOracle
from oracles.table import TableOracle

DESIGNS = [Design({"x": x}) for x in (0.0, 1.0, 2.0)]


class Honest:
    """Sums noise in steps, keeps a checkpoint of each, and cannot answer x = 2."""

    properties = {"y": "nm"}  # noqa: RUF012
    fidelities = ("only",)

    def check(self, design, fidelity):
        return [Check("small", design.values["x"] < 9, design.values["x"], 9)]

    def cost(self, design, fidelity):
        return 0.2

    def evaluate(self, design, task, workdir):
        if design.values["x"] == 2:
            (workdir / "why.txt").write_text("two")
            raise OracleFailure("infeasible", "x is 2", ["why.txt"])
        noise = np.random.default_rng(task.seed).normal(size=20)
        path = workdir / "sum.json"
        step, total = json.loads(path.read_text()) if path.exists() else (0, design.values["x"])
        for n in range(step, 20):
            total += noise[n]
            path.with_suffix(".tmp").write_text(json.dumps([n + 1, total]))
            path.with_suffix(".tmp").replace(path)
            time.sleep(0.005)
        return Outcome({"y": Estimate(total / 10, 0.01, "angstrom")}, artifacts=("sum.json",))


def test_an_honest_oracle_passes():
    check_oracle(Honest(), DESIGNS)


def test_measurement_and_table_pass(tmp_path):
    check_oracle(MeasurementOracle({"y": "GPa"}), DESIGNS)
    path = tmp_path / "table.csv"
    path.write_text("x,y\n0,1\n1,2\n")
    check_oracle(TableOracle(path, {"y": "GPa"}, "simulation", noise={"y": 0.1}), DESIGNS)


class Rebel(Honest):
    """One broken promise at a time."""

    def __init__(self, **broken):
        for name, value in broken.items():
            setattr(self, name, value)


def answers(estimate):
    return lambda design, task, workdir: {"y": estimate}


def raises(error):
    def evaluate(design, task, workdir):
        raise error

    return evaluate


def unseeded(design, task, workdir):
    return {"y": Estimate(float(np.random.default_rng().normal()), 0.0, "nm")}


def resumes_wrongly(design, task, workdir):
    """Counts from where it was killed without knowing how far the sum had come."""
    path = workdir / "step"
    total = 0
    for n in range(int(path.read_text()) if path.exists() else 0, 40):
        total += n
        path.write_text(str(n + 1))
        time.sleep(0.005)
    path.unlink()
    return {"y": Estimate(float(total), 0.0, "nm")}


def dies(design, task, workdir):
    import os

    os._exit(3)


counter = itertools.count()
BROKEN = {
    "no unit": ({"properties": {"y": "bananas"}}, "property y: 'bananas' is no unit"),
    "no properties": ({"properties": {}}, "properties should map names to units"),
    "fidelities": ({"fidelities": ["only"]}, "fidelities should be a tuple of names"),
    "kind": ({"kind": "guess"}, r"kind should be one of \('measurement', 'simulation', 'synthetic'\), is 'guess'"),
    "fickle check": ({"check": lambda d, f: [Check("n", True, next(counter))]}, "at only changes between calls"),
    "slow check": ({"check": lambda d, f: time.sleep(0.6) or []}, "it should take milliseconds"),
    "check of another type": ({"check": lambda d, f: [True]}, "should return named Checks"),
    "negative cost": ({"cost": lambda d, f: -1.0}, "should be seconds, is -1.0"),
    "another unit": ({"evaluate": answers(Estimate(1.0, 0.1, "K"))}, "y in 'K': cannot convert 'K' to 'nm'"),
    "not a number": ({"evaluate": answers(Estimate(math.nan, 0.1, "nm"))}, "NaN or infinity"),
    "negative error": ({"evaluate": answers(Estimate(1.0, -0.1, "nm"))}, "should be finite with an error >= 0"),
    "no estimate": ({"evaluate": answers(3.2)}, "y should be an Estimate"),
    "missing property": ({"properties": {"y": "nm", "z": "nm"}}, "left out z"),
    "unseeded": ({"evaluate": unseeded}, "the same seed in a fresh folder gave another answer"),
    "untyped failure": ({"evaluate": raises(ValueError("ouch"))}, "else than OracleFailure:(.|\n)*ValueError: ouch"),
    "unknown cause": ({"evaluate": raises(OracleFailure("boredom", "why not"))}, "unknown cause 'boredom'"),
    "no reason": ({"evaluate": raises(OracleFailure("unphysical", " "))}, "failed without a reason"),
    "no evidence": ({"evaluate": raises(OracleFailure("unphysical", "hot", ["x.dcd"]))}, "names the file 'x.dcd'"),
    "resumes wrongly": ({"evaluate": resumes_wrongly}, "killed and continued gave"),
    "ends the process": ({"evaluate": dies}, "ended its own process"),
}  # fmt: skip


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_each_broken_promise_is_named(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_oracle(Rebel(**broken), DESIGNS)
