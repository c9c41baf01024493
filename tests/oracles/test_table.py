"""The table oracle: matching of designs, errors, noise, replicates, and refusals."""

import time

import numpy as np
import pytest

from loop.types import Design, OracleFailure, Task
from oracles.table import TableOracle

DESIGN = Design({"facet": "001", "density": 2.5, "length": 8, "temperature": 400})


def task(design=DESIGN, replicate=0, seed=1):
    return Task("t", design.id, "table", "table", replicate, seed)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(
        "note,facet,density,length,modulus,modulus_se\n"
        "a,001,2.50,8,3.5,0.2\n"
        "b,1,2.5,8,9.9,\n"
        "c,110,2.5,8.0,1.5,\n"
        "d,110,2.5,8,2.5,\n"
        "e,110,3,8,n/a,\n"
    )
    return file


def asked(path, design=DESIGN, tmp=None, **options):
    oracle = TableOracle(path, {"modulus": "GPa"}, **{"record": "simulation", **options})
    return oracle.evaluate(design, task(design, options.get("replicate", 0)), tmp)


def test_text_is_matched_as_text_and_numbers_as_numbers(path):
    estimate = asked(path)["modulus"]
    assert (estimate.mean, estimate.se, estimate.unit) == (3.5, 0.2, "GPa")


def test_several_rows_answer_replicates_in_turn(path):
    design = Design({**DESIGN.values, "facet": "110"})
    oracle = TableOracle(path, {"modulus": "GPa"}, "simulation")
    means = [oracle.evaluate(design, task(design, n), path.parent)["modulus"].mean for n in range(3)]
    assert means == [1.5, 2.5, 1.5]


def test_a_design_or_a_number_that_is_not_there_is_infeasible(path):
    with pytest.raises(OracleFailure, match=r"infeasible: table\.csv has no row for") as caught:
        asked(path, Design({**DESIGN.values, "length": 9}))
    assert caught.value.cause == "infeasible"
    with pytest.raises(OracleFailure, match=r"infeasible: table\.csv has no number for modulus of this design"):
        asked(path, Design({**DESIGN.values, "facet": "110", "density": 3.0}))


def test_a_table_without_any_parameter_of_the_design_is_no_answer(path):
    with pytest.raises(OracleFailure, match=r"infrastructure: table\.csv has no column of x"):
        asked(path, Design({"x": 1}))


def test_noise_comes_from_the_tasks_seed_and_widens_the_error(path):
    oracle = TableOracle(path, {"modulus": "GPa"}, "synthetic", noise={"modulus": 0.15})
    one, same = (oracle.evaluate(DESIGN, task(seed=5), path.parent)["modulus"] for _ in range(2))
    assert one == same
    assert one.se == pytest.approx(0.25)
    means = [oracle.evaluate(DESIGN, task(seed=n), path.parent)["modulus"].mean for n in range(400)]
    assert np.mean(means) == pytest.approx(3.5, abs=0.03)
    assert np.std(means) == pytest.approx(0.15, rel=0.15)


@pytest.mark.parametrize("record", ["measurement", "simulation", "synthetic"])
def test_the_kind_of_its_records_must_be_said(path, record):
    assert TableOracle(path, {"modulus": "GPa"}, record).kind == record


def test_wrong_keys_are_refused(path):
    with pytest.raises(ValueError, match="record should be one of measurement, simulation, synthetic, is 'real'"):
        TableOracle(path, {"modulus": "GPa"}, "real")
    with pytest.raises(ValueError, match=r"table\.csv has no column 'colour'; it has note, facet"):
        TableOracle(path, {"colour": "1"}, "simulation")
    with pytest.raises(ValueError, match="noise is given for 'beta', which is not one of the properties"):
        TableOracle(path, {"modulus": "GPa"}, "simulation", noise={"beta": 1})
    with pytest.raises(ValueError, match="noise of modulus should be a number of at least 0, is -1"):
        TableOracle(path, {"modulus": "GPa"}, "simulation", noise={"modulus": -1})
    with pytest.raises(FileNotFoundError):
        TableOracle(path.with_name("gone.csv"), {"modulus": "GPa"}, "simulation")


def test_a_large_table_is_read_once_and_answers_at_once(tmp_path):
    path = tmp_path / "large.csv"
    rows = (f"{n % 500},{n // 500},{n}\n" for n in range(100_000))
    path.write_text("a,b,y\n" + "".join(rows))
    oracle = TableOracle(path, {"y": "1"}, "simulation")
    oracle.evaluate(Design({"a": 1, "b": 1}), task(), tmp_path)
    begin = time.process_time()
    designs = [Design({"a": n % 500, "b": n // 500}) for n in range(0, 100_000, 100)]
    found = [oracle.evaluate(design, task(design), tmp_path)["y"].mean for design in designs]
    assert found == list(range(0, 100_000, 100))
    assert time.process_time() - begin < 1.0
