"""Generated designs: those that cheap sources are to label, what becomes of them, and the one whose label is put to the
test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from loop.audit.synthetic import DOUBTFUL
from loop.engine.guided import Guided
from loop.store import SYNTHETIC
from loop.types import Condition, Design, Generator, Pick, Proposal

if TYPE_CHECKING:
    from loop.engine.fitting import Fit

TEST = "audit"
"""Role of a pick that puts the label of a synthetic record to the test."""


PROMISING = 0.5
"""Part of the designs to label that are promising ones of the pool, the others being drawn, which sees what the pool
misses. With 100 labels a round of a good source, regret after 26 designs was 1.38 where none was promising, 1.06 with
half and with all (the same eight problems of `benchmarks.sample_efficiency`, the last two with REMEMBERED)."""

REMEMBERED = 100
"""Most labelled designs in one pool."""


def remembered(fit: Fit, taken: Collection[Design], *, seed: int) -> list[Proposal]:
    """The designs generated to be labelled, none of them taken, whose labels are there and leave them promising."""
    if not isinstance(fit.acquisition, Guided):
        return []
    labelled = fit.history.labelled
    there = [p for p in fit.history.generated if p.design in labelled and p.design not in taken]
    return fit.acquisition.promising(there, REMEMBERED, seed=seed)


def to_label(
    fit: Fit, pool: Sequence[Proposal], n: int, condition: Condition, digest: str, seed: Callable[[str], int]
) -> list[Pick]:
    """At most n designs to be labelled, promising and drawn ones by turns, since of several sources one that is asked
    for fewer labels the first of them; `seed` makes one of a purpose."""
    found = promising(fit, pool, n, seed=seed("promising"))
    taken = condition.known.union(pick.proposal.design for pick in found)
    drawn = draw(fit.generator, n - len(found), replace(condition, known=taken), digest, seed=seed("labels"))
    return [pick for pair in zip_longest(found, drawn) for pick in pair if pick]


def promising(fit: Fit, pool: Sequence[Proposal], n: int, *, seed: int) -> list[Pick]:
    """At most PROMISING of n designs to be labelled: those of the pool that may be the best and that nothing is known
    of."""
    if not isinstance(fit.acquisition, Guided):
        return []
    known = fit.history.seen
    unknown = [proposal for proposal in pool if proposal.design not in known]
    found = fit.acquisition.promising(unknown, round(PROMISING * n), seed=seed)
    return [synthetic(proposal) for proposal in found]


def synthetic(proposal: Proposal) -> Pick:
    """A proposal to be labelled, and to be known as such where it is proposed again."""
    return Pick(replace(proposal, generator=f"{proposal.generator}:synthetic"), SYNTHETIC)


def draw(generator: Generator, n: int, condition: Condition, digest: str, *, seed: int) -> list[Pick]:
    """At most n designs of the generator that nothing is known of, to be labelled; half of them under the levels
    wanted."""
    designs = dict.fromkeys(generator.synthesize(n, condition, seed=seed))
    fresh = [design for design in designs if design not in condition.known]
    return [synthetic(Proposal(design, generator.name, digest)) for design in fresh[:n]]


def put_to_the_test(fit: Fit, seed: int) -> list[Pick]:
    """The labelled design to evaluate in earnest: the one whose label is doubted most, where any is more than DOUBTFUL
    standard deviations from what the real records predict, else the one that the acquisition likes best. None where
    no design is labelled."""
    labelled = fit.history.labelled
    doubted = set(labelled)
    if fit.witness:
        doubts = fit.witness.doubts([record for records in labelled.values() for record in records])
        far = sorted((doubt for doubt in doubts if abs(doubt.z) > DOUBTFUL), key=lambda doubt: -abs(doubt.z))
        doubted = {far[0].record.design} if far else doubted
    pool = [proposal for proposal in fit.history.generated if proposal.design in doubted]
    picks = fit.acquisition.select(pool, 1, fit.history.pending, seed=seed) if pool else []
    return [replace(pick, role=TEST) for pick in picks]
