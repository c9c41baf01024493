"""A run in segments with one manifest, so that a killed and resumed run equals an uninterrupted one bit for bit.

Every segment starts from the checkpoint file that ended the one before, in a reinitialised Context and with its own
random seeds, whether or not anything was interrupted. What a segment leaves (checkpoint, sampled series) is written and
synced first; then the manifest that names it, with its sha256, replaces the old manifest in one step.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

MANIFEST = "manifest.json"
FOLDER = "segments"
SCHEMA = 1
CHECKPOINTS_KEPT = 2


class Journal:
    """The manifest of a work folder: whose run it is, what is done, and the answer once there is one.

    `question` (design, fidelity, seed, settings) and `machine` (platform, versions, film) are compared on opening: a
    folder of another question or machine starts afresh, and `notes` say so.
    """

    def __init__(self, folder: Path, question: Mapping[str, Any]) -> None:
        self.folder = folder
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        self._data: dict[str, Any] = _fresh(question)
        found = self._read()
        if found is None:
            return
        if found.get("schema") == SCHEMA and found.get("question") == self._data["question"]:
            self._data = found
        else:
            self._note("the work folder holds another run: fresh start")

    @property
    def answer(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._data["answer"]
        return found

    @property
    def machine(self) -> dict[str, Any]:
        """What ran the segments."""
        found: dict[str, Any] = self._data["machine"] or {}
        return found

    @property
    def tries(self) -> list[dict[str, Any]]:
        """Tries that blew up, each with its reason, evidence and the segment it got to."""
        found: list[dict[str, Any]] = self._data["tries"]
        return found

    @property
    def notes(self) -> list[str]:
        found: list[str] = self._data["notes"]
        return found

    @property
    def seconds(self) -> dict[str, float]:
        """CPU seconds by phase; what a killed process had not yet committed is not in it."""
        found: dict[str, float] = self._data["seconds"]
        return found

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Finished segments in order; the first is the prepared film."""
        found: list[dict[str, Any]] = self._data["segments"]
        return found

    def resume(self, machine: Mapping[str, Any]) -> None:
        """Keep the segments this machine can go on from: those whose files are whole, up to the last checkpoint."""
        machine = json.loads(json.dumps(machine))
        if self.entries and self._data["machine"] != machine:
            was = self._data["machine"] or {}
            changed = sorted(key for key in machine if machine[key] != was.get(key))
            self._note(f"{', '.join(changed)} changed since the checkpoint: fresh start")
            self._data["segments"] = []
        self._data["machine"] = machine
        whole = self._whole()
        if whole < len(self.entries):
            self._note(f"segments {whole} to {len(self.entries) - 1} are damaged: going on from segment {whole}")
            self._data["segments"] = self.entries[:whole]

    def commit(self, stage: str, steps: int, checkpoint: bytes, series: Mapping[str, np.ndarray], **facts: Any) -> None:
        """Make a finished segment durable. `facts` are JSON values kept in its entry."""
        index = len(self.entries)
        done = self.entries[-1]["step"] if self.entries else 0
        buffer = io.BytesIO()
        np.savez(buffer, **series)  # type: ignore[arg-type]  # numpy's stub forgets the arrays
        files = {}
        for role, content in (("checkpoint", checkpoint), ("series", buffer.getvalue())):
            name = f"{FOLDER}/try{len(self.tries)}-{index:04d}.{role}"
            write_durably(self.folder / name, content)
            files[role] = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
        self.entries.append({"stage": stage, "step": done + steps, **files, **facts})
        self.write()
        for entry in self.entries[:-CHECKPOINTS_KEPT]:
            (self.folder / entry["checkpoint"]["file"]).unlink(missing_ok=True)

    def checkpoint(self) -> bytes:
        """The checkpoint that ended the last segment."""
        name: str = self.entries[-1]["checkpoint"]["file"]
        return (self.folder / name).read_bytes()

    def series(self, stage: str) -> dict[str, np.ndarray]:
        """The sampled arrays of a stage, its segments joined along the first axis (frames)."""
        parts = []
        for entry in self.entries:
            if entry["stage"] == stage:
                with np.load(self.folder / entry["series"]["file"], allow_pickle=False) as arrays:
                    parts.append(dict(arrays))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}

    def fail_try(self, reason: str, evidence: str) -> None:
        """Give this try up, `evidence` being a file that shows why; the next one starts from nothing."""
        self.tries.append({"reason": reason, "evidence": evidence, "segment": len(self.entries)})
        self._data["segments"] = []
        self.write()

    def finish(self, answer: Mapping[str, Any]) -> None:
        """Record the answer and remove what only resuming needed."""
        self._data["answer"] = dict(answer)
        self.write()
        for path in (self.folder / FOLDER).iterdir():
            path.unlink()

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the CPU time of the block to `phase`."""
        start = time.process_time()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.process_time() - start

    def write(self) -> None:
        write_durably(self.folder / MANIFEST, json.dumps(self._data, allow_nan=False).encode())

    def _note(self, text: str) -> None:
        self.notes.append(text)

    def _read(self) -> dict[str, Any] | None:
        path = self.folder / MANIFEST
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            missing = _fresh({}).keys() - found.keys()
        except (ValueError, AttributeError):
            self._note("the manifest is damaged: fresh start")
            return None
        if missing:
            self._note("the manifest is incomplete: fresh start")
            return None
        return found

    def _whole(self) -> int:
        """How many leading segments have whole series and end in a whole checkpoint."""
        intact = 0
        while intact < len(self.entries) and self._matches(self.entries[intact]["series"]):
            intact += 1
        while intact and not self._matches(self.entries[intact - 1]["checkpoint"]):
            intact -= 1
        return intact

    def _matches(self, file: Mapping[str, str]) -> bool:
        path = self.folder / file["file"]
        return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]


def _fresh(question: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "question": json.loads(json.dumps(question)),
        "machine": None,
        "segments": [],
        "tries": [],
        "notes": [],
        "seconds": {},
        "answer": None,
    }


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a machine that lost power, sees the old content or the new one whole."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
