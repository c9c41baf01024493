"""The child of an attempt: builds the oracle, asks it, validates the answer and publishes it.

Started by the shim as `python -P -m loop.execution.worker FOLDER PID-OF-SHIM`; with inline isolation the shim calls
`answer` in its own thread.
"""

from __future__ import annotations

import hashlib
import math
import os
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from loop.durable import read_json
from loop.execution.attempt import publish
from loop.plugins import build
from loop.types import Cause, Check, Design, Estimate, Oracle, OracleFailure, Outcome, Task
from loop.units import UnitError, convert


class BadAnswer(Exception):
    """The oracle broke its contract: a fault of the plug-in, which says nothing about the design."""


def main(folder: Path, parent: int) -> None:
    if os.getppid() != parent:
        return  # the shim died while this interpreter started: nobody wants the answer
    publish(folder, answer(folder, read_json(folder / "spec.json")))


def answer(folder: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The result of asking the oracle once in `folder`/work: observed, or failed with a cause. Never raises for what
    the oracle does.

    A value that is not a finite number, or a standard error that is not zero or more, is `unphysical`. Any
    exception other than OracleFailure, and an answer that lacks a declared property, has one too many or a unit that
    cannot be converted, is `infrastructure`.
    """
    started = time.monotonic()
    try:
        content = _ask(folder, spec)
    except OracleFailure as failure:
        content = _failed(folder, failure)
    except Exception as error:
        content = _broken(folder, error)
    return {
        "task_id": spec["task"]["id"],
        "attempt": spec["n"],
        "token": spec["token"],
        "host": socket.gethostname(),
        "seconds": round(time.monotonic() - started, 3),
        **content,
    }


def _ask(folder: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    work = folder.resolve() / "work"
    oracle: Oracle = build("oracle", spec["kind"], spec["options"], Path(spec["folder"]))
    found = oracle.evaluate(Design(spec["design"]), Task(**spec["task"]), work)
    outcome = found if isinstance(found, Outcome) else Outcome(found)
    estimates = validated(outcome.estimates, oracle.properties, outcome.checks)
    return {
        "status": "observed",
        "estimates": {name: plain(asdict(estimate)) for name, estimate in estimates.items()},
        "checks": [plain(asdict(check)) for check in outcome.checks],
        "artifacts": [_artifact(folder, work, name) for name in outcome.artifacts],
        "provenance": plain(outcome.provenance),
    }


def validated(
    estimates: Mapping[str, Estimate], properties: Mapping[str, str], checks: Sequence[Check] = ()
) -> dict[str, Estimate]:
    """The declared properties in the declared units. Raises BadAnswer or OracleFailure, naming the property."""
    for name in properties:
        if name not in estimates:
            raise BadAnswer(f"no value for the declared property {name!r}")
    for name in estimates:
        if name not in properties:
            raise BadAnswer(f"{name!r} is reported but not declared in the oracle's properties")
    return {name: _converted(name, estimates[name], unit, checks) for name, unit in properties.items()}


def _converted(name: str, estimate: Estimate, unit: str, checks: Sequence[Check]) -> Estimate:
    mean, se = float(estimate.mean), float(estimate.se)
    if not math.isfinite(mean):
        raise OracleFailure("unphysical", f"{name} is {mean} {estimate.unit}, not a finite number", checks=checks)
    if not (math.isfinite(se) and se >= 0):
        raise OracleFailure("unphysical", f"the standard error of {name} is {se}, not zero or more", checks=checks)
    try:
        value = convert(mean, estimate.unit, unit)
        error_bar = abs(convert(se, estimate.unit, unit) - convert(0.0, estimate.unit, unit))
    except UnitError as error:
        raise BadAnswer(f"{name}: {error}") from error
    n_eff = None if estimate.n_eff is None or not math.isfinite(estimate.n_eff) else float(estimate.n_eff)
    return Estimate(value, error_bar, unit, n_eff, estimate.method)


def _artifact(folder: Path, work: Path, name: str) -> dict[str, Any]:
    path = (work / name).resolve()
    if not path.is_relative_to(work) or not path.is_file():
        raise BadAnswer(f"the artifact {name!r} is not a file in the work folder")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    relative = path.relative_to(folder.resolve())
    return {"path": relative.as_posix(), "sha256": digest, "bytes": path.stat().st_size}


def _failed(folder: Path, failure: OracleFailure) -> dict[str, Any]:
    cause, reason = failure.cause, failure.reason
    if cause not in get_args(Cause):
        cause, reason = "infrastructure", f"{reason} (the oracle gave the unknown cause {cause!r})"
    root = folder.resolve()
    paths = [(root / "work" / name).resolve() for name in failure.evidence]
    evidence = [path.relative_to(root).as_posix() for path in paths if path.exists() and path.is_relative_to(root)]
    checks = [plain(asdict(check)) for check in failure.checks]
    return {"status": "failed", "cause": cause, "reason": reason, "evidence": evidence, "checks": checks}


def _broken(folder: Path, error: Exception) -> dict[str, Any]:
    """An infrastructure failure. The reason names no folder, so that a repeated error can be recognised."""
    reason = f"{type(error).__name__}: {error}".replace(str(folder.resolve()), ".").replace(folder.name, "")
    evidence = []
    try:
        (folder / "traceback.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        evidence = ["traceback.txt"]
    except OSError:
        reason += " (and the traceback could not be written)"
    return {"status": "failed", "cause": "infrastructure", "reason": reason, "evidence": evidence, "checks": []}


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NumPy scalars and arrays as numbers and lists, NaN and infinity as text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
