"""What the worker makes of an oracle's answer: a number only where everything about it is right."""

from __future__ import annotations

import hashlib

import pytest

from loop.execution import run_attempt
from loop.execution.worker import plain


@pytest.fixture
def ask(attempt):
    """The result of an oracle that does `act`, asked in this thread."""
    return lambda act: run_attempt(str(attempt(act, isolation="inline")))


def test_an_answer_comes_in_the_declared_units(ask) -> None:
    result = ask("answer")
    assert (result["status"], result["task_id"], result["attempt"], result["token"]) == (
        "observed", "t-odd-std-0", 1, "token1",
    )  # fmt: skip
    assert result["estimates"]["energy"] == {
        "mean": 4.184, "se": pytest.approx(2.092), "unit": "kJ/mol", "n_eff": 12.0, "method": "blocks",
    }  # fmt: skip
    assert result["estimates"]["length"]["mean"] == pytest.approx(0.2)
    assert result["estimates"]["length"]["se"] == 0.0


def test_checks_files_and_provenance_are_kept(ask) -> None:
    result = ask("rich")
    digest = hashlib.sha256(b"ATOM").hexdigest()
    assert result["artifacts"] == [{"path": "work/film.pdb", "sha256": digest, "bytes": 4}]
    assert [(c["name"], c["passed"], c["value"]) for c in result["checks"]] == [
        ("drift", True, 0.1),
        ("force", False, "nan"),
    ]
    assert result["provenance"]["box"] == [1.0, 2.0]
    assert result["provenance"]["path"].endswith("work/film.pdb")


@pytest.mark.parametrize(
    ("act", "cause", "words"),
    [
        ("nan", "unphysical", "energy is nan"),
        ("negative", "unphysical", "standard error of length is -0.1"),
        ("endless", "unphysical", "standard error of length is inf"),
        ("misfit", "infrastructure", "energy: cannot convert 'nm' to 'kJ/mol'"),
        ("missing", "infrastructure", "no value for the declared property 'length'"),
        ("surplus", "infrastructure", "'mood' is reported but not declared"),
        ("nothing", "infrastructure", "NoneType"),
        ("crossed", "infrastructure", "'../spec.json' is not a file in the work folder"),
        ("invent", "infrastructure", "unknown cause 'bad mood'"),
        ("starve", "infrastructure", "MemoryError"),
        ("absent", "infrastructure", "AttributeError"),
    ],
)
def test_what_is_wrong_is_a_typed_failure_never_a_number(ask, act: str, cause: str, words: str) -> None:
    result = ask(act)
    assert (result["status"], result["cause"]) == ("failed", cause)
    assert words in result["reason"]
    assert "estimates" not in result


def test_an_oracles_own_failure_keeps_its_evidence(ask) -> None:
    result = ask("fail")
    assert (result["cause"], result["reason"]) == ("unphysical", "T ran away")
    assert result["evidence"] == ["work/last.pdb"]
    assert result["checks"][0]["value"] == 900.0


def test_an_exception_leaves_its_traceback_and_reads_the_same_in_every_attempt(attempt) -> None:
    first, second = attempt("stumble", 1, isolation="inline"), attempt("stumble", 2, isolation="inline")
    results = [run_attempt(str(folder)) for folder in (first, second)]
    assert results[0]["evidence"] == ["traceback.txt"]
    assert "in stumble" in (first / "traceback.txt").read_text()
    assert results[0]["reason"] == results[1]["reason"]
    assert "KeyError" in results[0]["reason"]


def test_an_unknown_plug_in_is_named(attempt) -> None:
    result = run_attempt(str(attempt("answer", isolation="inline", kind="odd_oracle:Even")))
    assert result["cause"] == "infrastructure"
    assert "Even" in result["reason"]


def test_plain_values() -> None:
    assert plain({1: (float("inf"), {2.5}, None, object)})["1"][:3] == ["inf", [2.5], None]
