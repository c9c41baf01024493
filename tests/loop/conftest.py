"""Campaign histories told through the real store, for the tests of those who read it; commands run as a user would, for
those of the whole loop."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loop.campaign import load
from loop.cli import make_app
from loop.seeds import derive
from loop.store import Reader, Store, ToldRow, task_id
from loop.types import Check, Design, Estimate, Pick, Proposal, Task

SPACE = """
space:
  oxide: {choices: [magnetite, hematite]}
  density: {real: [0, 8], unit: 1/nm^2, step: 0.1}
  chains: {integer: [1, 9]}
  temperature: {fixed: 400, unit: K}
"""
OBJECTIVES = """
objectives:
  - {property: dipole, goal: maximize}
  - {property: adhesion, goal: maximize, threshold: 10}
"""
CAMPAIGN = """
name: {name}
seed: 7
{space}
{objectives}
oracles:
  md: {{kind: table, path: table.csv, properties: {{dipole: D, adhesion: mJ/m^2}}, record: simulation, replicates: {n}}}
  lab: {{kind: measurement, properties: {{beta_fraction: "1"}}}}
stop: {{evaluations: 40}}
"""


class Story:
    """One campaign and the writer of its store. The oracle `md` is simulated, `lab` is a person."""

    def __init__(self, folder: Path, name: str, space: str, objectives: str, replicates: int) -> None:
        (folder / "table.csv").write_text("oxide,dipole,adhesion\n")
        path = folder / "campaign.yaml"
        path.write_text(CAMPAIGN.format(name=name, space=space, objectives=objectives, n=replicates))
        self.campaign = load(path, thorough=False)
        self.replicates = replicates
        self.store = Store.open(self.campaign.run_folder)

    def design(self, density: float, oxide: str = "magnetite") -> Design:
        return self.campaign.space.canonicalise({"oxide": oxide, "density": density, "chains": 3})

    def decide(self, round: int, picks: Sequence[Pick | Design], oracles: Sequence[str] = ("md",)) -> list[Task]:
        picks = [p if isinstance(p, Pick) else Pick(Proposal(p, "sobol"), "initial") for p in picks]
        tasks = []
        for design in (pick.proposal.design for pick in picks):
            for name in oracles:
                spec = self.campaign.oracles[name]
                for replicate in range(spec.replicates):
                    seed = derive(self.campaign.seed, "task", design.id, name, replicate)
                    id = task_id(design.id, name, spec.fidelity, replicate)
                    tasks.append(Task(id, design.id, name, spec.fidelity, replicate, seed))
        kinds = {name: spec.record_kind for name, spec in self.campaign.oracles.items()}
        info = {"seed": 7, "acquisition": "qlognehvi", "pool": {"sobol": len(picks)}, "seconds": 0.5, "seen": 0}
        self.store.decide(round, picks, tasks, kinds=kinds, waiting=["lab"], info=info)
        return tasks

    def answer(
        self,
        task: Task,
        checks: Sequence[Check] = (),
        se: float = 0.1,
        files: Mapping[str, bytes] | None = None,
        **means: float,
    ) -> None:
        """End a task with estimates, and with `files` in its work folder."""
        units = self.campaign.oracles[task.oracle].oracle.properties
        estimates = {name: asdict(Estimate(mean, se, units[name])) for name, mean in means.items()}
        result = {"status": "observed", "estimates": estimates, "provenance": {"platform": "CPU"}, "artifacts": []}
        self._end(task, checks, files or {}, **result)

    def fail(self, task: Task, cause: str = "unphysical", reason: str = "it blew up", checks=()) -> None:
        self._end(task, checks, {}, status="failed", cause=cause, reason=reason, evidence=[])

    def _end(self, task: Task, checks: Sequence[Check], files: Mapping[str, bytes], **result: object) -> None:
        attempt = self.store.intend(task.id, {"kind": "table"})
        for name, content in files.items():
            (attempt.folder / "work").mkdir(parents=True, exist_ok=True)
            (attempt.folder / "work" / name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            result["artifacts"].append({"path": f"work/{name}", "sha256": digest, "bytes": len(content)})
        about = {"task_id": task.id, "attempt": attempt.n, "token": attempt.token, "host": "h", "seconds": 1.0}
        assert self.store.ingest(attempt.id, {**about, "checks": [asdict(c) for c in checks], **result}, attempts=1)

    def simulate(self, round: int, values: Sequence[tuple[float, float]], se: float = 0.1) -> list[Design]:
        """A round of designs whose replicates answer (dipole, adhesion), the same for each."""
        designs = [self.design(round + i / 10) for i in range(len(values))]
        tasks = self.decide(round, designs)
        by_id = dict(zip((design.id for design in designs), values, strict=True))
        for task in tasks:
            dipole, adhesion = by_id[task.design_id]
            self.answer(task, se=se, dipole=dipole, adhesion=adhesion)
        return designs

    def measure(self, design: Design, value: float, se: float = 0.01) -> None:
        """An unsolicited measurement."""
        estimate = {"beta_fraction": Estimate(value, se, "1")}
        row = ToldRow("measurement", None, design, "lab", "measured", estimates=estimate)
        assert self.store.tell("sheet", [row]) == ["stored"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Story]]:
    """Begin a Story in a folder of its own; its store is closed at the end."""
    told: list[Story] = []

    def begin(name: str = "films", space: str = SPACE, objectives: str = OBJECTIVES, replicates: int = 1) -> Story:
        told.append(Story(tmp_path_factory.mktemp("story"), name, space, objectives, replicates))
        return told[-1]

    yield begin
    for one in told:
        one.store.close()


class Commands:
    """The command line, called in this process; with plug-ins from a folder, where there are any."""

    def __init__(self, plugins: Path) -> None:
        self.plugins = plugins

    def __call__(self, command: str, path: Path, *words: str) -> str:
        """Run a command on a campaign file; what it says."""
        with chdir(path.parent):
            done = CliRunner().invoke(make_app(), [command, path.name, *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def exported(self, path: Path, *words: str) -> list[dict[str, str]]:
        """The rows of `loop export`."""
        self("export", path, "-o", "out.csv", *words)
        with path.with_name("out.csv").open() as file:
            return list(csv.DictReader(file))

    def reader(self, path: Path) -> Reader:
        """Of the campaign's store; close it, or use it in a `with`."""
        return Reader.open(load(path, thorough=False).run_folder)

    def killed_when_it_says(self, path: Path, words: str) -> bool:
        """`loop run` in a process of its own, killed as soon as it says these words; whether it did."""
        run = subprocess.Popen(
            [sys.executable, "-P", "-m", "loop", "run", str(path)],
            env=os.environ | {"PYTHONPATH": str(self.plugins)},
            start_new_session=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert run.stdout is not None
        said = any(words in line for line in run.stdout)
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return said


@pytest.fixture
def loop(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "plugins")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Make a module that campaigns below the test's folder can name; returns that folder."""

    def write(name: str, source: str) -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        return tmp_path

    return write
