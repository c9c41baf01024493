"""What went wrong, what was tested, and what each round decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loop.store import Reader
from loop.types import Cause, Failed, Failure
from loop.wording import counted

MEANING: Mapping[Cause, str] = {
    "infeasible": "the design cannot be built",
    "unphysical": "the simulation broke down or reached a state that cannot be",
    "unconverged": "no trustworthy average within the time allowed",
    "infrastructure": "the machine failed, not the design",
    "cancelled": "ended by a person",
}


@dataclass(frozen=True, slots=True)
class CauseOfFailure:
    """The evaluations that ended for one cause."""

    cause: Cause
    meaning: str
    failures: list[Failure]


@dataclass(slots=True)
class CheckCount:
    """How often one check passed, was doubtful on a result that was kept (flagged), or stopped a task (failed)."""

    name: str
    passed: int = 0
    flagged: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """One decision: how many designs, chosen for what, from which sources, and in what it differed from the rule."""

    number: int
    at: str
    roles: str
    pool: str
    seconds: Any
    notes: tuple[str, ...]


def causes(failures: Sequence[Failure]) -> list[CauseOfFailure]:
    """Most frequent cause first."""
    order = Counter(failure.cause for failure in failures).most_common()
    return [CauseOfFailure(cause, MEANING[cause], [f for f in failures if f.cause == cause]) for cause, _ in order]


def lone_failures(reader: Reader, failures: Sequence[Failure]) -> int:
    """Replicates that failed in evaluations that gave a record all the same."""
    lost = {(f.design.id, f.oracle, f.fidelity) for f in failures}
    tasks = (row.task for row in reader.tasks("failed"))
    return sum((task.design_id, task.oracle, task.fidelity) not in lost for task in tasks)


def check_counts(reader: Reader) -> list[CheckCount]:
    """Every check of every answered or failed task, and whether replicates agree; those that did not pass first."""
    found: dict[str, CheckCount] = {}

    def count(name: str, verdict: str) -> None:
        tally = found.setdefault(name, CheckCount(name))
        setattr(tally, verdict, getattr(tally, verdict) + 1)

    for row in reader.tasks():
        answer = reader.observed(row.task.id)
        verdict = "failed" if isinstance(answer, Failed) else "flagged"
        for check in answer.checks if answer is not None else ():
            count(check.name, verdict if not check.passed else "flagged" if check.flagged else "passed")
    for _, checks in reader.agreement():
        for check in checks:
            count(check.name, "passed" if check.passed else "flagged")
    return sorted(found.values(), key=lambda tally: (-tally.failed, -tally.flagged, tally.name))


def ahead(outlook: Mapping[str, float] | None) -> list[str]:
    """What the round still expected to gain, where a stop criterion asked (`loop.engine.outlook.Outlook`)."""
    if outlook is None:
        return []
    return [f"expects to gain {outlook['gain']:.2g}, in all likelihood no more than {outlook['regret']:.2g}"]


def rounds(reader: Reader) -> list[Round]:
    roles: dict[int, Counter[str]] = {}
    for row in reader.proposals():
        roles.setdefault(row.round, Counter())[row.pick.role] += 1
    return [
        Round(
            number=decision.round,
            at=decision.at,
            roles=counted(roles.get(decision.round, Counter())),
            pool=counted(decision.info.get("pool", {})),
            seconds=decision.info.get("seconds", ""),
            notes=(
                *decision.info.get("notes", ()),
                *decision.info.get("labels", ()),
                *ahead(decision.info.get("outlook")),
            ),
        )
        for decision in reader.decisions()
    ]
