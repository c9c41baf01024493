"""The candidate pool of one decision: draws in latent space, decoded, judged, re-drawn where they fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generators.decoding import Decoder
from generators.symbols import novel
from generators.uniform import pinned_space, valid_designs
from loop.seeds import derive
from loop.space import canonical_value
from loop.types import Design, Proposal, Value

if TYPE_CHECKING:
    import numpy as np

    from generators.encoding import Encoding
    from generators.network import Network

RADII = (0.3, 0.6, 1.0)
"""Steps in latent space around an incumbent; the prior has standard deviation 1."""
UNIFORM_SHARE = 0.1
SHARES = {"prior": 0.5, "conditional": 0.2, "incumbent": 0.2, "crossover": 0.1}
"""Of the latent draws. Half come from the generator as it was before it learnt what the surrogate holds good, so that a
surrogate that is wrong does not narrow the search to where it is."""
MAX_ROUNDS = 6
SPARE = 16
COUNTED = ("drawn", "valid_at_first", "valid", "known", "unique")

Draw = tuple["np.ndarray", "np.ndarray", list[tuple[str, ...]]]
"""Latent points (n, latent), conditions (n, width) and the ids of each point's parents."""


@dataclass(frozen=True, slots=True)
class Source:
    """A way to draw latent points, and the network that decodes them."""

    network: Network
    draw: Callable[[int, np.random.Generator], Draw]


@dataclass(frozen=True, slots=True)
class Model:
    """What a pool is drawn from: the family's name, the network, the one it was `before` any level of an objective was
    learnt, the encoding both were trained in, the model's digest."""

    name: str
    network: Network
    before: Network
    encoding: Encoding
    digest: str


@dataclass
class Pool:
    """Draws proposals and counts, per source, how many were drawn, valid as first drawn, valid in the end, known
    already, and not seen before; of these, in a space with generated molecules, with one that has no name yet."""

    model: Model
    pins: Mapping[str, Value]
    known: frozenset[Design]
    seed: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        space = self.model.encoding.space
        pinned_space(space, self.pins)
        self.pins = {name: canonical_value(space[name], value) for name, value in self.pins.items()}
        self._decoder = Decoder(self.model.encoding, self.pins)
        self._found: dict[Design, Proposal] = {}

    def fill(self, n: int, condition: np.ndarray | None, incumbents: Sequence[Design]) -> list[Proposal]:
        """At most n distinct, canonical, valid proposals: latent draws first, at least a tenth uniform ones. Levels
        wanted are given as one `condition` row; None leaves the conditional draws out."""
        latent = n - math.ceil(UNIFORM_SHARE * n) if n >= 10 else n
        sources = self._sources(condition, incumbents)
        total = sum(SHARES[name] for name in sources)
        for name, source in sources.items():
            self._take(f"{self.model.name}:{name}", round(latent * SHARES[name] / total), source)
        self._add_uniform(n)
        return list(self._found.values())

    def _sources(self, condition: np.ndarray | None, incumbents: Sequence[Design]) -> dict[str, Source]:
        import numpy as np

        network, encoding = self.model.network, self.model.encoding
        unknown = np.zeros(network.shape.condition, dtype=np.float32)
        ids = [design.id for design in incumbents]

        def drawn_from(network: Network, c: np.ndarray) -> Source:
            def draw(n: int, rng: np.random.Generator) -> Draw:
                conditions = np.tile(c, (n, 1))
                return network.sample_prior(conditions, rng), conditions, [()] * n

            return Source(network, draw)

        before = self.model.before
        sources = {"prior": drawn_from(before, np.zeros(before.shape.condition, dtype=np.float32))}
        if condition is not None:
            sources["conditional"] = drawn_from(network, condition)
        if ids:
            best = [encoding.space.canonicalise(design.values) for design in incumbents]
            centres, _ = network.encode(encoding.encode(best), np.tile(unknown, (len(ids), 1)))

            def near(n: int, rng: np.random.Generator) -> Draw:
                who, radius = rng.integers(len(ids), size=n), rng.choice(RADII, size=(n, 1))
                z = centres[who] + radius * rng.standard_normal((n, centres.shape[1]))
                return z, np.tile(unknown, (n, 1)), [(ids[i],) for i in who]

            sources["incumbent"] = Source(network, near)
        if len(ids) > 1:

            def crossed(n: int, rng: np.random.Generator) -> Draw:
                first = rng.integers(len(ids), size=n)
                second = (first + rng.integers(1, len(ids), size=n)) % len(ids)
                swap = rng.random((n, centres.shape[1])) < 0.5
                z = np.where(swap, centres[first], centres[second])
                return z, np.tile(unknown, (n, 1)), [(ids[i], ids[j]) for i, j in zip(first, second, strict=True)]

            sources["crossover"] = Source(network, crossed)
        return sources

    def _take(self, name: str, quota: int, source: Source) -> None:
        """Draw until the source's quota is met or it has little new to say."""
        import numpy as np

        rng = np.random.default_rng(derive(self.seed, name))
        count = self.counts.setdefault(name, dict.fromkeys(COUNTED, 0))
        for _ in range(MAX_ROUNDS):
            missing = quota - count["unique"]
            if missing <= 0:
                return
            z, conditions, parents = source.draw(missing + missing // 4 + 4, rng)
            z, (designs, at_first) = self._decode(source.network, z, conditions, rng)
            for design, first, point, ancestors in zip(designs, at_first, z, parents, strict=True):
                if count["unique"] < quota:
                    latent = tuple(point.tolist())
                    self._judge(Proposal(design, name, self.model.digest, latent, ancestors), count, first)

    def _decode(
        self, network: Network, z: np.ndarray, conditions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, tuple[list[Design], list[bool]]]:
        """Decoder's draws at the latent points; with pins, at the points where the pinned designs are encoded."""
        encoding = self.model.encoding
        draws = self._decoder.draw(network.decode(z, conditions), rng)
        if not self.pins:
            return z, draws
        z, _ = network.encode(encoding.encode(draws[0]), conditions)
        return z, self._decoder.draw(network.decode(z, conditions), rng)

    def _judge(self, proposal: Proposal, count: dict[str, int], at_first: bool = True) -> None:
        design = proposal.design
        count["drawn"] += 1
        count["valid_at_first"] += at_first
        pinned = all(design.values[name] == value for name, value in self.pins.items())
        if not pinned or self.model.encoding.space.violations(design):
            return
        count["valid"] += 1
        if design in self.known:
            count["known"] += 1
        elif design not in self._found:
            count["unique"] += 1
            if self.model.encoding.symbols:
                count["novel"] = count.get("novel", 0) + novel(self.model.encoding.space, design)
            self._found[design] = proposal

    def _add_uniform(self, n: int) -> None:
        """Fill up with uniform valid designs, asking for as many as the whole pool where few of them are new."""
        count = self.counts.setdefault("uniform", dict.fromkeys(COUNTED, 0))
        space = self.model.encoding.space
        for wanted in (n - len(self._found) + SPARE, n + len(self.known)):
            if len(self._found) < n:
                for design in valid_designs(space, wanted, derive(self.seed, "uniform", wanted), self.pins):
                    if len(self._found) < n:
                        self._judge(Proposal(design, "uniform"), count)
