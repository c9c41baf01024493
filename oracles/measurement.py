"""A person as an oracle: its tasks wait until `loop tell` brings the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from loop.types import Check, Design, Estimate, Isolation, Kind, OracleFailure, Task


class MeasurementOracle:
    """Properties measured by hand.

    Args:
        properties: name -> unit, such as `{beta_fraction: "1", modulus: GPa}`.
        hours: how long one measurement takes a person, for the plan of `loop check`.
    """

    kind: Kind = "measurement"
    isolation: Isolation = "person"
    fidelities = ("measured",)
    execution_keys = ("hours",)

    def __init__(self, properties: Mapping[str, str], hours: float = 1.0) -> None:
        if not isinstance(properties, Mapping) or not properties:
            raise ValueError("properties should map each measured property to its unit")
        if hours < 0:
            raise ValueError(f"hours should not be negative, is {hours}")
        self.properties = {name: str(unit) for name, unit in properties.items()}
        self.hours = hours

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Nothing: whether a sample can be made is known at the bench."""
        return ()

    def cost(self, design: Design, fidelity: str) -> float:
        """Seconds of a person's time."""
        return 3600.0 * self.hours

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Mapping[str, Estimate]:
        """Raises OracleFailure always: no program can answer; `loop ask` and `loop tell` do."""
        raise OracleFailure("infrastructure", f"task {task.id} is measured by a person: use loop ask and loop tell")
