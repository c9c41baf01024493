"""The house rules of DESIGN section 2, held on the syntax trees: who may import whom, how long a file may be."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from loop.plugins import GROUPS, find

ROOT = Path(__file__).parents[1]
PACKAGES = ("loop", "generators", "acquisition", "oracles")
CONTRACTS = {"loop", "loop.types", "loop.space", "loop.seeds", "loop.units", "loop.ledger", "loop.molecules"}
HEAVY = {"torch", "botorch", "gpytorch", "openmm", "openmmtools", "mdtraj", "ase", "rdkit", "openff"}
HEAVY |= {"pandas", "pint", "plotly", "openpyxl", "pyarrow", "scipy"}
CODE_RUNNING_LOADERS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MAX_LINES = 400

SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
ALL_PYTHON = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in SOURCES}


def imported(tree: ast.AST, path: Path) -> Iterator[str]:
    """Names of the modules a tree imports, relative ones resolved; `from a import b` is `a.b` where b is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from imported_from(node, path)


def imported_from(node: ast.ImportFrom, path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    above = package[: len(package) - node.level + 1] if node.level else ()
    base = ".".join([*above, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in MODULES else base


def at_import_time(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported, type-only ones left out."""
    for node in tree.body:
        type_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not type_only and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def broken_arrows(source: str, path: Path) -> list[str]:
    """Imports that point the wrong way in a file of one of the four packages."""
    own = path.relative_to(ROOT).parts[0]
    names = set(imported(ast.parse(source), path))
    others = {name for name in names if name.split(".")[0] in PACKAGES and name.split(".")[0] != own}
    allowed = set() if own == "loop" else CONTRACTS
    return sorted(others - allowed)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_arrows_point_one_way(path: Path) -> None:
    assert broken_arrows(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("folder", "source", "wrong"),
    [
        ("generators", "from loop.types import Design\nfrom loop import space", []),
        ("generators", "def f():\n    from acquisition import bayes", ["acquisition"]),
        ("oracles", "import loop.plugins", ["loop.plugins"]),
        ("oracles", "from loop import plugins", ["loop.plugins"]),
        ("oracles/openmm", "from ..measurement import x\nfrom . import build", []),
        ("loop", "from oracles import openmm", ["oracles"]),
    ],
)
def test_a_wrong_arrow_is_seen(folder: str, source: str, wrong: list[str]) -> None:
    found = broken_arrows(source, ROOT / folder / "probe.py")
    assert [name.split(".")[0] for name in found] == [name.split(".")[0] for name in wrong]
    assert len(found) == len(wrong)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.relative_to(ROOT).parts[0] == "loop"], ids=module_name
)
def test_the_kernel_imports_nothing_heavy_when_imported(path: Path) -> None:
    names = {
        name for node in at_import_time(ast.parse(path.read_text(encoding="utf-8"))) for name in imported(node, path)
    }
    assert {name.split(".")[0] for name in names} & HEAVY == set()


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_nothing_loads_what_could_run_a_strangers_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name.split(".")[0] for name in imported(tree, path)} & CODE_RUNNING_LOADERS == set()
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert calls & {"eval", "exec", "torch.load", "yaml.load"} == set()


@pytest.mark.parametrize("path", ALL_PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("role", GROUPS)
def test_entry_points_load(role: str) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"][
        GROUPS[role]
    ]
    ours = {entry.name: entry.value for entry in entry_points(group=GROUPS[role])}
    assert declared.items() <= ours.items(), "pyproject.toml changed after the installation: install again"
    for name in declared:
        assert isinstance(find(role, name), type)


def test_four_packages_and_no_fifth() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == set(PACKAGES)
