"""Errors a person can cure, each with the exit code of the command line."""

from __future__ import annotations


class LoopError(Exception):
    """One clear line for the user; `exit_code` is what the command ends with."""

    exit_code = 1


class BadInput(LoopError):
    """A file, sheet or argument is wrong. `problems` holds one located line each."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class WorkFailed(LoopError):
    """Stopped because work failed beyond the limit."""

    exit_code = 3


class StorageError(LoopError):
    """The disk is full, read-only or forbidden. Nothing already committed is lost; run again once it is cured."""

    exit_code = 1


class Locked(LoopError):
    """Another process holds the campaign."""

    exit_code = 75
