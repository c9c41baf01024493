"""Generated designs: those that cheap sources are to label, and the one whose label is put to the test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loop.audit.synthetic import DOUBTFUL
from loop.store import SYNTHETIC
from loop.types import Condition, Generator, Pick, Proposal

if TYPE_CHECKING:
    from loop.engine.fitting import Fit

TEST = "audit"
"""Role of a pick that puts the label of a synthetic record to the test."""


def draw(generator: Generator, n: int, condition: Condition, digest: str, *, seed: int) -> list[Pick]:
    """At most n designs of the generator that nothing is known of, to be labelled; half of them under the levels
    wanted."""
    designs = dict.fromkeys(generator.synthesize(n, condition, seed=seed))
    fresh = [design for design in designs if design not in condition.known]
    return [Pick(Proposal(design, f"{generator.name}:synthetic", digest), SYNTHETIC) for design in fresh[:n]]


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
