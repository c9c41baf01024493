"""Arithmetic of a design's parameters: read once from text, every name and operation known beforehand."""

from __future__ import annotations

import ast
import difflib
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence

from loop.types import Value

Values = Mapping[str, Value]
Tables = Mapping[str, Mapping[str, float]]
Compiled = Callable[[Values], float]

LONGEST = 1000
OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: math.pow,
}
FUNCTIONS: Mapping[str, tuple[Callable[..., float], range]] = {
    "abs": (abs, range(1, 2)),
    "exp": (math.exp, range(1, 2)),
    "log": (math.log, range(1, 2)),
    "sqrt": (math.sqrt, range(1, 2)),
    "tanh": (math.tanh, range(1, 2)),
    "min": (min, range(2, 10)),
    "max": (max, range(2, 10)),
}
"""Name -> function, and how many arguments it takes."""
GRAMMAR = f"an expression has numbers, parameters, table[parameter], + - * / **, and {', '.join(FUNCTIONS)}"


class BadExpression(ValueError):
    """The text is no expression, or does not fit the design. The message says what is wrong and what would be right."""


class Expression:
    """`40 + 12*hydroxyl_density + wetting[polymer]`: a number for every design.

    A parameter stands for its value in canonical units; `wetting[polymer]` for the entry of a table under the value of
    a parameter. Nothing else is read: no attributes, no other calls. Raises BadExpression.
    """

    def __init__(self, text: str, tables: Tables) -> None:
        self.text = text
        self.parameters: set[str] = set()
        self.lookups: set[tuple[str, str]] = set()
        self._tables = tables
        self._compiled = self._compile(parsed(text))

    def __call__(self, values: Values) -> float:
        """The finite number of a design. Raises BadExpression where there is none."""
        for fault in self.faults(values):
            raise BadExpression(fault)
        try:
            found = self._compiled(values)
        except (ArithmeticError, ValueError) as error:
            raise BadExpression(f"{self.text} has no value for this design: {error}") from error
        if not math.isfinite(found):
            raise BadExpression(f"{self.text} is {found} for this design")
        return found

    def faults(self, values: Values) -> list[str]:
        """Why the expression cannot be worked out for a design: parameters and table entries that are missing."""
        found = []
        for name in sorted(self.parameters):
            if name not in values:
                found.append(f"there is no parameter {name!r}{near(name, values)}")
            elif isinstance(values[name], str):
                found.append(f"{name} is text: give every choice a number in `tables` and write table[{name}]")
        for table, name in sorted(self.lookups):
            if name not in values:
                found.append(f"there is no parameter {name!r}{near(name, values)}")
            elif entry(self._tables[table], values[name]) is None:
                found.append(f"the table {table} has no entry for {name} {values[name]!r}; add one")
        return found

    def _compile(self, node: ast.AST) -> Compiled:
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                pass
            case ast.Constant(value=int() | float() as number):
                constant = float(number)
                return lambda values: constant
            case ast.Name(id=name):
                return self._parameter(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                factor, inner = (-1.0 if isinstance(sign, ast.USub) else 1.0), self._compile(operand)
                return lambda values: factor * inner(values)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                combine, a, b = OPERATORS[type(op)], self._compile(left), self._compile(right)
                return lambda values: combine(a(values), b(values))
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]):
                return self._call(name, given)
            case ast.Subscript(value=ast.Name(id=table), slice=ast.Name(id=name)):
                return self._lookup(table, name)
        raise BadExpression(f"{ast.unparse(node)} cannot stand here; {GRAMMAR}")

    def _parameter(self, name: str) -> Compiled:
        if name in self._tables:
            raise BadExpression(f"{name} is a table: write {name}[parameter]")
        self.parameters.add(name)
        return lambda values: float(values[name])

    def _call(self, name: str, given: Sequence[ast.expr]) -> Compiled:
        if name not in FUNCTIONS:
            raise BadExpression(f"there is no function {name!r}{near(name, FUNCTIONS)}; {GRAMMAR}")
        function, allowed = FUNCTIONS[name]
        if len(given) not in allowed:
            wanted = "one argument" if allowed.stop == 2 else "two or more arguments"
            raise BadExpression(f"{name} takes {wanted}, not {len(given)}")
        inner = [self._compile(each) for each in given]
        return lambda values: float(function(*(each(values) for each in inner)))

    def _lookup(self, table: str, name: str) -> Compiled:
        if table not in self._tables:
            raise BadExpression(f"there is no table {table!r}{near(table, self._tables)}; write it under `tables`")
        entries = self._tables[table]
        self.lookups.add((table, name))
        return lambda values: entry(entries, values[name]) or 0.0


def parsed(text: str) -> ast.expr:
    """The syntax tree of one expression."""
    if len(text) > LONGEST:
        raise BadExpression(f"the expression has {len(text)} characters; {LONGEST} are allowed")
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # `2if` and the like are refused below
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise BadExpression(f"{text!r} is no expression: {error.msg}; {GRAMMAR}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadExpression(f"the expression cannot be read: {error}; {GRAMMAR}") from error


def entry(table: Mapping[str, float], value: Value) -> float | None:
    """What a table says of a parameter's value: by its text, or as the same number."""
    if isinstance(value, str) or str(value) in table:
        return table.get(str(value))
    return next((number for key, number in table.items() if as_number(key) == value), None)


def as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?` where a known name is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""
