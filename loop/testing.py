"""`check_oracle`: proof that an oracle plug-in keeps its contract, for the tests of whoever writes one."""

from __future__ import annotations

import json
import math
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from loop import units
from loop.types import (
    Cause,
    Check,
    Design,
    Estimate,
    Isolation,
    Kind,
    Oracle,
    OracleFailure,
    Outcome,
    Task,
    canonical_json,
)

CHECK_SECONDS = 0.5
"""`check` is called thousands of times a round and should take milliseconds; half a second forgives a busy machine."""
KILL_AT = (0.1, 0.5, 0.9)
"""Shares of an uninterrupted run after which it is killed."""
SEED = 20260401


def check_oracle(oracle: Oracle, designs: Sequence[Design], fidelity: str | None = None) -> None:
    """Prove a plug-in on some designs: units, purity of `check`, same seed same answer, SIGKILL and continue, every
    failure typed. Give designs that can be answered, and some that cannot.

    `fidelity` is the one to evaluate at (default: the first, which should be the cheapest). Each evaluation runs in a
    forked child, three times per design and three times more, interrupted, for the first that answers. An oracle that a
    person answers is not evaluated. Raises AssertionError, whose message says what is wrong.
    """
    check_declarations(oracle)
    level = fidelity or oracle.fidelities[0]
    require(level in oracle.fidelities, f"fidelity {level!r} is not one of {oracle.fidelities}")
    require(bool(designs), "no designs are given")
    check_purity(oracle, designs)
    if getattr(oracle, "isolation", "process") == "person":
        return
    with tempfile.TemporaryDirectory() as folder:
        interrupted = False
        for number, design in enumerate(designs):
            task = Task(f"{design.id}-check-{level}-0", design.id, "check", level, 0, SEED)
            answer, seconds = check_repeatable(oracle, design, task, Path(folder) / str(number))
            if "estimates" in answer and not interrupted:
                interrupted = True
                check_interruptions(oracle, design, task, Path(folder) / f"{number}-killed", answer, seconds)


def require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def check_declarations(oracle: Oracle) -> None:
    """Properties with units, fidelities, kind and isolation."""
    require(
        isinstance(oracle.properties, Mapping) and len(oracle.properties) > 0, "properties should map names to units"
    )
    for name, unit in oracle.properties.items():
        require(name.isidentifier(), f"property {name!r} should be letters, digits and underscores")
        try:
            units.convert(1.0, unit, "1" if unit == "1" else f"({unit})")
        except units.UnitError as error:
            raise AssertionError(f"property {name}: {unit!r} is no unit: {error}") from error
    require(
        isinstance(oracle.fidelities, tuple) and len(oracle.fidelities) > 0 and all(oracle.fidelities),
        f"fidelities should be a tuple of names, are {oracle.fidelities!r}",
    )
    for attribute, default, allowed in (("kind", "simulation", Kind), ("isolation", "process", Isolation)):
        value = getattr(oracle, attribute, default)
        require(value in get_args(allowed), f"{attribute} should be one of {get_args(allowed)}, is {value!r}")


def check_purity(oracle: Oracle, designs: Sequence[Design]) -> None:
    """`check` and `cost` give the same answer whatever was asked before, and leave the design alone."""
    for fidelity in oracle.fidelities:
        first = [judged(oracle, design, fidelity) for design in designs]
        again = [judged(oracle, design, fidelity) for design in reversed(designs)][::-1]
        for design, one, other in zip(designs, first, again, strict=True):
            require(one == other, f"check or cost of {dict(design.values)} at {fidelity} changes between calls")


def judged(oracle: Oracle, design: Design, fidelity: str) -> tuple[tuple[Check, ...], float]:
    before, begin = design.id, time.perf_counter()
    checks = tuple(oracle.check(design, fidelity))
    seconds = time.perf_counter() - begin
    what = f"of {dict(design.values)} at {fidelity}"
    require(
        all(isinstance(c, Check) and c.name for c in checks), f"check {what} should return named Checks: {checks!r}"
    )
    require(seconds < CHECK_SECONDS, f"check {what} took {seconds:.1f} s; it should take milliseconds")
    cost = float(oracle.cost(design, fidelity))
    require(math.isfinite(cost) and cost >= 0, f"cost {what} should be seconds, is {cost}")
    require(design.id == before, f"check or cost {what} changed the design")
    return checks, cost


