"""Stage 0: a network trained on the rule-valid corpus of a space until its gates pass, or word of why not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from generators.encoding import Encoding
from generators.gates import Gates, measure
from generators.network import Network, Shape
from generators.snapshot import space_facts
from generators.training import Rows, Schedule, learning_rows
from generators.uniform import MAX_LISTED, combinations, listed
from loop.seeds import derive
from loop.space import Space
from loop.types import Design, canonical_json

if TYPE_CHECKING:
    import numpy as np

HIDDEN = 128
MIN_LATENT = 12
LATENT_PER_BIT = 0.8
"""Dimensions per bit of choice; a number takes one. Of nine fields of ten choices each, 64 % of designs come back whole
from 13 dimensions and 99.8 % from 24."""
MIN_CORPUS = 256
HELD_OUT = 500
DRAWS_PER_DESIGN = 20
MAX_ATTEMPTS = 3


class Family(Protocol):
    """What makes a kind of generator: its untrained network, and how it learns from rows."""

    reconstructs: bool
    schedule: Schedule

    def start(self, shape: Shape, seed: int) -> Network: ...

    def learn(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None
    ) -> Network: ...


@dataclass(frozen=True, slots=True)
class Corpus:
    """Valid designs of a space to train on and to judge by. In a space listed whole the two are the same: there is
    nothing to generalise to. `key` tells corpora (so spaces, rules, seeds) apart."""

    train: tuple[Design, ...]
    held_out: tuple[Design, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A network and its gates; `network` is None where none passed, `notes` say why."""

    network: Network | None
    gates: Gates | None
    notes: tuple[str, ...] = ()


def gather_corpus(space: Space, size: int, seed: int) -> Corpus:
    """Up to `size` valid designs. Raises SpaceError where there is none."""
    whole = listed(space) if combinations(space) <= min(size, MAX_LISTED) else []
    designs = whole or space.sample(size, seed=derive(seed, "corpus"), max_draws=DRAWS_PER_DESIGN * size)
    key = hashlib.sha256(canonical_json([space_facts(space), seed, [d.id for d in designs]]).encode()).hexdigest()
    if whole:
        return Corpus(tuple(whole), tuple(whole[:: max(1, len(whole) // HELD_OUT)]), key)
    aside = min(HELD_OUT, len(designs) // 10)
    return Corpus(tuple(designs[aside:]), tuple(designs[:aside]), key)


def pretrain(family: Family, encoding: Encoding, corpus: Corpus, steps: int, seed: int) -> Pretrained:
    """Train until every gate passes, MAX_ATTEMPTS times at most. What does not reconstruct gets more latent dimensions
    and a weaker pull to the prior, what decodes the prior to invalid designs a stronger one."""
    if len(corpus.train) < MIN_CORPUS:
        few = f"only {len(corpus.train)} valid designs to learn from, at least {MIN_CORPUS} needed"
        return Pretrained(None, None, (f"{few}; candidates are drawn uniformly",))
    rows = learning_rows(encoding, corpus.train)
    latent = latent_size(encoding)
    schedule = replace(family.schedule, steps=steps)
    notes: list[str] = []
    for attempt in range(MAX_ATTEMPTS):
        shape = Shape(encoding.width, 0, latent, HIDDEN, encoding.sizes, len(encoding.numeric))
        start = family.start(shape, derive(seed, "weights", attempt))
        network = family.learn(start, rows, schedule, seed=derive(seed, "stage 0", attempt))
        gates = measure(network, encoding, corpus.held_out, derive(seed, "stage 0"))
        failed = gates.failed(reconstructs=family.reconstructs)
        if not failed:
            return Pretrained(network, gates, tuple(notes))
        notes.append(f"pre-training, attempt {attempt + 1}: {'; '.join(failed)}")
        latent += latent // 3
        schedule = replace(schedule, steps=schedule.steps * 3 // 2, beta=next_beta(schedule.beta, failed))
    return Pretrained(None, gates, (*notes, "no network passed its gates; candidates are drawn uniformly"))


def latent_size(encoding: Encoding) -> int:
    """Enough dimensions for what a design holds, and never fewer than it has fields."""
    numbers = len(encoding.numeric)
    bits = sum(math.log2(size) for size in encoding.sizes)
    return max(MIN_LATENT, numbers + len(encoding.sizes), numbers + math.ceil(LATENT_PER_BIT * bits))


def next_beta(beta: float, failed: Sequence[str]) -> float:
    only_invalid = all(reason.startswith("validity") for reason in failed)
    return 2 * beta if only_invalid else beta / 2
