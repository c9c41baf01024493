"""A formula as an oracle: properties written in the campaign as arithmetic of its parameters, each with an error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loop.types import Check, Design, Estimate, Isolation, OracleFailure, Task
from loop.units import UnitError, parse
from oracles.expression import BadExpression, Expression
from oracles.keys import BadKey

KEYS = ("expression", "unit", "se")


class FormulaOracle:
    """What a rule of thumb, a descriptor model or a fit from the literature says of a design; the same every time.

        rule:
          kind: formula
          tables: {wetting: {PVDF: 30, PE: 0}}
          properties:
            adhesion_energy: {expression: "40 + 12*hydroxyl_density + wetting[polymer]", unit: mJ/m^2, se: 20}

    Args:
        properties: name -> `expression` of parameters in canonical units (`oracles.expression`), the `unit` of its
            value, and `se`, how far off it is: one standard error in that unit, more than 0.
        tables: name -> value of a parameter -> number.
    """

    isolation: Isolation = "inline"
    fidelities = ("formula",)

    def __init__(
        self, properties: Mapping[str, Mapping[str, Any]], tables: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        self.tables = {name: read_table(name, table) for name, table in pairs("tables", tables or {})}
        if not pairs("properties", properties):
            raise BadKey("properties", "should have at least one property")
        self.properties: dict[str, str] = {}
        self._formulas: dict[str, tuple[Expression, float]] = {}
        for name, raw in pairs("properties", properties):
            self.properties[name], expression, se = self._read(name, raw)
            self._formulas[name] = expression, se

    def _read(self, name: str, raw: Any) -> tuple[str, Expression, float]:
        where = ("properties", name)
        given = dict(pairs(f"properties.{name}", raw, *where))
        for key in (*KEYS, *given):
            if key not in given:
                raise BadKey(where, f"the key {key!r} is missing")
            if key not in KEYS:
                raise BadKey((*where, key), f"unknown key; there are {', '.join(KEYS)}")
        return (
            read_unit(given["unit"], *where, "unit"),
            read_expression(given["expression"], self.tables, *where, "expression"),
            read_number(given["se"], *where, "se", positive=True),
        )

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Whether every parameter and table entry that the expressions name is there."""
        return [
            Check(f"formula of {name}", not faults, detail="; ".join(faults))
            for name, (expression, _) in self._formulas.items()
            for faults in [expression.faults(design.values)]
        ]

    def cost(self, design: Design, fidelity: str) -> float:
        """Seconds."""
        return 1e-3

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Mapping[str, Estimate]:
        """Raises OracleFailure `infeasible` where an expression has no finite value for the design."""
        try:
            return {
                name: Estimate(expression(design.values), se, self.properties[name], method="formula")
                for name, (expression, se) in self._formulas.items()
            }
        except BadExpression as error:
            raise OracleFailure("infeasible", str(error)) from error


def pairs(name: str, raw: Any, *key: str) -> list[tuple[str, Any]]:
    if not isinstance(raw, Mapping):
        raise BadKey(key or (name,), f"{name} should be a mapping, not {raw!r}")
    return [(str(key), value) for key, value in raw.items()]


def read_table(name: str, raw: Any) -> dict[str, float]:
    where = ("tables", name)
    return {key: read_number(value, *where, key) for key, value in pairs(f"tables.{name}", raw, *where)}


def read_unit(raw: Any, *where: str) -> str:
    unit = "1" if raw == 1 and not isinstance(raw, bool) else raw
    if not isinstance(unit, str):
        raise BadKey(where, f"should be a unit such as mJ/m^2, not {raw!r}")
    try:
        if unit != "1":
            parse(f"1 {unit}", unit)
    except UnitError as error:
        raise BadKey(where, str(error)) from error
    return unit


def read_expression(raw: Any, tables: Mapping[str, Mapping[str, float]], *where: str) -> Expression:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise BadKey(where, f"should be an expression in quotes, not {raw!r}")
    try:
        return Expression(str(raw), tables)
    except BadExpression as error:
        raise BadKey(where, str(error)) from error


def read_number(raw: Any, *where: str, positive: bool = False) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise BadKey(where, f"should be a number, not {raw!r}")
    if positive and raw <= 0:
        raise BadKey(where, f"should be more than 0, not {raw}: no formula is exact")
    return float(raw)
