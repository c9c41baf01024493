"""How a design came to be: record <- tasks <- decision <- proposal <- latent vector, model and parents."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loop.export import given_error
from loop.standing import Standing
from loop.store import DecisionRow, ExtensionRow, ProposalRow, Reader, TaskRow
from loop.types import Failed, Objective, Observed, Record
from loop.wording import estimate, moment, plus_minus

Facts = dict[str, str]
ASKED: Mapping[str, str] = {
    "amended": "the campaign file asks for more",
    "undecided": "the ranking was undecided",
    "audit": "the record is doubted",
}
"""Why replicates were added, by the origin of the extension."""


@dataclass(frozen=True, slots=True)
class Replicate:
    """One task of the design: its answers, and what it ran on."""

    row: TaskRow
    values: Facts
    provenance: Facts
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the surrogate expected of one property before the answer came, and how far off it was."""

    property: str
    predicted: str
    observed: str
    deviations: float | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything on record about one design; `decision` and `proposal` are empty for an unsolicited measurement, and
    `extensions` where no replicate was added later."""

    standing: Standing
    records: list[tuple[Record, Facts]]
    replicates: list[Replicate]
    extensions: list[Facts] = field(default_factory=list)
    decision: Facts = field(default_factory=dict)
    proposal: Facts = field(default_factory=dict)
    latent: tuple[float, ...] = ()
    parents: tuple[str, ...] = ()
    predictions: list[Prediction] = field(default_factory=list)


def lineages(
    reader: Reader, records: Sequence[Record], leaders: Sequence[Standing], objectives: Sequence[Objective]
) -> list[Lineage]:
    """The lineage of each leader, in their order."""
    proposals = {row.pick.proposal.design.id: row for row in reader.proposals()}
    decisions = {row.round: row for row in reader.decisions()}
    tasks, extensions = reader.tasks(), reader.extensions()
    found = []
    for standing in leaders:
        id = standing.design.id
        own = [(record, estimates_in_words(record)) for record in records if record.design.id == id]
        replicates = [replicate(reader, row) for row in tasks if row.task.design_id == id]
        added = extensions_of(extensions, [one.row for one in replicates])
        row = proposals.get(id)
        origin = {} if row is None else origin_of(row, decisions[row.round], standing, objectives)
        found.append(Lineage(standing, own, replicates, added, **origin))
    return found


def origin_of(
    row: ProposalRow, decision: DecisionRow, standing: Standing, objectives: Sequence[Objective]
) -> dict[str, Any]:
    """The fields of a Lineage that only a proposed design has."""
    pick, info = row.pick, decision.info
    return {
        "decision": given(
            {
                "round": row.round,
                "decided": moment(decision.at),
                "chosen to": pick.role,
                "acquisition value": number(pick.value),
                "acquisition": info.get("acquisition"),
                "answers known then": info.get("seen"),
                "log position": info.get("data_seq"),
            }
        ),
        "proposal": given(
            {
                "source": pick.proposal.generator,
                "model": pick.proposal.model_digest,
                "log density": number(pick.proposal.log_density),
                "rules passed": ", ".join(check.name for check in pick.proposal.checks if check.passed),
            }
        ),
        "latent": pick.proposal.latent or (),
        "parents": pick.proposal.parents,
        "predictions": predictions(pick.predicted, standing, objectives),
    }


def extensions_of(extensions: Sequence[ExtensionRow], rows: Sequence[TaskRow]) -> list[Facts]:
    """What is to be told of those extensions that some of a design's `rows` came from."""
    found = []
    for extension in extensions:
        names = [f"{r.task.oracle}, {r.task.fidelity}" for r in rows if r.extension == extension.id]
        if names:
            counts = "; ".join(f"{count} of {name}" for name, count in Counter(names).items())
            facts = {"replicates": counts, "after round": extension.round, "added": moment(extension.at)}
            found.append(given({**facts, "because": ASKED[extension.origin], "reason": extension.reason}))
    return found


def estimates_in_words(record: Record) -> Facts:
    return {name: estimate(value, given_error(value)) for name, value in record.estimates.items()}


def replicate(reader: Reader, row: TaskRow) -> Replicate:
    answer = reader.observed(row.task.id)
    files = tuple(artifact.path for artifact in reader.artifacts(row.task.id))
    if not isinstance(answer, Observed):
        why = f"{answer.cause}: {answer.reason}" if isinstance(answer, Failed) else ""
        return Replicate(row, {row.state: why}, {}, files)
    values = {name: estimate(value, given_error(value)) for name, value in answer.estimates.items()}
    return Replicate(row, values, plain(answer.provenance), files)


def plain(provenance: Mapping[str, Any]) -> Facts:
    """The entries that are one value each."""
    return given({key: value for key, value in provenance.items() if isinstance(value, str | int | float)})


def given(facts: Mapping[str, Any]) -> Facts:
    """Only what is known."""
    return {key: str(value) for key, value in facts.items() if value not in (None, "")}


def number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def predictions(
    predicted: Mapping[str, tuple[float, float]], standing: Standing, objectives: Sequence[Objective]
) -> list[Prediction]:
    """Deviations are counted in units of the predicted and the observed standard error together."""
    found = []
    for objective in objectives:
        if objective.property not in predicted:
            continue
        mean, sd = predicted[objective.property]
        answer = standing.estimates[objective.property]
        error = given_error(answer)
        width = math.hypot(sd, error or 0.0)
        found.append(
            Prediction(
                objective.property,
                plus_minus(mean, sd),
                estimate(answer, error),
                (answer.mean - mean) / width if width > 0 else None,
            )
        )
    return found
