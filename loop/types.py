"""The contract of the system: what a design is, how it is judged, and who may answer.

Everything else in the house is written against this file. The values are frozen; units are canonical (nm, ps,
kJ/mol, K, e, D) unless a field says otherwise.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from loop.space import Space

Value = str | int | float
Cause = Literal["infeasible", "unphysical", "unconverged", "infrastructure", "cancelled"]
Kind = Literal["measurement", "simulation", "synthetic"]
Isolation = Literal["process", "inline", "person"]
Goal = Literal["maximize", "minimize", "target", "at_least", "at_most"]

TEACHING_CAUSES: tuple[Cause, ...] = ("infeasible", "unphysical", "unconverged")
"""Causes that say something about the design; `infrastructure` and `cancelled` do not."""


@dataclass(frozen=True, slots=True)
class Molecules:
    """The molecules that a `smiles` parameter may be: a head that stays and a part R that is generated.

    `head` is a SMILES with R in place of that part (several R are alike); `length` the inclusive limits on the atoms of
    R that are neither hydrogen nor halogen; `elements` those that R may hold besides hydrogen; `known` the canonical
    SMILES that have a name already and are no novelty. See `loop.molecules`.
    """

    head: str
    length: tuple[int, int]
    elements: tuple[str, ...]
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One axis of a space.

    `choices` holds the allowed values of a `choices` parameter and the one value of a `fixed` one; `bounds` the
    inclusive limits of `integer` and `real`; `step` the rounding grid of a `real` (None: a thousandth of the range);
    `molecules` what a `smiles` parameter may be, whose values are canonical SMILES.
    """

    name: str
    kind: Literal["choices", "integer", "real", "fixed", "smiles"]
    choices: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    unit: str = "1"
    step: float | None = None
    molecules: Molecules | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """One point of a space. `id` is the first 12 hex digits of sha256 over the canonical JSON of its values.

    Build designs with `Space.canonicalise`, which rounds reals to their step, so that equal designs have equal ids.
    """

    values: Mapping[str, Value]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @property
    def id(self) -> str:
        return hashlib.sha256(canonical_json(dict(self.values)).encode()).hexdigest()[:12]

    def __hash__(self) -> int:
        return hash(frozenset(self.values.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Design) and dict(self.values) == dict(other.values)

    def __reduce__(self) -> tuple[Any, ...]:
        return Design, (dict(self.values),)


@dataclass(frozen=True, slots=True)
class Check:
    """A named physical test: `value` against `limit` in `unit`; `detail` says what to do when it did not pass.

    `flagged` marks a test that passed with a doubt: the result stands, and the report says so.
    """

    name: str
    passed: bool
    value: float | str | None = None
    limit: float | str | None = None
    unit: str = "1"
    detail: str = ""
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error (same unit), effective sample size and the method that gave the error."""

    mean: float
    se: float
    unit: str
    n_eff: float | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Mapping[str, Estimate]):
    """What an oracle may return instead of a plain mapping, to keep checks, files and provenance with the numbers.

    `artifacts` are paths relative to the work folder (trajectory, topology, arrays).
    """

    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...] = ()
    artifacts: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.estimates)

    def __len__(self) -> int:
        return len(self.estimates)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A design and where it came from. `generator` names the source within the pool (`cvae:prior`, `uniform`, ...);
    `cost` is the expected seconds of all its objectives, given to an acquisition that is `cost_aware`."""

    design: Design
    generator: str
    model_digest: str | None = None
    latent: tuple[float, ...] | None = None
    parents: tuple[str, ...] = ()
    log_density: float | None = None
    checks: tuple[Check, ...] = ()
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """(design, oracle, fidelity, replicate): the idempotency key. `seed` is this task's own 63-bit seed."""

    id: str
    design_id: str
    oracle: str
    fidelity: str
    replicate: int
    seed: int


@dataclass(frozen=True, slots=True)
class Observed:
    """One attempt that answered."""

    task_id: str
    attempt: int
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...] = ()
    artifacts: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """One attempt that did not. `evidence` names files, relative to the attempt folder, that show why."""

    task_id: str
    attempt: int
    cause: Cause
    reason: str
    evidence: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A design with estimates under one oracle and fidelity, its replicates combined."""

    design: Design
    oracle: str
    fidelity: str
    kind: Kind
    estimates: Mapping[str, Estimate]
    replicates: int
    round: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A design that gave no record under one oracle and fidelity, and why."""

    design: Design
    oracle: str
    fidelity: str
    cause: Cause
    reason: str
    round: int


@dataclass(frozen=True, slots=True)
class Objective:
    """What is wanted of one property. `threshold` is the worst acceptable value, `target` the wanted one (goal target).

    The goals `at_least` and `at_most` keep to the threshold and ask for no more: outcome constraints.
    `oracle` names the oracle whose records count for it.
    """

    property: str
    goal: Goal
    oracle: str
    unit: str = "1"
    threshold: float | None = None
    target: float | None = None

    @builtins.property  # a field has that name
    def constrains(self) -> bool:
        """True where nothing beyond the threshold is wanted."""
        return self.goal in ("at_least", "at_most")

    @builtins.property  # a field has that name
    def falls(self) -> bool:
        """True where less of the property is better."""
        return self.goal in ("minimize", "at_most")

    def utility(self, value: float) -> float:
        """The value turned so that more is better: itself, its negative, or minus the distance to the target."""
        if self.goal == "target":
            assert self.target is not None
            return -abs(value - self.target)
        return -value if self.falls else value