def check_repeatable(oracle: Oracle, design: Design, task: Task, folder: Path) -> tuple[dict[str, Any], float]:
    """The answer to one task, the same twice in fresh folders and once more on a finished one; and its seconds."""
    begin = time.perf_counter()
    answer = ask(oracle, design, task, folder / "a")
    seconds = time.perf_counter() - begin
    assert answer is not None
    judge_answer(oracle, design, answer, folder / "a")
    for name, place in (("in a fresh folder", "b"), ("on its own finished folder", "a")):
        other = ask(oracle, design, task, folder / place)
        require(
            other == answer,
            f"{dict(design.values)}: the same seed {name} gave another answer: {answer} and then {other}",
        )
    return answer, seconds


def check_interruptions(
    oracle: Oracle, design: Design, task: Task, folder: Path, answer: Mapping[str, Any], seconds: float
) -> None:
    """Killed at some moment and asked again on the same folder, it gives the same answer."""
    for share in KILL_AT:
        place = folder / f"{share}"
        other = ask(oracle, design, task, place, kill_after=share * seconds) or ask(oracle, design, task, place)
        require(
            other == answer,
            f"{dict(design.values)}: killed and continued gave {other}, uninterrupted {answer}",
        )


def judge_answer(oracle: Oracle, design: Design, answer: Mapping[str, Any], workdir: Path) -> None:
    """Typed failure with a reason, or every property finite in a unit that fits, and the files that are named."""
    what = f"evaluate of {dict(design.values)}"
    require("crash" not in answer, f"{what} raised something else than OracleFailure:\n{answer.get('crash')}")
    for name in answer["files"]:
        require((workdir / name).exists(), f"{what} names the file {name!r}, which is not in the work folder")
    if "cause" in answer:
        require(answer["cause"] in get_args(Cause), f"{what} failed with the unknown cause {answer['cause']!r}")
        require(bool(answer["reason"].strip()), f"{what} failed without a reason")
        return
    missing = sorted(set(oracle.properties) - set(answer["estimates"]))
    require(not missing, f"{what} left out {', '.join(missing)}; a design that cannot be answered is an OracleFailure")
    for name, estimate in answer["estimates"].items():
        require(name in oracle.properties, f"{what} reports {name!r}, which is not among its properties")
        try:
            units.convert(1.0, estimate["unit"], oracle.properties[name])
        except units.UnitError as error:
            raise AssertionError(f"{what}: {name} in {estimate['unit']!r}: {error}") from error
        finite = all(isinstance(estimate[key], float | int) and math.isfinite(estimate[key]) for key in ("mean", "se"))
        require(finite and estimate["se"] >= 0, f"{what}: {name} should be finite with an error >= 0, is {estimate}")


def ask(
    oracle: Oracle, design: Design, task: Task, workdir: Path, *, kill_after: float | None = None
) -> dict[str, Any] | None:
    """Evaluate in a forked child, in its own session, and return what came out; None where it was killed in time."""
    workdir.mkdir(parents=True, exist_ok=True)
    answer = workdir.with_name(f"{workdir.name}.json")
    answer.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            answer.write_text(canonical(evaluated(oracle, design, task, workdir)), encoding="utf-8")
        finally:
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not answer.exists():
        require(kill_after is not None, f"evaluate of {dict(design.values)} ended its own process")
        return None
    try:
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    except ValueError:  # killed while writing
        return None
    return found


def canonical(answer: Mapping[str, Any]) -> str:
    try:
        return canonical_json(answer)
    except ValueError:
        return canonical_json({"crash": f"NaN or infinity in {answer}", "files": []})


def evaluated(oracle: Oracle, design: Design, task: Task, workdir: Path) -> dict[str, Any]:
    """What `evaluate` returned or raised, as JSON values. Provenance may differ between runs and is left out."""
    try:
        outcome = oracle.evaluate(design, task, workdir)
        estimates = {name: asdict(estimate) for name, estimate in outcome.items() if isinstance(estimate, Estimate)}
        wrong = sorted(set(outcome) - set(estimates))
        if wrong:
            return {"crash": f"{', '.join(wrong)} should be an Estimate", "files": []}
        files = list(outcome.artifacts) if isinstance(outcome, Outcome) else []
        return {"estimates": estimates, "files": files}
    except OracleFailure as failure:
        return {"cause": failure.cause, "reason": failure.reason, "files": list(failure.evidence)}
    except BaseException:
        return {"crash": traceback.format_exc(), "files": []}
