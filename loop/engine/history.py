"""What a decision may look at: the records, the failures, and the designs whose answers are still out."""

from __future__ import annotations

from dataclasses import dataclass

from loop.types import Design, Failure, Record


@dataclass(frozen=True, slots=True)
class History:
    """`records` and `failures` in canonical order; `pending` in the order of decision."""

    records: tuple[Record, ...]
    failures: tuple[Failure, ...]
    pending: tuple[Design, ...]

    @property
    def known(self) -> frozenset[Design]:
        """Designs that need not be proposed again."""
        answered = [record.design for record in self.records] + [failure.design for failure in self.failures]
        return frozenset([*answered, *self.pending])
