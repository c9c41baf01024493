"""What a decision may look at: the records, the failures, and the designs whose answers are still out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loop.types import Design, Failure, Proposal, Record

if TYPE_CHECKING:
    from loop.campaign import Campaign
    from loop.store import Reader


@dataclass(frozen=True, slots=True)
class History:
    """`records` and `failures` in canonical order, `pending` in the order of decision; `sources` are the cheap ones,
    `generated` the proposals that they were asked to label."""

    records: tuple[Record, ...]
    failures: tuple[Failure, ...]
    pending: tuple[Design, ...]
    sources: frozenset[str] = frozenset()
    generated: tuple[Proposal, ...] = ()

    @property
    def known(self) -> frozenset[Design]:
        """Designs that need not be proposed again. One that only a cheap source labelled may be."""
        answered = [r.design for r in self.records if r.oracle not in self.sources]
        failed = [f.design for f in self.failures if f.oracle not in self.sources]
        return frozenset([*answered, *failed, *self.pending])

    @property
    def labelled(self) -> dict[Design, list[Record]]:
        """The designs that only cheap sources know, with their synthetic records."""
        known, found = self.known, dict[Design, list[Record]]()
        for record in self.records:
            if record.kind == "synthetic" and record.design not in known:
                found.setdefault(record.design, []).append(record)
        return found

    @property
    def seen(self) -> frozenset[Design]:
        """Every design that anything is known of, or soon will be."""
        return frozenset([*(r.design for r in self.records), *(f.design for f in self.failures), *self.pending])


def history(campaign: Campaign, reader: Reader) -> History:
    """The campaign as it stands. Replicates that are added to what is known hold nothing back."""
    designs = reader.designs()
    out: dict[Design, None] = {}
    for row in reader.tasks():
        deciding = row.task.oracle in campaign.deciding
        if deciding and row.extension is None and row.state in ("queued", "running", "waiting"):
            out.setdefault(designs[row.task.design_id])
    sources = frozenset(spec.name for spec in campaign.sources)
    generated = tuple(row.pick.proposal for row in reader.synthetic())
    return History(tuple(reader.records()), tuple(reader.failures()), tuple(out), sources, generated)
