"""The Outcome of a replica, and its JSON in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loop.types import Check, Estimate, OracleFailure, Outcome
from oracles.openmm.files import write_profiles, write_run
from oracles.openmm.observe import answer, gates
from oracles.openmm.observe.profiles import profiles
from oracles.openmm.simulate.platforms import Compute
from oracles.openmm.simulate.replica import Replica, describe
from oracles.openmm.simulate.segments import Journal


def conclude(replica: Replica, journal: Journal, compute: Compute, folder: Path, ligands: bool) -> Outcome:
    """Judge a finished replica, write its files into `folder` and report.

    Raises OracleFailure for the first gate that does not pass, the files being its evidence.
    """
    film, production = replica.film, replica.fidelity.production
    with journal.timed("conclude"):
        series = journal.series(production.name)
        interval = production.sample * replica.fidelity.view_every * production.step_fs * 1e-3
        files = write_run(film, series, folder, interval)
        run = answer.settled(series)
        files = (*files, write_profiles(profiles(film, series, run), folder))
        checks = [
            *(Check(**check) for check in journal.entries[0]["checks"]),
            *answer.judge(replica, series, run, ligands),
            replica.energy_drift(),
        ]
    for check in checks:
        if not check.passed:
            raise OracleFailure(gates.CAUSES[check.name], describe(check), files, checks)
    provenance = {
        **film.provenance,
        **asdict(compute),
        **journal.machine,
        "seed": replica.seed,
        "equilibrated_after": run.fraction,
        "tries": journal.tries,
        "notes": journal.notes,
        "cpu_seconds": journal.seconds,
    }
    return Outcome(answer.estimates(film, series, replica.heights, run), tuple(checks), files, provenance)


def as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "estimates": {name: asdict(value) for name, value in outcome.estimates.items()},
        "checks": [asdict(check) for check in outcome.checks],
        "artifacts": list(outcome.artifacts),
        "provenance": dict(outcome.provenance),
    }


def failure_as_json(failure: OracleFailure) -> dict[str, Any]:
    return {
        "cause": failure.cause,
        "reason": failure.reason,
        "evidence": list(failure.evidence),
        "checks": [asdict(check) for check in failure.checks],
    }


def from_json(answer: Mapping[str, Any]) -> Outcome:
    """The Outcome that `as_json` wrote. Raises the OracleFailure instead where that is what the answer holds."""
    if "failure" in answer:
        told = answer["failure"]
        checks = [Check(**check) for check in told["checks"]]
        raise OracleFailure(told["cause"], told["reason"], told["evidence"], checks)
    return Outcome(
        {name: Estimate(**value) for name, value in answer["estimates"].items()},
        tuple(Check(**check) for check in answer["checks"]),
        tuple(answer["artifacts"]),
        dict(answer["provenance"]),
    )
