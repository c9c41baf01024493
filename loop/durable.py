"""Files that survive a crash: complete or not there. And what to say when the disk refuses."""

from __future__ import annotations

import errno
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loop.errors import StorageError

CURES = {
    errno.ENOSPC: "the disk is full: free some space, then run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the same command again",
    errno.EFBIG: "a file grew beyond the limit (ulimit -f): raise it, then run the same command again",
    errno.EROFS: "the file system is read-only: choose a folder you can write to",
    errno.EACCES: "permission denied: choose a folder you can write to",
    errno.EPERM: "permission denied: choose a folder you can write to",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "a file of this name is in the way",
}
"""What to do about the errors of a disk, by errno."""


def write_text(path: Path, text: str) -> None:
    """Replace `path` atomically: readers and a power cut see the old content or all of the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """`write_text` of the JSON of `value`. ValueError for NaN or infinity."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file; None where there is no such file or it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def create(path: Path, text: str) -> bool:
    """Make `path` with this content unless it exists. True for exactly one of those who try, on any file system."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def age(path: Path) -> float:
    """Seconds since `path` was written, by the clock of its own file system (of this host, where the folder cannot be
    written to). FileNotFoundError where there is no such file."""
    written = path.stat().st_mtime
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            return os.fstat(probe.fileno()).st_mtime - written
    except OSError:
        return time.time() - written


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about the disk into StorageError, one line naming the file or `path`."""
    try:
        yield
    except OSError as error:
        cure = CURES.get(error.errno or 0, error.strerror or str(error))
        raise StorageError(f"{error.filename or path}: {cure}") from error
