"""What a campaign will cost, before anything runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from loop.campaign import Campaign, OracleSpec
from loop.seeds import derive
from loop.space import Space

if TYPE_CHECKING:
    from loop.types import Design

SAMPLE, DRAWS = 16, 2048


@dataclass(frozen=True, slots=True)
class Price:
    """One oracle. `seconds_per_task` is the mean over sampled designs; `hours` all tasks together (None: open)."""

    name: str
    fidelity: str
    isolation: str
    tasks_per_design: int
    seconds_per_task: float
    hours: float | None
    disk_bytes: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`designs` is the most that will be decided (None: the campaign file sets no such limit). `wall_hours` counts
    the oracles that run on this machine, all slots busy. `disk_bytes` is None where an oracle does not say."""

    designs: int | None
    free_parameters: int
    valid_share: float
    seconds_per_valid_design: float
    slots: int
    oracles: tuple[Price, ...]
    wall_hours: float | None
    disk_bytes: float | None
    disk_free_bytes: int


def plan(campaign: Campaign) -> Plan:
    """Price the campaign by sampling its space and asking each deciding oracle's `cost`.

    An oracle that can tell how many bytes one replicate leaves does so in a method `disk(design, fidelity)`.
    """
    begin = time.perf_counter()
    sample = campaign.judged_space().sample(SAMPLE, seed=derive(campaign.seed, "plan"), max_draws=DRAWS)
    seconds = (time.perf_counter() - begin) / len(sample)
    designs = campaign.most_designs
    prices = tuple(price(campaign.oracles[name], sample, designs) for name in campaign.deciding)
    machine = [p.hours for p in prices if p.isolation != "person"]
    hours = None if any(h is None for h in machine) else sum(h for h in machine if h is not None)
    disk = [p.disk_bytes for p in prices]
    return Plan(
        designs=designs,
        free_parameters=len(campaign.space.free),
        valid_share=valid_share(campaign),
        seconds_per_valid_design=seconds,
        slots=campaign.execution.slots,
        oracles=prices,
        wall_hours=None if hours is None else hours / campaign.execution.slots,
        disk_bytes=None if any(d is None for d in disk) else sum(d for d in disk if d is not None),
        disk_free_bytes=shutil.disk_usage(campaign.folder).free,
    )


def price(spec: OracleSpec, sample: Sequence[Design], designs: int | None) -> Price:
    seconds = fmean(float(spec.oracle.cost(design, spec.fidelity)) for design in sample)
    disk = getattr(spec.oracle, "disk", None) if spec.isolation == "process" else lambda design, fidelity: 0.0
    tasks = None if designs is None else designs * spec.replicates
    return Price(
        name=spec.name,
        fidelity=spec.fidelity,
        isolation=spec.isolation,
        tasks_per_design=spec.replicates,
        seconds_per_task=seconds,
        hours=None if tasks is None else tasks * seconds / 3600,
        disk_bytes=None
        if tasks is None or disk is None
        else tasks * fmean(float(disk(design, spec.fidelity)) for design in sample),
    )


def valid_share(campaign: Campaign) -> float:
    """The share of distinct unconstrained random designs that every rule accepts."""
    judged = campaign.judged_space()
    drawn = Space(campaign.space.parameters).sample(256, seed=derive(campaign.seed, "valid share"), max_draws=256)
    return fmean(not judged.violations(judged.canonicalise(design.values)) for design in drawn)
