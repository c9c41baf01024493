"""Runs side by side keep to cores of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from oracles.openmm.simulate.cores import one_core

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux keeps a thread on a core")

HOLDER = """
import sys
from oracles.openmm.simulate.cores import one_core
with one_core() as core:
    print(core, flush=True)
    sys.stdin.read()
"""


def free(core: int) -> bool:
    """Whether a run that may use this core alone gets it; another test's run may hold it for a while."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        for _ in range(600):
            with one_core() as got:
                if got == core:
                    return True
            time.sleep(0.1)
        return False
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_run_has_a_core_of_its_own_and_gives_it_back():
    allowed = os.sched_getaffinity(0)
    with one_core() as core:
        assert core is None or os.sched_getaffinity(0) == {core} <= allowed
    assert os.sched_getaffinity(0) == allowed


def test_two_runs_never_share_and_a_killed_one_holds_nothing():
    holders = [
        subprocess.Popen([sys.executable, "-P", "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(len(os.sched_getaffinity(0)))
    ]
    try:
        held = [holder.stdout.readline().strip() for holder in holders]
        cores = [core for core in held if core != "None"]
        assert len(set(cores)) == len(cores)
        with one_core() as core:
            assert str(core) not in cores
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
    assert cores == [] or all(free(int(core)) for core in cores)
