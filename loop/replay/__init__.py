"""A campaign's own records, replayed: what other choices would have found in them."""

from loop.replay.answers import Answers, recorded
from loop.replay.play import Choice, Player, Run, Step
from loop.replay.settings import CONTROL, choices, most_evaluations, with_settings
from loop.replay.summary import csv_table, summary

__all__ = [
    "CONTROL",
    "Answers",
    "Choice",
    "Player",
    "Run",
    "Step",
    "choices",
    "csv_table",
    "most_evaluations",
    "recorded",
    "summary",
    "with_settings",
]
