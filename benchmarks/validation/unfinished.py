"""Long measurements whose rows are kept as they come, so that an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def gathered(part: str, rows: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Every row by name, measured where results/PART.unfinished.json lacks it; that file is gone at the end."""
    path = RESULTS / f"{part}.unfinished.json"
    done: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, measure in rows.items():
        if name not in done:
            done[name] = measure()
            path.write_text(json.dumps(done, indent=1), encoding="utf-8")
            print(part, name, done[name], flush=True)
    path.unlink(missing_ok=True)
    return {name: done[name] for name in rows}
