"""The designs of a table as a space and as a generator: in a replay nothing else can be proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loop.space import Describer, Space
from loop.types import Check, Condition, Design, Generator, Objective, Predictor, Proposal, Record

if TYPE_CHECKING:
    import numpy as np


class TableSpace(Space):
    """A space in which only the designs of a table are valid, and from which only they are sampled.

    They have been through the oracles' checks, which are not asked again.
    """

    def __init__(self, space: Space, designs: Iterable[Design], describers: Sequence[Describer] = ()) -> None:
        super().__init__(space.parameters, space.constraints, [self._in_table], describers)
        self.designs = tuple(designs)
        self._table = frozenset(self.designs)

    def _in_table(self, design: Design) -> Sequence[Check]:
        return (Check("in the table", design in self._table),)

    def with_checks(
        self, checks: Sequence[Callable[[Design], Sequence[Check]]], describers: Sequence[Describer] = ()
    ) -> Space:
        return TableSpace(self, self.designs, describers)

    def sample(self, n: int, *, seed: int, max_draws: int | None = None) -> list[Design]:
        """Up to n of the table's designs in random order."""
        return [self.designs[i] for i in shuffled(len(self.designs), seed)[:n]]


class Left:
    """Proposes what is left of a table, each design with its log density under a generator of the whole space.

    `generator` learns as in a campaign, of the campaign's own `space`; `seed` is that of its training, which all runs
    share.
    """

    def __init__(self, generator: Generator, space: Space, designs: Sequence[Design], seed: int) -> None:
        self.name = f"{generator.name}:table"
        self._generator, self._space, self._designs, self._seed = generator, space, tuple(designs), seed

    def fit(
        self,
        space: Space,
        records: Sequence[Record],
        objectives: Sequence[Objective],
        *,
        seed: int,
        predict: Predictor | None = None,
    ) -> None:
        """Fit the generator to its own space. Raises SpaceError where that has no valid design."""
        self._generator.fit(self._space, records, objectives, seed=self._seed, predict=predict)

    def propose(self, n: int, condition: Condition, incumbents: Sequence[Design], *, seed: int) -> list[Proposal]:
        """Up to n designs of the table that are not known yet, the densest first and equals in random order."""
        left = [self._designs[i] for i in shuffled(len(self._designs), seed)]
        left = [design for design in left if design not in condition.known]
        density = self.log_density(left).tolist() if left else []
        ranked = sorted(zip(left, density, strict=True), key=lambda pair: -pair[1])
        return [Proposal(design, self.name, log_density=value) for design, value in ranked[:n]]

    def log_density(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) of the generator."""
        return self._generator.log_density(designs)

    def synthesize(self, n: int, condition: Condition, *, seed: int) -> list[Design]:
        return [proposal.design for proposal in self.propose(n, condition, (), seed=seed)]

    def save(self, folder: Path) -> str:
        return self._generator.save(folder)

    def load(self, folder: Path) -> None:
        self._generator.load(folder)


def shuffled(n: int, seed: int) -> list[int]:
    """0 .. n - 1 in random order."""
    import numpy as np

    order: list[int] = np.random.default_rng(seed).permutation(n).tolist()
    return order
