"""What every family of generator has in common: it is trained, judged, asked for candidates, saved and loaded.

Stage 0 trains on the rule-valid corpus of the space, once: the same space and seed give the same weights, bit for bit.
Stage 1 starts from stage 0 at every decision and learns which designs the surrogate holds good; an update that fails
its gates or forgets part of the space is rejected. Where stage 0 cannot pass its gates, proposals are uniform, and
`notes` say so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators import quality as judging
from generators import snapshot
from generators.encoding import Encoding
from generators.gates import Gates, measure
from generators.labels import condition_row, levels, lies_in, measured_utilities, rank_weights
from generators.network import Network, Shape, conditioned, initial_weights
from generators.pool import Model, Pool
from generators.pretrained import Corpus, Pretrained, gather_corpus, pretrain
from generators.training import LEVELS, Rows, Schedule, learning_rows, log_density, training_rows
from generators.uniform import Uniform
from loop.ledger import Quality
from loop.seeds import derive
from loop.space import Space
from loop.types import Condition, Design, Objective, Predictor, Proposal, Record

if TYPE_CHECKING:
    import numpy as np

COMPARED = 500
"""Designs of the corpus that a record's design is compared with."""


class Trained(ABC):
    """A trained generator over any space. A family says how its network learns; it `reconstructs` where it is trained
    to give known designs back, and has a critic where that judges a `pack` of designs together. `schedule` is that of
    stage 0 (its steps are the constructor's), `update` that of stage 1."""

    name: str
    reconstructs = True
    pack = 0
    schedule: Schedule
    update: Schedule

    def __init__(self, corpus: int, steps: int) -> None:
        if not 500 <= corpus <= 50_000:
            raise ValueError(f"corpus: {corpus} designs; give 500 to 50000")
        if not 100 <= steps <= 50_000:
            raise ValueError(f"steps: {steps}; give 100 to 50000")
        self.corpus, self.steps = corpus, steps
        self.notes: tuple[str, ...] = ()
        self.counts: dict[str, dict[str, int]] = {}
        self.gates: Gates | None = None
        self.digest = ""
        self._space: Space | None = None
        self._seed: int | None = None
        self._corpus: Corpus | None = None
        self._key = ""
        self._base = Pretrained(None, None)
        self._network: Network | None = None
        self._properties: tuple[str, ...] = ()
        self._expected: np.ndarray | None = None

    def start(self, shape: Shape, seed: int) -> Network:
        """The untrained, unconditional network."""
        return Network(shape, initial_weights(shape, seed, pack=self.pack))

    @abstractmethod
    def learn(
        self, start: Network, rows: Rows, schedule: Schedule, *, seed: int, weights: np.ndarray | None = None
    ) -> Network:
        """The network trained on rows drawn by `weights`; `start` is left as it was."""

    def fit(
        self,
        space: Space,
        records: Sequence[Record],
        objectives: Sequence[Objective],
        *,
        seed: int,
        predict: Predictor | None = None,
    ) -> None:
        """Pre-train on the space (kept between calls and snapshots), then, given a surrogate's `predict`, learn the
        levels of the objectives.

        Raises SpaceError where the space has no valid design.
        """
        corpus = self._pretrain(space, seed)
        self._network, self.gates, self.notes = self._base.network, self._base.gates, self._base.notes
        self._properties = tuple(objective.property for objective in objectives)
        self._expected = None
        if self._network is not None and predict is not None and objectives:
            self._update(self._network, corpus, records, objectives, seed, predict)
        self.digest = snapshot.digest(*snapshot.pack(*self._content()))

    def _pretrain(self, space: Space, seed: int) -> Corpus:
        if self._corpus is None or space is not self._space or seed != self._seed:
            corpus = gather_corpus(space, self.corpus, seed)
            key = f"{corpus.key}:{self.steps}"
            if key != self._key:
                self._base = pretrain(self, Encoding(space), corpus, self.steps, seed)
            self._space, self._seed, self._corpus, self._key = space, seed, corpus, key
        return self._corpus

    def _update(
        self, base: Network, corpus: Corpus, records: Sequence[Record], objectives: Sequence[Objective],
        seed: int, predict: Predictor,
    ) -> None:  # fmt: skip
        """Stage 1: take the update, or keep stage 0 and note why."""
        import numpy as np

        assert self._space is not None and self._base.gates is not None
        encoding, real = Encoding(self._space), measured_utilities(self._space, records, objectives)
        designs = [*corpus.train, *real]
        predicted, _ = predict(designs)
        if not np.isfinite(predicted).all():
            self.notes += ("update rejected: the surrogate predicts values that are not finite",)
            return
        known = predicted.copy()
        for i, measured in enumerate(real.values(), start=len(corpus.train)):
            known[i] = np.where(np.isfinite(measured), measured, predicted[i])
        expected = predicted[: len(corpus.train)]
        rows = learning_rows(encoding, designs, levels(known, expected))
        weights = rank_weights(predicted, np.arange(len(designs)) >= len(corpus.train))
        start = conditioned(base, LEVELS * len(objectives))
        network = self.learn(start, rows, self.update, seed=derive(seed, "stage 1"), weights=weights)
        gates = measure(network, encoding, corpus.held_out, derive(seed, "stage 0"))
        wrong = (*gates.failed(reconstructs=self.reconstructs), *gates.collapsed_from(self._base.gates))
        if wrong:
            self.notes += (f"update rejected: {'; '.join(wrong)}; stage 0 proposes",)
        else:
            self._network, self.gates, self._expected = network, gates, expected

    def propose(self, n: int, condition: Condition, incumbents: Sequence[Design], *, seed: int) -> list[Proposal]:
        """At most n distinct, canonical, rule-valid proposals, none of them known; all there are where the space holds
        fewer. `counts` then holds draws per source.

        Raises SpaceError where no design is valid or a pin lies outside the space, ValueError for an unknown level.
        """
        space = self._fitted()
        wanted = condition_row(condition.levels, self._properties)
        if self._network is None:
            return self._uniform(n, condition, seed)
        knows_levels = self._network.shape.condition > 0 and wanted.any()
        before = self._base.network or self._network
        model = Model(self.name, self._network, before, Encoding(space), self.digest)
        pool = Pool(model, condition.pins, condition.known, seed)
        proposals = pool.fill(n, wanted if knows_levels else None, incumbents)
        self.counts = pool.counts
        densities = self.log_density([proposal.design for proposal in proposals])
        return [replace(p, log_density=float(d)) for p, d in zip(proposals, densities, strict=True)]

    def _uniform(self, n: int, condition: Condition, seed: int) -> list[Proposal]:
        uniform = Uniform()
        uniform.fit(self._fitted(), (), (), seed=seed)
        proposals = uniform.propose(n, condition, (), seed=seed)
        self.counts = {"uniform": dict.fromkeys(("drawn", "valid", "unique"), len(proposals))}
        return proposals

    def log_density(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) importance-weighted estimates of log p(x), nothing known of the objectives; zeros where proposals are
        uniform. The same designs give the same numbers."""
        import numpy as np

        space = self._fitted()
        if self._network is None or not designs:
            return np.zeros(len(designs))
        return log_density(self._network, training_rows(Encoding(space), designs))

    def quality(self, records: Sequence[Record], *, seed: int) -> Quality | None:
        """Of draws from the prior; None where proposals are uniform, or after `load` before `fit`."""
        if self._network is None or self._corpus is None:
            return None
        return judging.quality(self._network, Encoding(self._fitted()), self._corpus, records, seed)

    def implausible(self, records: Sequence[Record], objectives: Sequence[Objective], *, seed: int) -> list[float]:
        """(n,) as `quality.implausible` has it of each record by its own values; empty where no level was learnt, 1 for
        a design that no longer lies in the space. The same records give the same numbers whatever the `seed`."""
        import numpy as np

        if self._expected is None or self._network is None or self._corpus is None:
            return []
        space, known = self._fitted(), {o.property: o for o in objectives}
        wished, encoding = [known[name] for name in self._properties], Encoding(space)
        corpus = self._corpus.train[:COMPARED]
        usual = training_rows(encoding, corpus, levels(self._expected[:COMPARED], self._expected))
        inside = [i for i, record in enumerate(records) if lies_in(space, record.design)]
        own = np.array([judging.levels_of(records[i], wished, self._expected) for i in inside])
        asked = training_rows(encoding, [records[i].design for i in inside], own.reshape(len(inside), len(wished)))
        shares = dict(zip(inside, judging.implausible(self._network, usual, asked), strict=True))
        return [shares.get(i, 1.0) for i in range(len(records))]

    def synthesize(self, n: int, condition: Condition, *, seed: int) -> list[Design]:
        """At most n unlabelled designs for synthetic records, half of them under the levels wanted."""
        return [proposal.design for proposal in self.propose(n, condition, (), seed=seed)]

    def save(self, folder: Path) -> str:
        """Write stage 0 and the present network; returns the digest that proposals carry."""
        self._fitted()
        return snapshot.write(folder, *self._content())

    def load(self, folder: Path) -> None:
        """Read what `save` wrote. Proposals then equal those of the saved generator; `fit` on the same space and seed
        takes up its stage 0 instead of training. The oracles' checks are no part of a snapshot: a generator that was
        not fitted on the space before judges by its constraints only, until `fit`.

        Raises ValueError where the snapshot is damaged or another generator's.
        """
        tensors, facts = snapshot.read(folder, self.name)
        try:
            base, network = (network_from(tensors, facts, part) for part in ("stage0", "present"))
            gates = [Gates(**facts[name]) if facts[name] else None for name in ("stage0_gates", "gates")]
            space, self._corpus = snapshot.space_from(facts["space"]), None
            if self._space is None or snapshot.space_facts(self._space) != snapshot.space_facts(space):
                self._space = space
            self._key, self._properties = facts["key"], tuple(facts["objectives"])
            self._base = Pretrained(base, gates[0], tuple(facts["stage0_notes"]))
            self._network, self.gates, self.notes = network or base, gates[1], tuple(facts["notes"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder}: not a model of this version ({error!r}); delete it to train anew") from error
        self.digest = snapshot.digest(*snapshot.pack(*self._content()))

    def _content(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tensors and facts of a snapshot. The present network is written only where it is not stage 0."""
        networks = {"stage0": self._base.network, "present": self._network}
        if self._network is self._base.network:
            networks["present"] = None
        facts = {
            "generator": self.name,
            "key": self._key,
            "space": snapshot.space_facts(self._fitted()),
            "objectives": list(self._properties),
            "shapes": {part: asdict(network.shape) for part, network in networks.items() if network},
            "stage0_gates": self._base.gates and asdict(self._base.gates),
            "stage0_notes": list(self._base.notes),
            "gates": self.gates and asdict(self.gates),
            "notes": list(self.notes),
        }
        tensors = {
            f"{part}.{name}": weight.numpy()
            for part, network in networks.items()
            if network
            for name, weight in network.weights.items()
        }
        return tensors, facts

    def _fitted(self) -> Space:
        if self._space is None:
            raise RuntimeError("call fit(space, ...) or load(folder) first")
        return self._space


def network_from(tensors: dict[str, np.ndarray], facts: dict[str, Any], part: str) -> Network | None:
    import torch

    if part not in facts["shapes"]:
        return None
    shape = facts["shapes"][part]
    weights = {
        name.removeprefix(f"{part}."): torch.from_numpy(array.copy())
        for name, array in tensors.items()
        if name.startswith(f"{part}.")
    }
    return Network(Shape(**{**shape, "sizes": tuple(shape["sizes"])}), weights)
