"""GPUs: which ones a process sees, and that every attempt gets one of its own."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from loop.execution import make_slots, run_attempt
from loop.execution.devices import NoSuchDevice, chosen, environment, visible


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """A machine where nothing tells of GPUs."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)
    kept = [folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "nvidia-smi").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(kept))


def driver(folder: Path, script: str, monkeypatch) -> None:
    """An `nvidia-smi` that does as the shell script says."""
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("listed", "names"),
    [("0,1", ("0", "1")), ("GPU-ab12, 3", ("GPU-ab12", "3")), ("", ()), ("-1", ()), ("2,-1,3", ("2",))],
)
def test_the_variable_says_what_is_visible(listed, names, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert visible() == names
    assert chosen(None) == names


def test_without_the_variable_the_driver_does(tmp_path, monkeypatch) -> None:
    assert visible() is None
    driver(tmp_path, "[ $1 = --query-gpu=index ] && printf '0\\n1\\n'", monkeypatch)
    assert visible() == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible() == ("1",)


@pytest.mark.parametrize("script", ["echo 'No devices were found'", "exit 9"])
def test_a_driver_without_gpus_names_none(script, tmp_path, monkeypatch) -> None:
    driver(tmp_path, script, monkeypatch)
    assert not visible()
    assert chosen(None) == ()


def test_numbers_count_among_the_visible(monkeypatch) -> None:
    assert chosen([0, 5]) == ("0", "5")  # nothing tells: taken as they are
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert chosen([1]) == ("7",)
    with pytest.raises(NoSuchDevice, match=r"no GPU 2: this process sees 2 \(CUDA_VISIBLE_DEVICES=4,7\)") as caught:
        chosen([0, 2])
    assert caught.value.position == 1
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "6")  # wins on AMD's
    assert chosen(None) == ("6",)


def test_attempts_at_once_share_the_gpus_evenly(attempt) -> None:
    folders = [attempt("place", n=n, resume_from=[]) for n in range(1, 5)]
    with make_slots(4, ("0", "1")) as slots:
        futures = [slots.submit(run_attempt, str(folder)) for folder in folders]
        seen = [future.result()["provenance"] for future in futures]
    assert Counter(each["CUDA_VISIBLE_DEVICES"] for each in seen) == {"0": 2, "1": 2}
    assert {each["CUDA_DEVICE_ORDER"] for each in seen} == {"PCI_BUS_ID"}
    claims = [json.loads((folder / "claim").read_text())["device"] for folder in folders]
    assert claims == [each["CUDA_VISIBLE_DEVICES"] for each in seen]


def test_a_list_that_was_inherited_keeps_its_order_and_variable(monkeypatch) -> None:
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "4,7")
    assert environment(chosen([1])[0]) == {"HIP_VISIBLE_DEVICES": "7"}


def test_without_gpus_an_attempt_sees_what_the_loop_sees(attempt) -> None:
    with make_slots(1, chosen(None)) as slots:
        assert slots.submit(run_attempt, str(attempt("see"))).result()["provenance"] == {}


def test_the_least_busy_gpu_comes_next() -> None:
    with make_slots(3, ("a", "b")) as slots:
        used = [slots.submit(lambda device: device).result() for _ in range(3)]
    assert used == ["a", "a", "a"]  # each was free again
