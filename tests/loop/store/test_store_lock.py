"""One writer: who holds a campaign, who may take it over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loop.errors import Locked
from loop.identity import alive, identity
from loop.store import Reader, Store
from loop.store import lock as locks

HOLD = """
import sys, time
from pathlib import Path
from loop.store import Store
store = Store.open(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the campaign in tmp_path."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_writer_is_refused_and_told_who_holds_it(holder, tmp_path: Path) -> None:
    with pytest.raises(Locked, match=rf"in use by process {holder.pid} on .* since ") as refused:
        Store.open(tmp_path)
    assert refused.value.exit_code == 75
    with Reader.open(tmp_path) as reader:
        assert reader.records() == []


def test_a_killed_writer_is_replaced_at_once(holder, tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Store.open(tmp_path) as store:
        (event,) = store.events()
        assert event.kind == "taken over"
        assert event.payload["from"]["pid"] == holder.pid
    assert not (tmp_path / "lock").exists()


def test_one_process_cannot_open_a_campaign_twice(tmp_path: Path) -> None:
    with Store.open(tmp_path), pytest.raises(Locked, match=f"process {os.getpid()} on"):
        Store.open(tmp_path)
    Store.open(tmp_path).close()


def write_holder(folder: Path, *, silent: float = 0.0, **changes) -> None:
    path = folder / "lock"
    path.write_text(json.dumps({**identity(), "since": "earlier", "token": "other", **changes}))
    then = path.stat().st_mtime - silent
    os.utime(path, (then, then))


def test_without_flock_the_file_still_names_a_living_holder(tmp_path: Path) -> None:
    write_holder(tmp_path)  # this very process, which holds no flock
    with pytest.raises(Locked, match=f"process {os.getpid()} on"):
        Store.open(tmp_path)


@pytest.mark.parametrize("change", [{"boot": "another"}, {"started": 1.0}, {"pid": 2**22 + 1}])
def test_a_process_id_used_again_does_not_hold(tmp_path: Path, change) -> None:
    write_holder(tmp_path, **change)
    Store.open(tmp_path).close()


def test_a_holder_on_another_host_is_respected_until_it_falls_silent(tmp_path: Path) -> None:
    write_holder(tmp_path, host="node17", pid=4711, slurm_job=None)
    with pytest.raises(Locked, match=r"process 4711 on node17 .* delete .*lock"):
        Store.open(tmp_path)
    write_holder(tmp_path, host="node17", silent=locks.STALE + 5)
    Store.open(tmp_path).close()


@pytest.mark.parametrize(("answer", "taken"), [("echo 4711", False), ("true", True), ("exit 1", False)])
def test_a_silent_slurm_job_is_asked_for(tmp_path: Path, monkeypatch, answer: str, taken: bool) -> None:
    squeue = tmp_path / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text(f"#!/bin/sh\n{answer}\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{squeue.parent}:{os.environ['PATH']}")
    write_holder(tmp_path, host="node17", slurm_job="4711", silent=locks.STALE + 5)
    if taken:
        Store.open(tmp_path).close()
    else:
        with pytest.raises(Locked, match="Slurm job 4711"):
            Store.open(tmp_path)


def test_a_writer_that_was_replaced_cannot_commit(tmp_path: Path) -> None:
    old = Store.open(tmp_path)
    old._db.execute("UPDATE meta SET value = 'the successor' WHERE key = 'writer'")
    with pytest.raises(Locked, match="taken this campaign over"):
        old.event("x", {})
    (tmp_path / "lock").write_text('{"token": "the successor"}')
    old.close()
    assert (tmp_path / "lock").exists()  # the successor's lock is not removed


def test_the_holder_shows_signs_of_life(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(locks, "REFRESH", 0.02)
    with Store.open(tmp_path):
        path = tmp_path / "lock"
        os.utime(path, (1.0, 1.0))
        for _ in range(200):
            if path.stat().st_mtime > 1.0:
                return
            time.sleep(0.02)
    pytest.fail("the lock was never refreshed")


def test_only_its_own_host_can_tell_whether_a_process_lives() -> None:
    me = identity()
    assert alive(me) is True
    assert alive({**me, "host": "node17"}) is None
    assert alive({**me, "started": me["started"] - 100}) is False
