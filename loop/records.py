"""Replicates become a record: the mean, and an error bar that the replicas, not one run, must answer for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loop.types import Estimate


def combine(
    replicates: Sequence[Mapping[str, Estimate]], pooled: Mapping[str, float | None], *, measured: bool = False
) -> dict[str, Estimate]:
    """One estimate per property over the replicates that report it."""
    raise NotImplementedError
