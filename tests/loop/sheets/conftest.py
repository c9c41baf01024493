"""A bench: a campaign whose first round waits for a person, and the hands of that person."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from loop.campaign import Campaign, load
from loop.sheets import Told, ask, tell
from loop.store import Store, task_id
from loop.types import Pick, Proposal, Task

TEXT = """\
name: films
seed: 7
space:
  oxide: {choices: [magnetite, silica]}
  facet: {choices: ["001", "110"]}
  density: {real: [0, 8], unit: 1/nm^2, step: 0.5}
  length: {integer: [8, 24]}
  temperature: {fixed: 400, unit: K}
constraints:
  - {if: {oxide: silica}, then: {density: 0}}
  - {name: no silica 110, forbid: {oxide: silica, facet: "110"}}
objectives:
  - {property: modulus, goal: maximize}
oracles:
  lab: {kind: measurement, properties: {modulus: GPa, beta: "1"}, replicates: 2}
generator: {kind: uniform}
acquisition: {kind: random}
stop: {rounds: 3}
"""
DESIGNS = (
    {"oxide": "magnetite", "facet": "001", "density": 2.5, "length": 12},
    {"oxide": "silica", "facet": "001", "density": 0, "length": 20},
)
Answers = dict[tuple[str, int], dict[str, tuple[float, float, str]]]


class Bench:
    """Two designs with two replicates each wait; rows 2 and 3 of a sheet are magnetite, rows 4 and 5 silica."""

    text = TEXT

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        path = folder / "films.yaml"
        path.write_text(text)
        self.campaign: Campaign = load(path, thorough=False)

    def decide(self, designs=None, replicates=(0, 1)) -> None:
        space = self.campaign.space
        designs = designs or [space.canonicalise(values) for values in DESIGNS]
        tasks = [
            Task(task_id(design.id, "lab", "measured", n), design.id, "lab", "measured", n, seed=1)
            for design in designs
            for n in replicates
        ]
        picks = [Pick(Proposal(design, "uniform"), "initial") for design in designs]
        with Store.open(self.campaign.run_folder) as store:
            store.configure(self.campaign.text, self.campaign.guarded)
            store.decide(0, picks, tasks, kinds={"lab": "measurement"}, waiting={"lab"}, info={})

    def asked(self, name: str = "sheet.csv") -> Path:
        sheet = self.campaign.folder / name
        ask(self.campaign, sheet, force=True)
        return sheet

    def tell(self, sheet: Path) -> Told:
        return tell(self.campaign, sheet)

    @staticmethod
    def told(stored=0, corrected=0, known=0, queued=0, pending=0, faults=()) -> Told:
        return Told(stored, corrected, known, queued, pending, tuple(faults))

    @staticmethod
    def rows(sheet: Path) -> list[list[str]]:
        return list(csv.reader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))

    @staticmethod
    def save(sheet: Path, rows, separator=",", encoding="utf-8") -> Path:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=separator).writerows(rows)
        sheet.write_bytes(out.getvalue().encode(encoding))
        return sheet

    def fill(self, sheet: Path, *cells, **options) -> Path:
        """Write (row, column heading, text) into a CSV sheet; rows are numbered as a spreadsheet shows them."""
        rows = self.rows(sheet)
        for number, heading, text in cells:
            while len(rows) < number:
                rows.append([""] * len(rows[0]))
            rows[number - 1][rows[0].index(heading)] = text
        return self.save(sheet, rows, **options)

    def brought(self, *cells) -> Path:
        """A sheet with a design of one's own in the row below the asked ones."""
        own = {"oxide": "magnetite", "facet": "110", "density [1/nm^2]": "4", "length [1]": "9", "modulus [GPa]": "5"}
        own.update(cells)
        return self.fill(self.asked(), *((6, heading, text) for heading, text in own.items()))

    def values(self) -> Answers:
        """(oxide, replicate) -> property -> (mean, se, unit) of everything answered."""
        with Store.open(self.campaign.run_folder) as store:
            designs = store.designs()
            return {
                (str(designs[row.task.design_id].values["oxide"]), row.task.replicate): {
                    name: (e.mean, e.se, e.unit) for name, e in store.observed(row.task.id).estimates.items()
                }
                for row in store.tasks("done")
            }


@pytest.fixture
def empty_bench(tmp_path: Path) -> Bench:
    """The campaign has not begun."""
    return Bench(tmp_path)


@pytest.fixture
def bench(empty_bench: Bench) -> Bench:
    empty_bench.decide()
    return empty_bench
