"""The measurement oracle declares what a person measures and never answers by itself."""

import pytest

from loop.plugins import build
from loop.types import Design, Oracle, OracleFailure, Task
from oracles.measurement import MeasurementOracle

DESIGN = Design({"x": 1})


def test_it_declares_properties_with_units_and_waits_for_a_person():
    oracle = MeasurementOracle({"modulus": "GPa", "beta": 1}, hours=2)
    assert isinstance(oracle, Oracle)
    assert oracle.properties == {"modulus": "GPa", "beta": "1"}
    assert (oracle.kind, oracle.isolation, oracle.fidelities) == ("measurement", "person", ("measured",))
    assert oracle.cost(DESIGN, "measured") == 7200
    assert list(oracle.check(DESIGN, "measured")) == []


def test_no_program_can_answer_it(tmp_path):
    oracle = MeasurementOracle({"modulus": "GPa"})
    with pytest.raises(OracleFailure, match="task t is measured by a person: use loop ask and loop tell"):
        oracle.evaluate(DESIGN, Task("t", DESIGN.id, "lab", "measured", 0, 1), tmp_path)


def test_wrong_keys_are_refused(tmp_path):
    with pytest.raises(ValueError, match="properties should map each measured property to its unit"):
        MeasurementOracle({})
    with pytest.raises(ValueError, match="properties should map each measured property to its unit"):
        MeasurementOracle(["modulus"])
    with pytest.raises(ValueError, match="hours should not be negative, is -1"):
        MeasurementOracle({"modulus": "GPa"}, hours=-1)
    assert build("oracle", "measurement", {"properties": {"modulus": "GPa"}}, tmp_path).properties
