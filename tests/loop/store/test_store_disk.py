"""Disks that are full, read-only or on the network; files that are damaged or from the future."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from loop.errors import StorageError
from loop.store import Reader, Store
from loop.store import database as databases

FILL = """
import resource, sys
from pathlib import Path
from loop.errors import StorageError
from loop.store import Store
with Store.open(Path(sys.argv[1])) as store:
    size = (Path(sys.argv[1]) / "campaign.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40_000, size + 40_000))
    kept = 0
    try:
        while kept < 1000:
            store.event("padding", {"n": kept, "text": "x" * 2000})
            kept += 1
    except StorageError as error:
        print(kept, error)
"""


def test_a_full_disk_is_one_line_and_loses_nothing_committed(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True, check=True)
    kept, message = run.stdout.strip().split(" ", 1)
    assert str(tmp_path) in message
    assert "run the same command again" in message
    assert 0 < int(kept) < 1000
    with Store.open(tmp_path) as store:
        assert [event.payload["n"] for event in store.events()] == list(range(int(kept)))
        store.event("goes on", {})


def test_a_full_disk_while_intending_leaves_the_task_queued(campaign, monkeypatch) -> None:
    (task,) = campaign.decide(0, [1.0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "spec.json")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full: free some space, then run the same command again"):
        campaign.intend(task)
    monkeypatch.undo()
    assert campaign.state(task) == "queued"
    assert campaign.intend(task).n == 1


@pytest.mark.skipif(not shutil.which("setpriv") or os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("ending", ["store.close()", "import os; os._exit(9)"])
def test_someone_who_may_not_write_can_still_read(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "run"
    make = f"from loop.store import *; from pathlib import Path; store = Store.open(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", f"{make}; store.event('a', {{}}); {ending}"])
    for parent in [folder, *folder.parents[:-2]]:
        parent.chmod(0o755)
    as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c"]
    read = f"from loop.store import *; from pathlib import Path; print(Reader.open(Path({str(folder)!r})).last_event())"
    assert subprocess.run([*as_nobody, read], capture_output=True, text=True).stdout == "1\n"
    write = f"from loop.store import *; from pathlib import Path; Store.open(Path({str(folder)!r}))"
    refused = subprocess.run([*as_nobody, write], capture_output=True, text=True).stderr.splitlines()[-1]
    assert "StorageError" in refused
    assert "permission denied: choose a folder you can write to" in refused


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StorageError, match="not a folder"):
        Store.open(tmp_path / "runs" / "films")


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no campaign here yet"):
        Reader.open(tmp_path)


def test_a_damaged_file_is_refused_and_the_lock_given_back(tmp_path: Path) -> None:
    (tmp_path / "campaign.db").write_bytes(b"not a database at all" * 100)
    for opener in (Store.open, Reader.open):
        with pytest.raises(StorageError, match="not a campaign database"):
            opener(tmp_path)
    assert not (tmp_path / "lock").exists()


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    db = sqlite3.connect(tmp_path / "campaign.db")
    db.execute(f"PRAGMA user_version = {databases.VERSION + 1}")
    db.close()
    for opener in (Store.open, Reader.open):
        with pytest.raises(StorageError, match="newer program"):
            opener(tmp_path)


def test_local_disks_use_a_durable_write_ahead_log(campaign) -> None:
    pragmas = {name: campaign.store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode",)}
    assert pragmas["journal_mode"] == "wal"
    assert campaign.store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert campaign.store._db.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_on_a_network_disk_readers_get_snapshots(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(databases, "SNAPSHOT_EVERY", 0.0)
    with Store.open(tmp_path, network=True) as store:
        assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
        store.event("a", {})
        with Reader.open(tmp_path) as reader:
            assert reader.last_event() == 1
        store.event("b", {})
        with Reader.open(tmp_path) as reader:
            assert reader.last_event() == 2
    with Store.open(tmp_path, network=False) as store:  # moved to a local disk
        store.event("c", {})
        assert not (tmp_path / "snapshot.db").exists()
        with Reader.open(tmp_path) as reader:
            assert [event.kind for event in reader.events()] == ["a", "b", "c"]


def test_snapshots_are_rare_and_complete_at_the_end(tmp_path: Path) -> None:
    with Store.open(tmp_path, network=True) as store:
        for n in range(20):
            store.event("tick", {"n": n})
        with Reader.open(tmp_path) as reader:
            assert reader.last_event() < 20
    with Reader.open(tmp_path) as reader:
        assert reader.last_event() == 20


@pytest.mark.parametrize(
    ("fstype", "network"), [("nfs4", True), ("lustre", True), ("fuse.sshfs", True), ("ext4", False), ("tmpfs", False)]
)
def test_network_file_systems_are_recognised_by_the_nearest_mount(tmp_path, monkeypatch, fstype, network) -> None:
    import psutil

    class Mount:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    mounts = [Mount("/", "nfs" if fstype == "ext4" else "ext4"), Mount(str(tmp_path), fstype)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    assert databases.on_network(tmp_path / "not yet" / "there") is network
