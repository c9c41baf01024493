"""How good the designs are that a generator draws, and whether a design goes with the values recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from generators.decoding import Decoder
from generators.gates import NEIGHBOURS, PRIOR_SAMPLES, coverage
from generators.labels import levels
from generators.symbols import generated
from generators.training import UNKNOWN, log_density
from loop import molecules
from loop.ledger import Quality
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np

    from generators.encoding import Encoding
    from generators.network import Network
    from generators.pretrained import Corpus
    from generators.training import Rows
    from loop.types import Objective, Record

LEAST_COMPARED = 100
"""Designs on each side below which a comparison of two samples says nothing."""
TREES = 100


def quality(network: Network, encoding: Encoding, corpus: Corpus, records: Sequence[Record], seed: int) -> Quality:
    """Of PRIOR_SAMPLES designs drawn once from the prior, nothing known of the objectives; valid as first drawn.

    The null of the classifier is between the held-out and as many other designs of the corpus.
    """
    import numpy as np

    rng = np.random.default_rng(derive(seed, "quality"))
    unknown = np.zeros((PRIOR_SAMPLES, network.shape.condition))
    heads = network.decode(network.sample_prior(unknown, rng), unknown)
    designs, valid = Decoder(encoding, redraws=0).draw(heads, rng)
    sound = [design for design, is_valid in zip(designs, valid, strict=True) if is_valid]
    unique = set(sound)
    novel = unique - set(corpus.train) - set(corpus.held_out) - {record.design for record in records}
    made = generated(encoding.space, unique) if encoding.symbols else None
    found = Quality(
        len(designs), len(sound), len(unique), len(novel),
        molecules=None if made is None else len(made),
        unnamed=None if made is None else sum(molecules.novel(*one) for one in made),
    )  # fmt: skip
    held_out, apart = corpus.held_out, set(corpus.held_out)
    others = [design for design in corpus.train if design not in apart]
    if min(len(held_out), len(sound), len(others)) < LEAST_COMPARED:
        return found
    real, drawn = encoding.encode(held_out), encoding.encode(sound)
    null = encoding.encode([others[i] for i in rng.choice(len(others), min(len(others), len(held_out)), replace=False)])
    return replace(
        found,
        coverage=coverage(real, drawn),
        density=density(real, drawn),
        c2st=told_apart(real, drawn, rng),
        c2st_null=told_apart(real, null, rng),
    )


def density(real: np.ndarray, generated: np.ndarray) -> float:
    """Generated rows within the real rows' spheres, each of which reaches the fifth real neighbour, over five for each
    generated row: near 1 for rows of the same kind. Density of Naeem et al., ICML 2020 (arXiv 2002.09797)."""
    import numpy as np
    from scipy.spatial.distance import cdist

    nearest = min(NEIGHBOURS, len(real) - 1)
    radius = np.sort(cdist(real, real), axis=1)[:, nearest]
    return float((cdist(real, generated) <= radius[:, None]).sum() / (nearest * len(generated)))


def told_apart(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    """Balanced accuracy with which a random forest tells rows of `a` from rows of `b`, each judged by the trees that
    never saw it (Lopez-Paz & Oquab, ICLR 2017, arXiv 1610.06545); a half where they are alike."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    rows, side = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=5, max_features="sqrt", class_weight="balanced", oob_score=True,
        random_state=int(rng.integers(2**31)),
    ).fit(rows, side)  # fmt: skip
    guessed = forest.oob_decision_function_.argmax(1)
    return float(np.mean([(guessed[side == k] == k).mean() for k in (0, 1)]))


def implausible(network: Network, corpus: Rows, asked: Rows) -> list[float]:
    """(n,) the share of `corpus` rows for which log p(x | levels) - log p(x) is lower than for each `asked` row, every
    row by its own levels; 1 where no level is known."""
    import numpy as np

    def evidence(rows: Rows) -> np.ndarray:
        return np.asarray(log_density(network, rows, levels_known=True) - log_density(network, rows))

    usual, unknown = evidence(corpus), (asked.levels == UNKNOWN).all(1).tolist()
    return [
        1.0 if nothing_known else float((usual < own).mean())
        for own, nothing_known in zip(evidence(asked), unknown, strict=True)
    ]


def levels_of(record: Record, objectives: Sequence[Objective], corpus: np.ndarray) -> np.ndarray:
    """(objectives,) levels of a record's own values by the quartiles of the corpus utilities (n, objectives); unknown
    where it has no value."""
    import numpy as np

    values = [
        o.utility(record.estimates[o.property].mean)
        if record.oracle == o.oracle and o.property in record.estimates
        else np.nan
        for o in objectives
    ]
    known: np.ndarray = levels(np.array([values]), corpus)[0]
    return known