def goals(objectives: Sequence[Objective]) -> list[Objective]:
    """The objectives without the outcome constraints among them."""
    return [objective for objective in objectives if not objective.constrains]


class OracleFailure(Exception):
    """Raised by an oracle that cannot answer: the cause, one sentence, and files in the work folder that show it."""

    def __init__(
        self, cause: Cause, reason: str, evidence: Sequence[str | Path] = (), checks: Sequence[Check] = ()
    ) -> None:
        super().__init__(f"{cause}: {reason}")
        self.cause: Cause = cause
        self.reason = reason
        self.evidence = tuple(str(path) for path in evidence)
        self.checks = tuple(checks)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a generator is asked for: a level per objective property (0 worst quarter .. 3 best; None: unknown), pinned
    parameter values, and designs already known (evaluated, pending or failed), which need not be proposed again."""

    levels: Mapping[str, int | None] = field(default_factory=dict)
    pins: Mapping[str, Value] = field(default_factory=dict)
    known: frozenset[Design] = frozenset()


@runtime_checkable
class Oracle(Protocol):
    """Answers what a design's properties are: MD, a person, a table.

    A plug-in is a class whose constructor takes the campaign file's keys. It may also have

    - `kind`: what its records are, default `simulation`;
    - `isolation`: `process` (default: a fresh interpreter per attempt), `inline` (in the loop's own thread) or `person`
      (its tasks wait for `loop tell`);
    - `execution_keys`: constructor keys that are no physics, and may change when a campaign goes on;
    - `default_replicates(fidelity)`: replicates of a design unless the campaign says otherwise;
    - `disk(design, fidelity)`: bytes that one replicate leaves, for `loop check`;
    - `describe(parameter, value)`: numbers that describe a choice, name -> number, in milliseconds and purely; empty
      for what it does not know;
    - `heads(parameter)`: name -> SMILES with R, the heads of generated molecules that a campaign may name;
    - `named(parameter)`: name -> SMILES of the molecules that have a name, which are no novelty.
    """

    properties: Mapping[str, str]
    fidelities: tuple[str, ...]

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Say in milliseconds, purely, whether the design can be evaluated at all."""
        ...

    def cost(self, design: Design, fidelity: str) -> float:
        """Expected seconds of one replicate on one slot."""
        ...

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Mapping[str, Estimate]:
        """Answer one replicate, or raise OracleFailure. Called again on the same workdir it continues."""
        ...


class Generator(Protocol):
    """Proposes designs. Every random draw comes from the `seed` given."""

    name: str

    def fit(
        self,
        space: Space,
        records: Sequence[Record],
        objectives: Sequence[Objective],
        *,
        seed: int,
        predict: Predictor | None = None,
    ) -> None:
        """Learn from the rule-valid corpus of the space and, where given, from records and a surrogate's labels."""
        ...

    def propose(self, n: int, condition: Condition, incumbents: Sequence[Design], *, seed: int) -> list[Proposal]:
        """At most n distinct, canonical, rule-valid proposals."""
        ...

    def log_density(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) log density of each design under the unconditional generator, up to a constant."""
        ...

    def synthesize(self, n: int, condition: Condition, *, seed: int) -> list[Design]:
        """n unlabelled designs for synthetic records."""
        ...

    def save(self, folder: Path) -> str:
        """Write the model into the folder (safetensors + JSON) and return its content digest."""
        ...

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; ValueError where it does not fit or is damaged."""
        ...


class Predictor(Protocol):
    """A surrogate's answer: designs -> (mean, variance), each (n, objectives), in utility (more is better)."""

    def __call__(self, designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True, slots=True)
class Pick:
    """A selected proposal: its batch role (`improve`, `learn`, `fallback`, ...), acquisition value and prediction.

    `predicted` maps objective property to (mean, standard deviation) in the property's unit.
    """

    proposal: Proposal
    role: str
    value: float | None = None
    predicted: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Acquisition(Protocol):
    """Picks the most informative designs. Every random draw comes from the `seed` given. One that is also
    `loop.engine.guided.Guided` has a say in what it picks from."""

    def fit(
        self,
        space: Space,
        objectives: Sequence[Objective],
        records: Sequence[Record],
        failures: Sequence[Failure],
        *,
        seed: int,
    ) -> None:
        """Fit the surrogate of each objective and the feasibility model."""
        ...

    def predict(self, designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance), each (n, objectives), of the utilities (more is better)."""
        ...

    def select(self, pool: Sequence[Proposal], q: int, pending: Sequence[Design], *, seed: int) -> list[Pick]:
        """q distinct picks from the pool, given designs whose answers are still out."""
        ...


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
