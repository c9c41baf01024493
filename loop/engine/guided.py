"""What an acquisition may take and give beyond its contract, when it has a model to do so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from loop.types import Design, Proposal


@runtime_checkable
class Guided(Protocol):
    """An acquisition that, once fitted, makes use of what the campaign says of its length and, where it `leans`, of
    plausible designs, adds to the pool, and says what of it to label."""

    leans: bool

    def plan(self, designs: int) -> None:
        """The campaign ends with so many designs."""
        ...

    def prefer(self, plausible: Sequence[Design], *, seed: int) -> None:
        """A person holds these designs plausible."""
        ...

    def vary(self, leaders: Sequence[Design], taken: Collection[Design], n: int, *, seed: int) -> list[Proposal]:
        """At most n proposals near the leading designs, none of them taken, for the pool beside the generator's."""
        ...

    def search(self, pool: Sequence[Proposal], taken: Collection[Design], *, seed: int) -> list[Proposal]:
        """Further proposals, neither in the pool nor taken."""
        ...

    def promising(self, pool: Sequence[Proposal], n: int, *, seed: int) -> list[Proposal]:
        """At most n distinct proposals of the pool that may be the best there are."""
        ...
