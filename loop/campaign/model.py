"""A campaign: one YAML file, read, judged and made of frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from loop.space import Range, Space
from loop.types import (
    Check,
    Design,
    Isolation,
    Kind,
    Objective,
    Oracle,
    Parameter,
    canonical_json,
)

AUTO: Literal["auto"] = "auto"
"""As many labels as pay (`loop.engine.labelling`)."""


@dataclass(frozen=True)
class OracleSpec:
    """One entry of `oracles:`, with the plug-in built.

    `fidelity` is always one of `oracle.fidelities`; `replicates` the number of tasks per evaluation, and
    `replicates_max` how many it may grow to where they decide which designs lead (None: it stays); `time_limit` seconds
    per attempt (None: no limit); `attempts` how often a task is tried when the infrastructure fails. `labels` is how
    many generated designs it labels each round as a cheap source (0: it is none; AUTO: as many as pay).
    `cheaper_than` names the entry of which this is a cheaper fidelity (None: it is an entry itself).
    `options` are the keys handed to the plug-in, as written. `record_kind` is the kind of its records.
    """

    name: str
    kind: str
    fidelity: str
    replicates: int
    replicates_max: int | None
    time_limit: float | None
    attempts: int
    options: Mapping[str, Any]
    oracle: Oracle
    record_kind: Kind
    isolation: Isolation
    labels: int | Literal["auto"] = 0
    cheaper_than: str | None = None


@dataclass(frozen=True)
class PluginSpec:
    """`generator:` or `acquisition:`; make an instance with `loop.plugins.build(role, kind, options, folder)`."""

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Stop:
    """The campaign is done as soon as one of these is reached; at least one is set.

    `evaluations` counts evaluations, answered or failed; `rounds` those after the initial designs; `hours` the time
    `loop run` was at work, summed over resumptions; `stalled_rounds` rounds in a row without a better best (or
    hypervolume). `expected_gain` and `regret` are limits on what `loop.engine.outlook.Outlook` says of the next round.
    """

    evaluations: int | None = None
    rounds: int | None = None
    hours: float | None = None
    stalled_rounds: int | None = None
    hypervolume: float | None = None
    expected_gain: float | None = None
    regret: float | None = None

    @property
    def looks_ahead(self) -> bool:
        """Whether a criterion asks what may still be gained."""
        return self.expected_gain is not None or self.regret is not None


@dataclass(frozen=True)
class Execution:
    """Where and how tasks run.

    `slots` is the number of tasks at once, `devices` the GPUs they share (None: all that are visible). `failed_limit`
    is the share of finished evaluations that may have failed, judged once `failed_after` have finished; beyond it the
    campaign stops with exit code 3. `grace` is how many seconds a running task gets to write its checkpoint after the
    first Ctrl-C.
    """

    engine: Literal["local"] = "local"
    slots: int = 1
    devices: tuple[int, ...] | None = None
    schedule: Literal["rounds", "async"] = "rounds"
    failed_limit: float = 0.5
    failed_after: int = 8
    grace: float = 30.0


@dataclass(frozen=True)
class Campaign:
    """What `load` makes of a campaign file. `path` is absolute; `text` is the file as read.

    `space` knows the campaign's own constraints only; `judged_space` the oracles' checks as well. `audit` is the share
    of the replicates at deciding oracles that may be spent on testing doubtful records again. `plausible` is a file of
    designs that the search leans towards (`loop.sheets.plausible`).
    """

    path: Path
    name: str
    seed: int
    space: Space
    objectives: tuple[Objective, ...]
    oracles: Mapping[str, OracleSpec]
    generator: PluginSpec
    acquisition: PluginSpec
    initial: int
    batch: int
    stop: Stop
    execution: Execution
    text: str
    audit: float = 0.0
    plausible: Path | None = None

    @property
    def folder(self) -> Path:
        """The campaign file's folder, to which plug-in paths are relative."""
        return self.path.parent

    @property
    def run_folder(self) -> Path:
        return self.path.parent / "runs" / self.name

    @property
    def deciding(self) -> tuple[str, ...]:
        """The oracles that answer an objective: only their evaluations count, and only they are waited for."""
        return tuple(dict.fromkeys(objective.oracle for objective in self.objectives))

    @property
    def entries(self) -> Mapping[str, OracleSpec]:
        """The oracles as the file has them: those that are a cheaper fidelity of another left out."""
        return {name: spec for name, spec in self.oracles.items() if spec.cheaper_than is None}

    @property
    def sources(self) -> tuple[OracleSpec, ...]:
        """The cheap sources: oracles, and cheaper fidelities of oracles, that label generated designs."""
        return tuple(spec for spec in self.oracles.values() if spec.labels)

    @property
    def designs_per_round(self) -> int:
        """`batch`, or one where every free slot asks for the next design."""
        return 1 if self.execution.schedule == "async" else self.batch

    @property
    def most_designs(self) -> int | None:
        """How many designs the limits on evaluations (one design under one deciding oracle) and rounds allow."""
        limits = []
        if self.stop.evaluations is not None:
            limits.append(-(-self.stop.evaluations // len(self.deciding)))
        if self.stop.rounds is not None:
            limits.append(self.initial + self.designs_per_round * self.stop.rounds)
        return min(limits, default=None)

    def judged_space(self) -> Space:
        """The space with every oracle's check, at the fidelity in use, as further rules, and its descriptions."""
        describers = [getattr(spec.oracle, "describe", None) for spec in self.entries.values()]
        return self.space.with_checks([judge(spec) for spec in self.oracles.values()], [d for d in describers if d])

    @cached_property
    def guarded(self) -> Mapping[str, Any]:
        """What a resumed campaign must have in common with the one that began, as plain JSON values.

        Space, constraints, objectives, seed and the oracles' physics. A plug-in's keys are physics unless its class
        lists them in `execution_keys` (such as the platform to run on).
        """
        return {
            "seed": self.seed,
            "space": {p.name: plain_parameter(p) for p in self.space.parameters},
            "constraints": {c.name: [plain_clause(c.when), plain_clause(c.then)] for c in self.space.constraints},
            "objectives": {o.property: plain_objective(o) for o in self.objectives},
            "oracles": {name: plain_oracle(spec) for name, spec in self.oracles.items()},
        }

    @property
    def guarded_sha(self) -> str:
        """sha256 hex of the canonical JSON of `guarded`."""
        return hashlib.sha256(canonical_json(self.guarded).encode()).hexdigest()


def judge(spec: OracleSpec) -> Callable[[Design], Sequence[Check]]:
    """The oracle's check at its fidelity, as a rule of a space."""
    return lambda design: spec.oracle.check(design, spec.fidelity)


def plain_parameter(p: Parameter) -> dict[str, Any]:
    if p.molecules is not None:
        m = p.molecules
        return {"kind": p.kind, "head": m.head, "length": list(m.length), "elements": list(m.elements)}
    bounds = None if p.bounds is None else list(p.bounds)
    return {"kind": p.kind, "choices": list(p.choices), "bounds": bounds, "unit": p.unit, "step": p.step}


def plain_clause(clause: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if clause is None:
        return None
    return {
        name: {"min": wanted.low, "max": wanted.high} if isinstance(wanted, Range) else list(wanted)
        for name, wanted in clause.items()
    }


def plain_objective(o: Objective) -> dict[str, Any]:
    return {
        "goal": o.goal,
        "oracle": o.oracle,
        "unit": o.unit,
        "threshold": o.threshold,
        "target": o.target,
    }


def plain_oracle(spec: OracleSpec) -> dict[str, Any]:
    free = getattr(type(spec.oracle), "execution_keys", ())
    physics = {key: value for key, value in spec.options.items() if key not in free}
    return {"kind": spec.kind, "fidelity": spec.fidelity, "options": physics}
