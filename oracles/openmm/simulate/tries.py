"""A run that blows up is tried again with new seeds and half the step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from loop.types import OracleFailure
from oracles.openmm.files import write_pdb
from oracles.openmm.simulate.replica import Exploded, Replica
from oracles.openmm.simulate.segments import Journal

MAX_RETRIES = 2
Answer = TypeVar("Answer")


def tried(
    journal: Journal, folder: Path, prepare: Callable[[int], Replica], conclude: Callable[[Replica], Answer]
) -> Answer:
    """What `conclude` makes of the first try that holds; `prepare(retry)` builds each.

    Each failed try is in the journal, its last frames in `folder`. Raises OracleFailure("unphysical") when the last one
    has blown up.
    """
    while len(journal.tries) <= MAX_RETRIES:
        replica = prepare(len(journal.tries))
        try:
            replica.run()
            return conclude(replica)
        except Exploded as blown:
            journal.fail_try(
                blown.reason, write_pdb(replica.film, blown.frames, folder / f"try{len(journal.tries)}.pdb")
            )
    reasons = "; ".join(failed["reason"] for failed in journal.tries)
    raise OracleFailure(
        "unphysical",
        f"the integration ran away {len(journal.tries)} times: {reasons}",
        [failed["evidence"] for failed in journal.tries],
    )
