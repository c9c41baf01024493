"""The product on a case, as its engine runs it, whole or with parts taken out; random and Sobol search likewise."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any, Protocol

from benchmarks.efficiency.cases import BATCH, EVALUATIONS, INITIAL, Case
from loop.campaign.build import default_acquisition
from loop.campaign.model import Campaign, Execution, OracleSpec, PluginSpec, Stop
from loop.engine.decide import Decider
from loop.engine.history import History
from loop.seeds import derive
from loop.store import SYNTHETIC
from loop.types import Check, Design, Estimate, Objective, Proposal, Record, Task, goals

CHEAP = "quick"
LABELS = 100
"""Designs that the cheap source labels in a round."""
LABEL_ERROR = 0.1


class Method(Protocol):
    """Proposes the designs of a round from the records of all before it."""

    notes: dict[str, float]

    def propose(self, records: Sequence[Record], q: int, round: int) -> list[Design]:
        """q designs that break no rule and were not evaluated before."""
        ...


class Known:
    """The oracle that a campaign on a case would have: it describes choices, and is never run by the engine."""

    fidelities = ("screen",)

    def __init__(self, case: Case) -> None:
        self.properties = {o.property: o.unit for o in case.objectives}
        if case.describe:
            self.describe = case.describe

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        return ()

    def cost(self, design: Design, fidelity: str) -> float:
        return 1.0

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Mapping[str, Estimate]:
        raise NotImplementedError("the benchmark evaluates designs itself")


@dataclass(frozen=True)
class Settings:
    """What a campaign file would say: the generator, the acquisition (None: the product's default), whether `errors` of
    measurements are passed on, and whether the case's cheap source is used."""

    generator: str = "cvae"
    acquisition: str | None = None
    errors: bool = True
    cheap: bool = True


class Product:
    """A campaign of the product whose answers are given to it, decided by its own `Decider`."""

    def __init__(self, case: Case, seed: int, settings: Settings) -> None:
        self.notes: dict[str, float] = {}
        self._case, self._settings = case, settings
        self._seed = derive(seed, "method")
        self._cheap = case.cheap if settings.cheap else None
        self._labelled: list[Record] = []
        self._generated: list[Proposal] = []
        self._models = tempfile.TemporaryDirectory()
        self._decider = Decider(self._campaign(), Path(self._models.name))
        if self._cheap:
            self._label(self._decider.decide(0, History((), (), ()), INITIAL).picks, 0)

    def propose(self, records: Sequence[Record], q: int, round: int) -> list[Design]:
        told = records if self._settings.errors else [without_errors(record) for record in records]
        sources = frozenset([CHEAP] if self._cheap else [])
        history = History((*told, *self._labelled), (), (), sources, tuple(self._generated))
        decision = self._decider.decide(round, history, q)
        self._label(decision.picks, round)
        picks = [pick for pick in decision.picks if pick.role != SYNTHETIC]
        fallbacks = sum(pick.role == "fallback" for pick in picks)
        if fallbacks:
            self.notes["fallbacks"] = self.notes.get("fallbacks", 0) + fallbacks
        return [pick.proposal.design for pick in picks]

    def _label(self, picks: Sequence[Any], round: int) -> None:
        """What the cheap source says of the designs that the round drew for it."""
        generated = [pick.proposal for pick in picks if pick.role == SYNTHETIC]
        self._generated += generated
        designs = [proposal.design for proposal in generated]
        if not (self._cheap and designs):
            return
        name = self._case.objectives[0].property
        self._labelled += [
            Record(d, CHEAP, "screen", "synthetic", {name: Estimate(float(v), LABEL_ERROR, "1")}, 1, round)
            for d, v in zip(designs, self._cheap(designs)[:, 0], strict=True)
        ]

    def _campaign(self) -> Campaign:
        objectives = self._case.objectives
        default = default_acquisition(len(goals(objectives)))
        return Campaign(
            path=Path.cwd() / "benchmark.yaml",
            name="benchmark",
            seed=self._seed,
            space=self._case.space,
            objectives=objectives,
            oracles={"md": self._spec("md", objectives)} | ({CHEAP: self._spec(CHEAP, ())} if self._cheap else {}),
            generator=PluginSpec("uniform" if self._case.listed else self._settings.generator, {}),
            acquisition=PluginSpec(self._settings.acquisition or default, {}),
            initial=INITIAL,
            batch=BATCH,
            stop=Stop(evaluations=EVALUATIONS),
            execution=Execution(),
            text="",
        )

    def _spec(self, name: str, objectives: Sequence[Objective]) -> OracleSpec:
        return OracleSpec(
            name=name,
            kind="benchmark",
            fidelity="screen",
            replicates=1,
            replicates_max=None,
            time_limit=None,
            attempts=1,
            options={},
            oracle=Known(self._case),
            record_kind="simulation",
            isolation="inline",
            labels=0 if objectives else LABELS,
        )


def without_errors(record: Record) -> Record:
    return replace(record, estimates={k: replace(e, se=nan, n_eff=None) for k, e in record.estimates.items()})


PRODUCT: Mapping[str, Settings] = {
    "loop": Settings(),
    "loop, uniform pool": Settings(generator="uniform"),
    "loop, errors unknown": Settings(errors=False),
    "loop, no cheap source": Settings(cheap=False),
    "random": Settings("uniform", "random", cheap=False),
    "Sobol": Settings("uniform", "sobol", cheap=False),
}
