"""Runs kept in a file of JSON lines as they come, so that an interrupted benchmark goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

Run = TypeVar("Run")


def kept(file: Path | None, kind: Callable[..., Run], more: Callable[[list[Run]], Iterable[Run]]) -> list[Run]:
    """The runs, dataclasses of a `kind`, that the file holds, and those that `more` makes, told what there is; each is
    written as it comes. Without a file, only these."""
    found: list[Run] = []
    if file and file.exists():
        found = [kind(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    for run in more(list(found)):
        found.append(run)
        if file:
            plain: Any = run
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(plain)) + "\n")
    return found
