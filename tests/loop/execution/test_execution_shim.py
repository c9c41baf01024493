"""The shim with real child processes: claims, limits, fences, crashes, continuation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from loop.errors import StorageError
from loop.execution import fence, inspect, make_slots, read_result, run_attempt
from loop.identity import identity


def wait_for(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def slots():
    with make_slots(2) as executor:
        yield executor


def test_a_child_answers_with_one_thread_in_its_own_session(attempt) -> None:
    folder = attempt("threads")
    assert inspect(folder) == "dead"
    result = run_attempt(str(folder))
    seen = result["provenance"]
    assert {seen[name] for name in seen if name.endswith("THREADS")} == {"1"}
    assert (seen["cwd on path"], seen["session"]) == (False, True)
    assert (folder / "stdout").read_text() == "to stdout\n"
    assert inspect(folder) == "finished"
    assert read_result(folder) == result


def test_a_result_is_delivered_again_and_nothing_runs_twice(attempt) -> None:
    folder = attempt("count", isolation="inline")
    first = run_attempt(str(folder))
    assert run_attempt(str(folder)) == first
    assert first["estimates"]["length"]["mean"] == 1.0


def test_of_many_who_try_at_once_one_runs(attempt) -> None:
    folder = str(attempt("hang", options={"wait": 0.3}))
    with ThreadPoolExecutor(8) as many:
        results = list(many.map(run_attempt, [folder] * 8))
    assert sorted(r["status"] for r in results) == ["already-claimed"] * 7 + ["failed"]


def test_a_fenced_attempt_does_not_start(attempt) -> None:
    folder = attempt("answer")
    fence(folder)
    fence(folder)
    assert run_attempt(str(folder))["status"] == "fenced"
    assert not (folder / "claim").exists()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("crash", "killed by signal 9 (SIGKILL); out of memory?"),
        ("segfault", "killed by signal 11 (SIGSEGV)"),
        ("vanish", "ended with code 0 and no result"),
        ("quit", "ended with code 1 and no result: gave up"),
    ],
)
def test_a_dead_worker_is_a_crash(attempt, act: str, words: str) -> None:
    folder = attempt(act)
    result = run_attempt(str(folder))
    assert (result["status"], result["cause"]) == ("crashed", "infrastructure")
    assert words in result["reason"]
    assert read_result(folder) == result


@pytest.mark.parametrize(("act", "limit", "progress"), [("hang", 1.0, False), ("crawl", 6.0, True)])
def test_a_time_limit_ends_the_child_and_tells_whether_it_got_anywhere(attempt, act, limit, progress) -> None:
    folder = attempt(act, time_limit=limit)
    began = time.monotonic()
    result = run_attempt(str(folder))
    assert (result["status"], result["cause"], result["progress"]) == ("timeout", "unconverged", progress)
    assert f"time limit of {limit:g} s" in result["reason"]
    assert time.monotonic() - began < limit + 5
    assert not psutil.pid_exists(json.loads((folder / "child").read_text())["pid"])


def test_a_child_that_ignores_the_polite_signal_is_killed(attempt, slots) -> None:
    folder = attempt("deaf", grace=0.3)
    future = slots.submit(run_attempt, str(folder))
    wait_for((folder / "work" / "ready").exists)
    fence(folder)
    assert future.result(timeout=5)["status"] == "fenced"
    assert not (folder / "result.json").exists()


def test_a_fence_leaves_the_child_time_for_a_checkpoint(attempt, slots) -> None:
    folder = attempt("polite")
    future = slots.submit(run_attempt, str(folder))
    wait_for((folder / "work" / "ready").exists)
    assert inspect(folder) == "running"
    fence(folder)
    assert future.result(timeout=10)["status"] == "fenced"
    assert (folder / "work" / "checkpoint").read_text() == "saved"


def test_nothing_a_child_started_outlives_it(attempt, slots) -> None:
    folder = attempt("breed")
    future = slots.submit(run_attempt, str(folder))
    pid = folder / "work" / "grandchild"
    wait_for(lambda: pid.exists() and pid.read_text())
    fence(folder)
    future.result(timeout=10)
    wait_for(lambda: not running(int(pid.read_text())))


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_heartbeat_shows_that_the_shim_lives(attempt, slots) -> None:
    folder = attempt("hang", options={"wait": 1.5})
    future = slots.submit(run_attempt, str(folder))
    beat = folder / "heartbeat"
    wait_for(beat.exists)
    first = beat.stat().st_mtime
    wait_for(lambda: beat.stat().st_mtime > first)
    future.result(timeout=20)


def test_the_next_attempt_goes_on_from_a_copy_of_the_last_work(attempt) -> None:
    for n, visits in [(1, 1.0), (2, 2.0), (3, 3.0)]:
        folder = attempt("count", n, isolation="inline")
        assert run_attempt(str(folder))["estimates"]["length"]["mean"] == visits
    assert (folder.parent / "t-odd-std-0.a1" / "work" / "visits").read_text() == "x"


def test_a_copy_cut_short_is_no_origin(attempt) -> None:
    first, second = attempt("count", 1, isolation="inline"), attempt("count", 2, isolation="inline")
    run_attempt(str(first))
    (second / "work.partial").mkdir()  # the second attempt died while copying
    third = attempt("count", 3, isolation="inline")
    assert run_attempt(str(third))["estimates"]["length"]["mean"] == 2.0


SHIM = "import sys; from loop.execution import run_attempt; run_attempt(sys.argv[1])"


def test_a_killed_driver_takes_its_child_with_it(attempt) -> None:
    folder = attempt("deaf")
    driver = subprocess.Popen([sys.executable, "-c", SHIM, str(folder)])
    wait_for((folder / "work" / "ready").exists)
    child = json.loads((folder / "child").read_text())["pid"]
    assert inspect(folder) == "running"
    driver.kill()
    driver.wait()
    wait_for(lambda: not running(child), 5)
    assert inspect(folder) == "dead"
    assert run_attempt(str(folder))["status"] == "already-claimed"  # an attempt starts at most once


def test_fencing_ends_a_child_that_outlived_its_shim(attempt) -> None:
    folder = attempt("hang")
    orphan = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (folder / "claim").write_text(json.dumps({**identity(), "boot": "an earlier one"}))
    (folder / "child").write_text(json.dumps(identity(orphan.pid)))
    assert inspect(folder) == "dead"
    fence(folder)
    assert orphan.wait(timeout=5) == -9


def test_fencing_spares_a_process_that_only_has_the_same_number(attempt) -> None:
    folder = attempt("hang")
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (folder / "claim").write_text(json.dumps({**identity(), "boot": "an earlier one"}))
    (folder / "child").write_text(json.dumps({**identity(stranger.pid), "started": 1.0}))
    fence(folder)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize(("silence", "state"), [(0.0, "running"), (600.0, "dead")])
def test_on_another_host_the_heartbeat_decides(attempt, silence: float, state: str) -> None:
    folder = attempt("hang")
    (folder / "claim").write_text(json.dumps({**identity(), "host": "node17", "heartbeat": 10.0}))
    beat = folder / "heartbeat"
    beat.touch()
    then = beat.stat().st_mtime - silence
    os.utime(beat, (then, then))
    assert inspect(folder) == state


def test_a_worker_whose_shim_died_meanwhile_does_nothing(attempt) -> None:
    folder = attempt("answer")
    stranger = "1"
    command = [sys.executable, "-P", "-m", "loop.execution.worker", str(folder), stranger]
    assert subprocess.run(command).returncode == 0
    assert not (folder / "result.json").exists()


def test_a_disk_that_refuses_is_not_blamed_on_the_attempt(attempt, monkeypatch) -> None:
    folder = attempt("answer", isolation="inline")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "claim")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        run_attempt(str(folder))
    assert not (folder / "result.json").exists()


def test_slots_run_side_by_side(slots) -> None:
    both = threading.Barrier(2, timeout=10)
    assert sorted(f.result() for f in [slots.submit(both.wait) for _ in range(2)]) == [0, 1]


def test_a_missing_spec_is_a_crash(tmp_path: Path) -> None:
    assert run_attempt(str(tmp_path))["status"] == "crashed"
