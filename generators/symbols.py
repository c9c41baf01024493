"""Generated molecules in the encoding: a `smiles` parameter is a group of categorical fields, one a SELFIES symbol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from loop import molecules
from loop.space import Space
from loop.types import Design, Molecules, Parameter, Value


def symbol_fields(p: Parameter) -> tuple[Parameter, ...]:
    """The fields of a `smiles` parameter in the order of its symbols; any other parameter is its own field."""
    if p.molecules is None:
        return (p,)
    letters = molecules.alphabet(p.molecules)
    return tuple(Parameter(field_name(p, k), "choices", letters) for k in range(molecules.columns(p.molecules)))


def field_name(p: Parameter, k: int) -> str:
    return f"{p.name}[{k}]"


def spelled(space: Space, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values with every molecule as its symbols. Raises BadMolecule for one that the parameter does not allow."""
    found: dict[str, Value] = {}
    for name, value in values.items():
        p = space[name]
        if p.molecules is None:
            found[name] = value
        else:
            symbols = molecules.symbols_of(p.molecules, str(value))
            found |= {field_name(p, k): symbol for k, symbol in enumerate(symbols)}
    return found


def read(space: Space, values: Mapping[str, Value]) -> Design:
    """The canonical design of values with every molecule as its symbols, not yet judged; fixed parameters may be left
    out. Of symbols that make no molecule that could be written in them again, the last ones are left out."""
    whole: dict[str, Value] = {p.name: values[p.name] for p in space.parameters if p.name in values}
    for p in space.parameters:
        if p.molecules is not None:
            symbols = [str(values[field_name(p, k)]) for k in range(molecules.columns(p.molecules))]
            whole[p.name] = _molecule(p.molecules, tuple(symbols))
    return space.canonicalise(whole)


@lru_cache(maxsize=100_000)
def _molecule(allowed: Molecules, symbols: tuple[str, ...]) -> str:
    for length in range(len(symbols), 0, -1):
        try:
            smiles = molecules.smiles_of(allowed, symbols[:length])
            molecules.symbols_of(allowed, smiles)
            return smiles
        except molecules.BadMolecule:
            continue
    return molecules.smiles_of(allowed, ())


def generated(space: Space, designs: Iterable[Design]) -> set[tuple[Molecules, str]]:
    """The different generated molecules of the designs, each with what it was allowed to be."""
    made = [(p.name, p.molecules) for p in space.parameters if p.molecules]
    return {(allowed, str(design.values[name])) for design in designs for name, allowed in made}


def novel(space: Space, design: Design) -> bool:
    """Whether the design has a generated molecule without a name in the catalogue."""
    return any(molecules.novel(*made) for made in generated(space, [design]))
