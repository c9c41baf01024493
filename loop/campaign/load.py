"""Reading a campaign: from its file or from its run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loop.campaign.build import build
from loop.campaign.model import Campaign
from loop.campaign.reader import Problems, read_text, read_yaml
from loop.campaign.schema import note_shape_errors
from loop.errors import BadInput


def load(path: Path, *, thorough: bool = True) -> Campaign:
    """The campaign in `path`: its file, or its run folder `runs/<name>`, which stands for the file beside `runs`.

    `thorough=False` leaves out what takes seconds and matters only before a run: building generator and acquisition,
    and the search for one valid design. Raises BadInput with every fault, each as `file:line:column: key: fault`.
    """
    path, text, data, problems = read(path)
    return build(data, path, text, problems, thorough=thorough)


def read(path: Path) -> tuple[Path, str, Any, Problems]:
    """The campaign file's absolute path, its text, that as plain values, and the faults of its shape."""
    path = campaign_file(Path(path))
    text = read_text(path)
    problems = Problems(str(path))
    data = read_yaml(text, problems)
    note_shape_errors(data, problems)
    return path.absolute(), text, data, problems


def campaign_file(path: Path) -> Path:
    """The file itself, or the one whose run folder `path` is. Raises BadInput where there is no or no single one."""
    if not path.is_dir():
        return path
    folder = path.absolute().parent.parent
    candidates = [file for file in sorted(folder.glob("*.y*ml")) if name_in(file) == path.absolute().name]
    if path.absolute().parent.name != "runs" or not candidates:
        raise BadInput(f"{path}: is a folder, but no campaign's run folder; give the campaign file")
    if len(candidates) > 1:
        raise BadInput(f"{path}: {' and '.join(file.name for file in candidates)} both use this run folder; name one")
    return candidates[0]


def name_in(file: Path) -> str | None:
    """The campaign name written in a file, or None where it cannot be read."""
    try:
        data = read_yaml(read_text(file), Problems(str(file)))
    except BadInput:
        return None
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None
