"""What a campaign will cost, before anything runs."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from loop.campaign import Campaign, OracleSpec
from loop.campaign.model import AUTO
from loop.seeds import derive
from loop.space import Space

if TYPE_CHECKING:
    from loop.types import Design

SAMPLE, DRAWS = 16, 2048


@dataclass(frozen=True, slots=True)
class Price:
    """One oracle. `seconds_per_task` is the mean over sampled designs; `hours` all tasks together (None: open).

    `labels` is how many generated designs it labels each round (`auto`: priced as a source that explains half of the
    variance). `added_tasks` is how many replicates `replicates_max`
    may add at most and `audited_tasks` how many the audit, both beyond `hours` (None: open), and `missing_tasks` how
    many the next `loop run` adds to designs decided with fewer `replicates`; these `hours` count.
    """

    name: str
    fidelity: str
    isolation: str
    tasks_per_design: int
    seconds_per_task: float
    labels: int | Literal["auto"]
    added_tasks: int | None
    audited_tasks: int | None
    missing_tasks: int
    hours: float | None
    disk_bytes: float | None

    @property
    def most_added(self) -> int | None:
        """The replicates beyond `hours`, at most."""
        if self.added_tasks is None or self.audited_tasks is None:
            return None
        return self.added_tasks + self.audited_tasks


@dataclass(frozen=True, slots=True)
class Plan:
    """`designs` is the most that will be decided (None: the campaign file sets no such limit). `wall_hours` counts
    the oracles that run on this machine, all slots busy, `most_wall_hours` with all the replicates that
    `replicates_max` and the audit may add. `disk_bytes`, with these, is None where an oracle does not say."""

    designs: int | None
    free_parameters: int
    valid_share: float
    seconds_per_valid_design: float
    slots: int
    oracles: tuple[Price, ...]
    wall_hours: float | None
    most_wall_hours: float | None
    disk_bytes: float | None
    disk_free_bytes: int


def plan(campaign: Campaign) -> Plan:
    """Price the campaign by sampling its space and asking the `cost` of each deciding oracle and cheap source.

    An oracle that can tell how many bytes one replicate leaves does so in a method `disk(design, fidelity)`. Raises
    StorageError where the campaign has begun and its database cannot be read.
    """
    begin = time.perf_counter()
    sample = campaign.judged_space().sample(SAMPLE, seed=derive(campaign.seed, "plan"), max_draws=DRAWS)
    seconds = (time.perf_counter() - begin) / len(sample)
    designs = campaign.most_designs
    short = missing(campaign)
    asked = [*campaign.deciding, *(spec.name for spec in campaign.sources)]
    prices = tuple(price(campaign, name, sample, short[name]) for name in asked)
    machine = [p for p in prices if p.isolation != "person"]
    hours = total([p.hours for p in machine])
    added = total([None if p.most_added is None else p.most_added * p.seconds_per_task / 3600 for p in machine])
    slots = campaign.execution.slots
    return Plan(
        designs=designs,
        free_parameters=len(campaign.space.free),
        valid_share=valid_share(campaign),
        seconds_per_valid_design=seconds,
        slots=slots,
        oracles=prices,
        wall_hours=None if hours is None else hours / slots,
        most_wall_hours=None if hours is None or added is None else (hours + added) / slots,
        disk_bytes=total([p.disk_bytes for p in prices]),
        disk_free_bytes=shutil.disk_usage(campaign.folder).free,
    )


def total(parts: Sequence[float | None]) -> float | None:
    """The sum, or None where a part is not known."""
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)


def missing(campaign: Campaign) -> Counter[str]:
    """Oracle -> replicates that the next `loop run` adds to the designs so far."""
    from loop.engine import extend
    from loop.store import Reader

    if not (campaign.run_folder / "campaign.db").exists():
        return Counter()
    with Reader.open(campaign.run_folder) as reader:
        return Counter(task.oracle for task in extend.missing(campaign, reader))


def most_added(campaign: Campaign, spec: OracleSpec) -> int | None:
    """How many replicates `replicates_max` of an oracle can add to the whole campaign: `batch` a round at most."""
    if spec.replicates_max is None:
        return 0
    designs = campaign.most_designs
    if designs is None:
        return None
    return min(designs * (spec.replicates_max - spec.replicates), rounds(campaign, designs) * campaign.batch)


def rounds(campaign: Campaign, designs: int) -> int:
    """The rounds in which so many designs are decided, the first among them."""
    return 1 + math.ceil(max(0, designs - campaign.initial) / campaign.designs_per_round)


def audited(campaign: Campaign, spec: OracleSpec) -> int | None:
    """How many replicates of an oracle the audit can add to the whole campaign, were all its budget spent there."""
    if campaign.audit == 0 or spec.labels or spec.isolation == "person":
        return 0
    designs = campaign.most_designs
    if designs is None:
        return None
    decided = designs * sum(campaign.oracles[name].replicates for name in campaign.deciding)
    return math.floor(campaign.audit * decided)


def price(campaign: Campaign, name: str, sample: Sequence[Design], short: int) -> Price:
    spec, designs = campaign.oracles[name], campaign.most_designs
    seconds = fmean(float(spec.oracle.cost(design, spec.fidelity)) for design in sample)
    disk = getattr(spec.oracle, "disk", None) if spec.isolation == "process" else lambda design, fidelity: 0.0
    added, second = most_added(campaign, spec), audited(campaign, spec)
    answered = None if designs is None else answers(campaign, spec, designs, sample)
    tasks = None if answered is None else answered * spec.replicates
    return Price(
        name=spec.name,
        fidelity=spec.fidelity,
        isolation=spec.isolation,
        tasks_per_design=spec.replicates,
        seconds_per_task=seconds,
        labels=spec.labels,
        added_tasks=added,
        audited_tasks=second,
        missing_tasks=short,
        hours=None if tasks is None else tasks * seconds / 3600,
        disk_bytes=None
        if tasks is None or added is None or second is None or disk is None
        else (tasks + added + second) * fmean(float(disk(design, spec.fidelity)) for design in sample),
    )


def answers(campaign: Campaign, spec: OracleSpec, designs: int, sample: Sequence[Design]) -> int:
    """The designs that an oracle answers in a campaign of so many, generated ones included."""
    if spec.labels == AUTO:
        from loop.engine.labelling import expected_labels

        return expected_labels(campaign, spec, designs, sample)
    return designs + spec.labels * rounds(campaign, designs)


def valid_share(campaign: Campaign) -> float:
    """The share of distinct unconstrained random designs that every rule accepts."""
    judged = campaign.judged_space()
    drawn = Space(campaign.space.parameters).sample(256, seed=derive(campaign.seed, "valid share"), max_draws=256)
    return fmean(not judged.violations(judged.canonicalise(design.values)) for design in drawn)
