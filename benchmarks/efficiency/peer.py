"""What the adapters of other people's optimizers share.

What these cannot express of the rules is handled alike for all: a peer that picks from a table is offered valid
designs, drawn anew for every round; one that searches the space itself is asked again for what breaks a rule or was
evaluated before, and after so many times gets the nearest valid design instead (both counted in `notes`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from acquisition.encoding import Encoding
from benchmarks.efficiency.cases import Case
from loop.seeds import derive
from loop.space import Space, is_fixed
from loop.types import Design, Record

CANDIDATES = 1000
"""As many as the product's pool."""


class Peer:
    """What the adapters share. `free` are the parameters that vary."""

    def __init__(self, case: Case, seed: int) -> None:
        self.notes: dict[str, float] = {}
        self.case, self.seed = case, seed
        self.free = [p for p in case.space.parameters if not is_fixed(p)]

    def draw(self, *purpose: str | int) -> int:
        """A seed that other people's generators take."""
        return derive(self.seed, *purpose) % 2**31

    def values(self, design: Design) -> dict[str, Any]:
        return {p.name: design.values[p.name] for p in self.free}

    def count(self, what: str) -> None:
        self.notes[what] = self.notes.get(what, 0) + 1

    def candidates(self, records: Sequence[Record], round: int) -> list[Design]:
        known = {record.design for record in records}
        drawn = self.case.space.sample(CANDIDATES + len(known), seed=self.draw("candidates", round))
        return [design for design in drawn if design not in known][:CANDIDATES]

    def completed(
        self, designs: list[Design], refused: Sequence[Design], q: int, records: Sequence[Record], round: int
    ) -> list[Design]:
        """Up to q designs, what is missing being made up by candidates near to those refused first."""
        if len(designs) == q:
            return designs
        left = [design for design in self.candidates(records, round) if design not in designs]
        return designs + self.instead_of(refused[: q - len(designs)], left)

    def instead_of(self, refused: Sequence[Design], left: Sequence[Design]) -> list[Design]:
        """The designs left that are nearest to those refused, counted."""
        for _ in refused:
            self.count("replaced")
        return nearest(self.case.space, refused, left)

    def fits(self, design: Design, known: Collection[Design]) -> bool:
        """Whether a design keeps every rule and is none of those known."""
        return design not in known and not self.case.space.violations(design)


def nearest(space: Space, wanted: Sequence[Design], left: Sequence[Design]) -> list[Design]:
    """Of the designs left a different one for each that was wanted, the nearest."""
    encoding, found = Encoding(space), list[Design]()
    apart = encoding.distances(encoding.rows(wanted), encoding.rows(left))
    for row in apart:
        i = int(row.argmin())
        apart[:, i] = float("inf")
        found.append(left[i])
    return found
