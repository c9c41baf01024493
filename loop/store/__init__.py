"""The campaign's memory: one SQLite file, one writer, any number of readers."""

from loop.store.inserts import task_id
from loop.store.reader import Reader
from loop.store.rows import (
    SYNTHETIC,
    Artifact,
    Attempt,
    AttemptRow,
    ConfigVersion,
    Conflict,
    DecisionRow,
    Event,
    ExtensionRow,
    Origin,
    ProposalRow,
    TaskRow,
    ToldRow,
)
from loop.store.writer import Store

__all__ = [
    "SYNTHETIC",
    "Artifact",
    "Attempt",
    "AttemptRow",
    "ConfigVersion",
    "Conflict",
    "DecisionRow",
    "Event",
    "ExtensionRow",
    "Origin",
    "ProposalRow",
    "Reader",
    "Store",
    "TaskRow",
    "ToldRow",
    "task_id",
]
