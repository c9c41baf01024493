"""What each round learnt about the data themselves: how good the generated designs are, which synthetic records are
believed, which real records are doubted, and what became of each.

The contract between generators and acquisitions, which supply the evidence, the engine, which judges by it and keeps
the ledger, and those who show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from loop.types import Objective, Record

SyntheticStatus = Literal["labelled", "admitted", "rejected", "promoted", "contradicted"]
RealStatus = Literal["flagged", "confirmed", "corrected", "unresolved"]


@dataclass(frozen=True, slots=True)
class Residual:
    """A property of `record` as everything but that record predicts it, in the property's unit.

    `sd` is the standard deviation of a new observation with this record's own error; `z` = (observed - predicted) / sd.
    """

    record: Record
    property: str
    observed: float
    predicted: float
    sd: float
    z: float


def source_name(oracle: str, fidelity: str) -> str:
    """By which gates name a source of synthetic records."""
    return f"{oracle} ({fidelity})"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a cheap source enters the surrogate of a property: the mean gain in log predictive density of real
    records held out, in nats per record, and its standard error. `form` is how the source would enter; `reason` says
    in a sentence why it does or does not. The form `prior` is of designs held plausible, which the search leans towards
    where admitted; `property` then names all goals."""

    source: str
    property: str
    form: Literal["feature", "rows", "prior"]
    gain: float
    error: float
    admitted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What a generator draws from its prior, each share of the one before: `generated` draws, those `valid` before any
    repair, the `unique` among the valid, the `novel` among the unique (not in the corpus nor the records).

    `molecules` counts the different generated molecules of the valid draws, `unnamed` those of them that no catalogue
    has a name for (`loop.molecules.novel`); None where the space generates none.

    `coverage` and `density` are against held-out valid designs (Naeem et al., ICML 2020), `c2st` the accuracy of a
    classifier that tells generated from held-out designs (Lopez-Paz & Oquab, ICLR 2017), `c2st_null` that of the same
    classifier between held-out and other valid designs. None where the corpus is too small to tell.
    """

    generated: int
    valid: int
    unique: int
    novel: int
    coverage: float | None = None
    density: float | None = None
    c2st: float | None = None
    c2st_null: float | None = None
    molecules: int | None = None
    unnamed: int | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the error bars of left-out predictions held: the share of `n` within the 68 % and the 95 % interval."""

    n: int
    within_68: float
    within_95: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a round found out about one record: its status and, in one sentence, why. `evidence` holds the numbers the
    sentence rests on. `superseded` are the replicates that no longer count for the record's value."""

    subject: Literal["real", "synthetic"]
    design_id: str
    oracle: str
    fidelity: str
    status: SyntheticStatus | RealStatus
    reason: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    superseded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """One round's account. `quality` is None where no generator with a model proposed, `calibration` where there was
    no surrogate; `verdicts` holds only what changed in this round."""

    round: int
    quality: Quality | None = None
    gates: tuple[Gate, ...] = ()
    calibration: Calibration | None = None
    verdicts: tuple[Verdict, ...] = ()

    def counts(self) -> dict[str, int]:
        """Round, generated, valid, unique, novel, and the number of verdicts of each status; of molecules and unnamed
        where any are generated."""
        drawn = {name: getattr(self.quality, name, 0) for name in ("generated", "valid", "unique", "novel")}
        if self.quality is not None and self.quality.molecules is not None and self.quality.unnamed is not None:
            drawn |= {"molecules": self.quality.molecules, "unnamed": self.quality.unnamed}
        found = Counter(verdict.status for verdict in self.verdicts)
        named = ("admitted", "rejected", "promoted", "contradicted", "flagged", "confirmed", "corrected", "unresolved")
        return {"round": self.round, **drawn, **{status: found[status] for status in named}}  # type: ignore[index]

    def plain(self) -> dict[str, Any]:
        """As JSON values; `ledger_from` reads it back."""
        return asdict(self)


def ledger_from(plain: Mapping[str, Any]) -> Ledger:
    """The ledger that `Ledger.plain` wrote, also after a way through JSON."""
    quality, calibration = plain["quality"], plain["calibration"]
    return Ledger(
        round=plain["round"],
        quality=None if quality is None else Quality(**quality),
        gates=tuple(Gate(**gate) for gate in plain["gates"]),
        calibration=None if calibration is None else Calibration(**calibration),
        verdicts=tuple(Verdict(**{**v, "superseded": tuple(v["superseded"])}) for v in plain["verdicts"]),
    )


@runtime_checkable
class Witness(Protocol):
    """What an acquisition may offer beyond its contract, once fitted: evidence on the records it was fitted to."""

    gates: Sequence[Gate]

    def residuals(self) -> Sequence[Residual]:
        """Every real record's objective properties, each left out in turn; empty without a surrogate."""
        ...

    def doubts(self, synthetic: Sequence[Record]) -> Sequence[Residual]:
        """Synthetic records' labels as a surrogate that never saw their source predicts them; `observed` is the label
        on the scale of the real property, by the relation learnt from designs that have both."""
        ...


@runtime_checkable
class Introspective(Protocol):
    """What a generator may offer beyond its contract, once fitted."""

    def quality(self, records: Sequence[Record], *, seed: int) -> Quality | None:
        """Of draws from the prior; None where there is no model."""
        ...

    def implausible(self, records: Sequence[Record], objectives: Sequence[Objective], *, seed: int) -> list[float]:
        """(n,) the share of corpus designs whose log p(x | level of its values) - log p(x), each by the level that a
        surrogate expects of it, is lower than the record's by its own: a small share says that such a design does not
        go with such values. Empty without a model that learnt levels."""
        ...
