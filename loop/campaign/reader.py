"""YAML text to plain values, with the line and column of every key and value, and the list of what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loop.errors import BadInput

Where = tuple[str | int, ...]
MAX_VALUES, DEEPEST = 100_000, 50
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
PLAIN_TAGS = ("null", "bool", "int", "float", "str", "seq", "map")


@dataclass
class Problems:
    """Located faults of one file, in the order of the file. `places` maps a path of keys to (line, column)."""

    file: str
    keys: dict[Where, tuple[int, int]] = field(default_factory=dict)
    values: dict[Where, tuple[int, int]] = field(default_factory=dict)
    found: dict[tuple[int, int, str], None] = field(default_factory=dict)

    def add(self, where: Where, message: str, *, at_key: bool = False) -> None:
        """Note a fault of the value (or key) at `where`; a path that is not in the file falls back to its parent."""
        line, column = self._place(where, at_key)
        name = ".".join(map(str, where))
        self.found[line, column, f"{name}: {message}" if name else message] = None

    def told(self, where: Where) -> bool:
        """Whether a fault of exactly this value is noted."""
        return self.values.get(where) in {(line, column) for line, column, _ in self.found}

    def _place(self, where: Where, at_key: bool) -> tuple[int, int]:
        for depth in range(len(where), -1, -1):
            here = where[:depth]
            first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
            if here in first or here in second:
                return first.get(here) or second[here]
        return 1, 1

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{self.file}:{line}:{column}: {message}" for line, column, message in sorted(self.found))

    def stop_if_any(self) -> None:
        """Raises BadInput with every fault noted so far."""
        if self.found:
            raise BadInput(*self.lines())


def read_text(path: Path) -> str:
    """The file's text. Raises BadInput where it cannot be opened or is not UTF-8."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; `loop init {path}` writes a template") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise BadInput(
            f"{path}:{line}:{column}: byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error


def read_yaml(text: str, problems: Problems) -> Any:
    """The file as plain values; faults of keys and scalars are noted in `problems`, whose places are filled in.

    Raises BadInput where the text is no YAML at all. YAML 1.2: `no` is text, `1e-3` a number; a number with a leading
    zero, such as an unquoted facet 001, is refused since it would silently become 1.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadInput(f"{problems.file}:{mark.line + 1}:{mark.column + 1}: {explain(error)}") from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(f"{problems.file}:{line}:1: {error.reason} (character {error.character!r})") from error
    except RecursionError:
        raise BadInput(f"{problems.file}:1:1: nested deeper than {DEEPEST} levels") from None
    if root is None:
        raise BadInput(f"{problems.file}:1:1: the file is empty; `loop init` writes a template")
    return Walk(yaml.constructor, problems).value(root, ())


def explain(error: Any) -> str:
    """The parser's complaint in the user's words."""
    problem = str(error.problem)
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces"
    if "expected a single document" in f"{error.context} {problem}":
        return "a second document begins here; a campaign is one document"
    context = f"{error.context}: " if error.context else ""
    return f"this is not YAML: {context}{problem}"


@dataclass
class Walk:
    """One pass over the node graph."""

    constructor: Any
    problems: Problems
    seen: int = 0

    def value(self, node: Any, where: Where) -> Any:
        self.seen += 1
        if self.seen > MAX_VALUES:
            raise BadInput(f"{self.problems.file}:1:1: aliases expand to more than {MAX_VALUES} values")
        if len(where) > DEEPEST:
            line, column = place(node)
            raise BadInput(f"{self.problems.file}:{line}:{column}: nested deeper than {DEEPEST} levels")
        self.problems.values[where] = place(node)
        kind = node.tag.rpartition(":")[2]
        if node.id == "mapping" and kind == "map":
            return self.mapping(node, where)
        if node.id == "sequence" and kind == "seq":
            return [self.value(item, (*where, i)) for i, item in enumerate(node.value)]
        return self.scalar(node, kind, where)

    def scalar(self, node: Any, kind: str, where: Where) -> Any:
        if kind == "timestamp":
            return node.value
        if kind not in PLAIN_TAGS or node.id != "scalar":
            self.problems.add(where, f"the tag {node.tag} is not read; write the value plainly")
            return None
        if kind == "int" and LEADING_ZERO.fullmatch(node.value):
            self.problems.add(where, f'{node.value} would be read as {int(node.value)}; write "{node.value}" in quotes')
            return node.value
        try:
            return self.constructor.construct_object(node)
        except (ValueError, OverflowError) as error:
            self.problems.add(where, f"{node.value!r}: {error}")
            return None

    def mapping(self, node: Any, where: Where) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar" or key_node.tag.endswith(":merge"):
                self.problems.add(where, "keys must be plain words; lists, mappings and << are not read as keys")
                continue
            key = str(key_node.value)
            here = (*where, key)
            line, column = place(key_node)
            if key in found:
                first = self.problems.keys[here][0]
                self.problems.keys[here] = (line, column)
                self.problems.add(here, f"duplicate key; first given in line {first}", at_key=True)
                continue
            self.problems.keys[here] = (line, column)
            found[key] = self.value(value_node, here)
            if value_node.id == "scalar" and not value_node.value and value_node.style is None:
                self.problems.values[here] = line, column  # an empty value has no place of its own
        return found


def place(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
