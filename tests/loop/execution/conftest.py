"""Attempt folders as the store makes them, and an oracle that misbehaves on request, in a module of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ORACLE = '''
import os, signal, subprocess, sys, time
from loop import Check, Estimate, OracleFailure
from loop.types import Outcome

class Odd:
    """Does what the design's `act` says."""
    properties = {"energy": "kJ/mol", "length": "nm"}
    fidelities = ("std",)

    def __init__(self, wait: float = 60.0):
        self.wait = wait

    def check(self, design, fidelity):
        return []

    def cost(self, design, fidelity):
        return 1.0

    def evaluate(self, design, task, workdir):
        return getattr(self, design.values["act"])(task, workdir)

    def answer(self, task, workdir):
        return {"energy": Estimate(1.0, 0.5, "kcal/mol", 12.0, "blocks"), "length": Estimate(2.0, 0.0, "angstrom")}

    def rich(self, task, workdir):
        import numpy as np
        (workdir / "film.pdb").write_text("ATOM")
        checks = (Check("drift", np.bool_(True), np.float64(0.1), 1.0), Check("force", False, float("nan"), 5.0))
        provenance = {"platform": "CPU", "box": np.array([1.0, 2.0]), "path": workdir / "film.pdb"}
        return Outcome(self.answer(task, workdir), checks, ("film.pdb",), provenance)

    def crossed(self, task, workdir):
        return Outcome(self.answer(task, workdir), artifacts=("../spec.json",))

    def nan(self, task, workdir):
        return {**self.answer(task, workdir), "energy": Estimate(float("nan"), 0.1, "kJ/mol")}

    def negative(self, task, workdir):
        return {**self.answer(task, workdir), "length": Estimate(1.0, -0.1, "nm")}

    def endless(self, task, workdir):
        return {**self.answer(task, workdir), "length": Estimate(1.0, float("inf"), "nm")}

    def misfit(self, task, workdir):
        return {**self.answer(task, workdir), "energy": Estimate(1.0, 0.1, "nm")}

    def missing(self, task, workdir):
        return {"energy": Estimate(1.0, 0.1, "kJ/mol")}

    def surplus(self, task, workdir):
        return {**self.answer(task, workdir), "mood": Estimate(1.0, 0.1, "1")}

    def nothing(self, task, workdir):
        return None

    def fail(self, task, workdir):
        (workdir / "last.pdb").write_text("ATOM")
        hot = Check("T", False, 900.0, 420.0, "K")
        raise OracleFailure("unphysical", "T ran away", ["last.pdb", "gone.pdb"], [hot])

    def invent(self, task, workdir):
        raise OracleFailure("bad mood", "no reason")

    def stumble(self, task, workdir):
        raise KeyError(f"no {workdir}/topology")

    def starve(self, task, workdir):
        raise MemoryError

    def vanish(self, task, workdir):
        os._exit(0)

    def quit(self, task, workdir):
        sys.exit("gave up")

    def crash(self, task, workdir):
        os.kill(os.getpid(), signal.SIGKILL)

    def segfault(self, task, workdir):
        os.kill(os.getpid(), signal.SIGSEGV)

    def hang(self, task, workdir):
        time.sleep(self.wait)

    def crawl(self, task, workdir):
        while True:
            (workdir / "step").write_text(str(time.time()))
            time.sleep(0.05)

    def deaf(self, task, workdir):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (workdir / "ready").touch()
        time.sleep(self.wait)

    def polite(self, task, workdir):
        def save(*_):
            (workdir / "checkpoint").write_text("saved")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        (workdir / "ready").touch()
        time.sleep(self.wait)

    def breed(self, task, workdir):
        child = subprocess.Popen(["sleep", "60"])
        (workdir / "grandchild").write_text(str(child.pid))
        time.sleep(self.wait)

    def count(self, task, workdir):
        with open(workdir / "visits", "a") as visits:
            visits.write("x")
        return {**self.answer(task, workdir), "length": Estimate(len((workdir / "visits").read_text()), 0.0, "nm")}

    def place(self, task, workdir):
        (workdir / "here").touch()
        attempts = workdir.parent.parent
        while len(list(attempts.glob("*/work/here"))) < 4:
            time.sleep(0.02)
        return self.see(task, workdir)

    def see(self, task, workdir):
        names = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
        seen = {name: os.environ[name] for name in names if name in os.environ}
        return Outcome(self.answer(task, workdir), provenance=seen)

    def threads(self, task, workdir):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS")
        seen = {name: os.environ.get(name) for name in names}
        seen["cwd on path"] = os.getcwd() in sys.path or "" in sys.path
        seen["session"] = os.getsid(0) == os.getpid()
        print("to stdout")
        return Outcome(self.answer(task, workdir), provenance=seen)
'''


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make an attempt folder whose oracle does `act`; keywords go to its spec."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "odd_oracle.py").write_text(ORACLE)
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.syspath_prepend(modules)
    monkeypatch.delitem(sys.modules, "odd_oracle", raising=False)

    def make(act: str, n: int = 1, **spec: object) -> Path:
        folder = tmp_path / "attempts" / f"t-odd-std-0.a{n}"
        folder.mkdir(parents=True)
        task = {"id": "t-odd-std-0", "design_id": "t", "oracle": "odd", "fidelity": "std", "replicate": 0, "seed": 1}
        whole = {
            "kind": "odd_oracle:Odd", "options": {}, "folder": str(tmp_path), "attempt": folder.name, "n": n,
            "token": f"token{n}", "task": task, "design": {"act": act}, "grace": 5.0, "heartbeat": 0.1,
            "resume_from": [f"t-odd-std-0.a{k}" for k in range(n - 1, 0, -1)], **spec,
        }  # fmt: skip
        (folder / "spec.json").write_text(json.dumps(whole))
        return folder

    return make
