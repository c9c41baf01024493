"""Designs as rows of numbers and back: the one encoding every generator uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generators.symbols import read, spelled, symbol_fields
from loop.space import Constraint, Space
from loop.types import Design, Parameter, Value

if TYPE_CHECKING:
    import numpy as np

    from generators.network import Heads


@dataclass(frozen=True, slots=True)
class Fields:
    """Encoded designs field by field: `choices` (n, C) indices into each parameter's choices, `numbers` (n, M) as
    fractions of the range, and whether each field was free to vary, (n, C) and (n, M)."""

    choices: np.ndarray
    numbers: np.ndarray
    free_choices: np.ndarray
    free_numbers: np.ndarray


class Encoding:
    """Rows of width `width`: one-hot blocks of the categorical parameters, numeric ones as fractions of their range,
    then one column per parameter that a constraint may pin (1 free, 0 pinned). Fixed parameters take no column. A
    `smiles` parameter is a group of categorical fields, one per symbol, whose names are `symbols`.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        groups = [(p, symbol_fields(p)) for p in space.free if p.bounds is None]
        self.categorical: tuple[Parameter, ...] = tuple(field for _, fields in groups for field in fields)
        self.symbols = frozenset(field.name for p, fields in groups if p.molecules for field in fields)
        self._owner = {field.name: p.name for p, fields in groups for field in fields}
        self.numeric: tuple[Parameter, ...] = tuple(p for p in space.free if p.bounds is not None)
        pinnable = {name for constraint in space.constraints for name in pinned_values(constraint)}
        self.pinnable = tuple(p.name for p in (*self.categorical, *self.numeric) if p.name in pinnable)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of choices of each categorical parameter."""
        return tuple(len(p.choices) for p in self.categorical)

    @property
    def width(self) -> int:
        return sum(self.sizes) + len(self.numeric) + len(self.pinnable)

    def fields(self, designs: Sequence[Design]) -> Fields:
        """The designs (canonical, of this space) field by field."""
        import numpy as np

        values = [self.spelled(design) for design in designs]
        n = len(designs)
        choices = np.zeros((n, len(self.categorical)), dtype=np.int64)
        numbers = np.zeros((n, len(self.numeric)))
        for i, p in enumerate(self.categorical):
            index = {value: k for k, value in enumerate(p.choices)}
            choices[:, i] = [index[row[p.name]] for row in values]
        for i, p in enumerate(self.numeric):
            low, high = limits(p)
            numbers[:, i] = (np.array([design.values[p.name] for design in designs], float) - low) / (high - low)
        pinned = [self.space.pinned(design.values) for design in designs] if self.pinnable else [{}] * n
        free_choices, free_numbers = (
            np.array([[self.owner(p) not in names for p in group] for names in pinned], dtype=bool).reshape(n, -1)
            for group in (self.categorical, self.numeric)
        )
        return Fields(choices, numbers, free_choices, free_numbers)

    def owner(self, field: Parameter) -> str:
        """Name of the parameter that the field belongs to."""
        return self._owner.get(field.name, field.name)

    def spelled(self, design: Design) -> Mapping[str, Value]:
        """The design's values by field: every molecule as its symbols."""
        return spelled(self.space, design.values) if self.symbols else design.values

    def design(self, values: Mapping[str, Value]) -> Design:
        """The canonical design of values by field, not yet judged; fixed parameters may be left out."""
        if self.symbols:
            return read(self.space, values)
        return self.space.canonicalise({name: values[name] for name in self.space.names if name in values})

    def rows(self, fields: Fields) -> np.ndarray:
        """(n, width) network input of designs given field by field."""
        import numpy as np

        blocks = [np.eye(size)[fields.choices[:, i]] for i, size in enumerate(self.sizes)]
        free = np.hstack([fields.free_choices, fields.free_numbers])
        order = [p.name for p in (*self.categorical, *self.numeric)]
        return np.hstack([*blocks, fields.numbers, free[:, [order.index(name) for name in self.pinnable]]])

    def encode(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, width) rows of canonical designs; `decode` gives the same designs back."""
        return self.rows(self.fields(designs))

    def decode(self, rows: np.ndarray) -> list[Design]:
        """The canonical design nearest to each row: the largest entry of each block, the number at each fraction."""
        starts = [sum(self.sizes[:i]) for i in range(len(self.sizes))]
        blocks = list(zip(self.categorical, starts, strict=True))
        fractions = rows[:, sum(self.sizes) :]
        designs = []
        for row, numbers in zip(rows, fractions.tolist(), strict=True):
            values: dict[str, Value] = {p.name: p.choices[row[i : i + len(p.choices)].argmax()] for p, i in blocks}
            values |= {p.name: at(p, u) for p, u in zip(self.numeric, numbers, strict=False)}
            designs.append(self.design(values))
        return designs

    def nearest(self, heads: Heads) -> np.ndarray:
        """(n, width) rows of a decoder's most probable choices and mean numbers, free columns left at 1."""
        import numpy as np

        n = len(heads.mean)
        blocks = [heads.logits[:, i, :size] for i, size in enumerate(self.sizes)]
        return np.hstack([*blocks, heads.mean, np.ones((n, len(self.pinnable)))])


def pinned_values(constraint: Constraint) -> dict[str, Value]:
    """The parameters that the constraint, where it applies, leaves one value."""
    then = constraint.then or {}
    return {name: wanted[0] for name, wanted in then.items() if isinstance(wanted, tuple) and len(wanted) == 1}


def limits(p: Parameter) -> tuple[float, float]:
    assert p.bounds is not None, f"{p.name} has choices, not limits"
    return p.bounds


def at(p: Parameter, fraction: float) -> float:
    """The number a fraction of the way along the range, exact at both ends."""
    low, high = limits(p)
    return low * (1.0 - fraction) + high * fraction
