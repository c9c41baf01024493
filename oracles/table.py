"""A table as an oracle: answers from a CSV file, to replay a finished campaign or to test a loop."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from loop.types import Check, Design, Estimate, Isolation, Kind, OracleFailure, Task, Value

Key = tuple[Value | None, ...]


class TableOracle:
    """Looks a design up by its values.

    The file is a CSV with a header. A column named like a parameter of the design is matched with it, text by text and
    number by number (ten digits); parameters without a column do not matter. A column named like a property holds its
    values, in the property's unit, and `<property>_se` their standard errors (default 0). Several rows of one design
    answer its replicates in turn.

    Args:
        path: the CSV file, relative to the campaign file.
        properties: name -> unit.
        record: kind of the records, `measurement`, `simulation` or `synthetic`: what the table's numbers are.
        noise: standard deviation of Gaussian noise added per property, in its unit, drawn from the task's seed.
    """

    isolation: Isolation = "inline"
    fidelities = ("table",)

    def __init__(
        self, path: Path, properties: Mapping[str, str], record: Kind, noise: Mapping[str, float] | None = None
    ) -> None:
        if record not in get_args(Kind):
            raise ValueError(f"record should be one of {', '.join(get_args(Kind))}, is {record!r}")
        self.path = Path(path)
        self.properties = {name: str(unit) for name, unit in properties.items()}
        self.kind: Kind = record
        self.noise = dict(noise or {})
        self._indexes: dict[tuple[tuple[str, bool], ...], dict[Key, list[dict[str, str]]]] = {}
        self.columns = self._header()
        self._check_keys()

    def _header(self) -> tuple[str, ...]:
        with self.path.open(newline="", encoding="utf-8-sig") as file:
            return tuple(next(csv.reader(file), ()))

    def _check_keys(self) -> None:
        columns = ", ".join(self.columns) or "none"
        for name in self.properties:
            if name not in self.columns:
                raise ValueError(f"{self.path.name} has no column {name!r}; it has {columns}")
        for name, spread in self.noise.items():
            if name not in self.properties:
                raise ValueError(f"noise is given for {name!r}, which is not one of the properties")
            if not 0 <= spread < math.inf:
                raise ValueError(f"noise of {name} should be a number of at least 0, is {spread}")

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Nothing: whether the table holds a design is found out by asking, as with any experiment."""
        return ()

    def cost(self, design: Design, fidelity: str) -> float:
        """Seconds."""
        return 0.001

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Mapping[str, Estimate]:
        """The row of the design. Raises OracleFailure `infeasible` where the table has none."""
        rows = self._rows(design)
        if not rows:
            raise OracleFailure("infeasible", f"{self.path.name} has no row for {dict(design.values)}")
        row = rows[task.replicate % len(rows)]
        rng = np.random.default_rng(task.seed)
        return {name: self._estimate(name, row, rng) for name in self.properties}

    def _estimate(self, name: str, row: Mapping[str, str], rng: np.random.Generator) -> Estimate:
        mean, se = as_number(row[name]), as_number(row.get(f"{name}_se") or "0")
        if mean is None or se is None:
            raise OracleFailure("infeasible", f"{self.path.name} has no number for {name} of this design")
        spread = self.noise.get(name, 0.0)
        noisy = mean + spread * float(rng.standard_normal())
        return Estimate(noisy, math.hypot(se, spread), self.properties[name], method="table")

    def _rows(self, design: Design) -> list[dict[str, str]]:
        """The rows whose columns agree with the design. The file is read once per set of columns."""
        shape = tuple((name, isinstance(value, str)) for name, value in design.values.items() if name in self.columns)
        if not shape:
            raise OracleFailure("infrastructure", f"{self.path.name} has no column of {', '.join(design.values)}")
        if shape not in self._indexes:
            index: dict[Key, list[dict[str, str]]] = defaultdict(list)
            for row in self._read():
                index[tuple(key_value(row[name], is_text) for name, is_text in shape)].append(row)
            self._indexes[shape] = dict(index)
        wanted = tuple(key_value(design.values[name], is_text) for name, is_text in shape)
        return self._indexes[shape].get(wanted, [])

    def _read(self) -> Iterator[dict[str, str]]:
        with self.path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.DictReader(file, restval="")


def key_value(value: Value, is_text: bool) -> Value | None:
    """A cell or a design's value as the index compares it: text, or a number to ten digits (None: not a number)."""
    if is_text:
        return str(value).strip()
    number = as_number(str(value))
    return None if number is None else float(f"{number:.10g}")


def as_number(text: str) -> float | None:
    """The finite number in a cell, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
