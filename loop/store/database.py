"""Opening the SQLite file: modes, versions, transactions, and disk errors in words."""

from __future__ import annotations

import errno
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from loop import durable
from loop.durable import CURES
from loop.errors import StorageError

STEPS = ("schema.sql", "extensions.sql", "ledgers.sql")
"""Each file takes a database from the version of its place to the next, an empty one being version 0."""

VERSION = len(STEPS)
"""PRAGMA user_version of the schema this program writes."""

NAME = "campaign.db"
SNAPSHOT = "snapshot.db"
"""Copy for readers, made where the database itself cannot be shared (network file systems)."""

SNAPSHOT_EVERY = 2.0
"""Seconds between snapshots at most."""

NETWORK_TYPES = ("nfs", "lustre", "gpfs", "beegfs", "cifs", "smb", "ceph", "fuse.", "9p", "afs", "panfs")
"""Beginnings of file system types on which several hosts may meet and SQLite's own locks cannot be trusted."""

SQLITE_CURES = {
    sqlite3.SQLITE_FULL: CURES[errno.ENOSPC],
    sqlite3.SQLITE_READONLY: CURES[errno.EROFS],
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does it exist, and may you read it and write to its folder?",
    sqlite3.SQLITE_IOERR: "reading or writing failed: is the disk full or gone? Then run the same command again",
    sqlite3.SQLITE_NOTADB: "it is not a campaign database: move it away, or restore a copy",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore a copy",
    sqlite3.SQLITE_BUSY: "another program holds it: close that program",
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """As `durable.disk_errors`, for what SQLite says about the disk too."""
    try:
        with durable.disk_errors(path):
            yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary not in SQLITE_CURES:
            raise
        raise StorageError(f"{path}: {SQLITE_CURES[primary]} ({error})") from error


def now() -> str:
    """The time as the store writes it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def on_network(folder: Path) -> bool:
    """Whether `folder` lies on a file system of NETWORK_TYPES."""
    import psutil

    path = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if path.is_relative_to(m.mountpoint)]
    fstype = max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else ""
    return fstype.startswith(NETWORK_TYPES)


def connect_writer(folder: Path, *, network: bool) -> sqlite3.Connection:
    """The writer's connection, schema in place. The caller holds the campaign's lock.

    On a local disk WAL with synchronous=FULL: durable, and readers never wait. On a network file system, where WAL
    and SQLite's locks fail, a rollback journal under our own lock, with a snapshot for readers. In both the file is one
    any SQLite can open.
    """
    path = folder / NAME
    with disk_errors(path):
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}{'?vfs=unix-none' if network else ''}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.row_factory = sqlite3.Row
            if network:
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute(f"PRAGMA journal_mode = {'TRUNCATE' if network else 'WAL'}")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            _bring_up_to_date(db, path)
            if not network:
                (folder / SNAPSHOT).unlink(missing_ok=True)
        except BaseException:
            db.close()
            raise
    return db


def connect_reader(folder: Path) -> sqlite3.Connection:
    """A read-only connection to the snapshot, where there is one, else to the database."""
    path = folder / SNAPSHOT if (folder / SNAPSHOT).exists() else folder / NAME
    if not path.exists():
        raise StorageError(f"{path}: there is no campaign here yet; start one with `loop run`")
    with disk_errors(path):
        try:
            return _read_only(path, "mode=ro")
        except sqlite3.OperationalError:
            # A closed database in a folder we may not write to: SQLite wants to make its -shm file there.
            wal = path.with_name(f"{path.name}-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            return _read_only(path, "mode=ro&immutable=1")


def _read_only(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        found = _version(db, path)
        if found < VERSION:
            raise StorageError(
                f"{path}: written by an older program (format {found}, this one reads {VERSION}); "
                "`loop run` brings it up to date"
            )
    except BaseException:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema's version; StorageError where only a newer program knows it."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise StorageError(
            f"{path}: written by a newer program (format {found}, this one knows {VERSION}); install the newer version"
        )
    return found


def _bring_up_to_date(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, or bring those of an older program up to date."""
    found = _version(db, path)
    if found == VERSION:
        return
    meta = [("campaign", str(uuid.uuid4())), ("created_at", now()), ("created_by", program_version())]
    with transaction(db):
        for step in STEPS[found:]:
            for statement in _statements(Path(__file__).with_name(step).read_text(encoding="utf-8")):
                db.execute(statement)
        if found == 0:
            db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", meta)
        db.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: executescript() would commit between them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def program_version() -> str:
    try:
        return version("nanocomposite-loop")
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def transaction(db: sqlite3.Connection, mode: str = "IMMEDIATE") -> Iterator[None]:
    """All of the block, or nothing of it."""
    db.execute(f"BEGIN {mode}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class Snapshots:
    """Publishes copies of a database for readers, at most one every SNAPSHOT_EVERY seconds."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._path = folder / SNAPSHOT
        self._last = float("-inf")

    def publish(self, *, force: bool = False) -> None:
        if not force and time.monotonic() - self._last < SNAPSHOT_EVERY:
            return
        temporary = self._path.with_suffix(".tmp")
        try:
            copy = sqlite3.connect(temporary)
            try:
                self._db.backup(copy)
            finally:
                copy.close()
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)
        self._last = time.monotonic()
