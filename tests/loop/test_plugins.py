"""Plug-ins are found by name or module:Class, built from campaign keys, and refused with a cure."""

import sys
from pathlib import Path

import pytest

from loop.plugins import PluginError, build, find


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "lab_oracle.py").write_text(
        "from pathlib import Path\n"
        "class Lab:\n"
        "    def __init__(self, table: Path, scale: float = 1.0):\n"
        "        if scale <= 0:\n"
        "            raise ValueError(f'scale {scale} must be positive')\n"
        "        self.table, self.scale = table, scale\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("lab_oracle", None)


def test_module_and_class(module):
    lab = build("oracle", "lab_oracle:Lab", {"table": "data/t.csv"}, Path("/campaign"))
    assert lab.table == Path("/campaign/data/t.csv")
    assert lab.scale == 1.0


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"table": "t", "scael": 2}, "scael", "unknown key; did you mean scale"),
        ({}, None, "the key 'table' is missing"),
        ({"table": "t", "scale": -1}, None, "scale -1 must be positive"),
    ],
)
def test_bad_keys(module, options, key, message):
    with pytest.raises(PluginError, match=message) as caught:
        build("oracle", "lab_oracle:Lab", options, Path())
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("opnmm", "did you mean openmm"),
        ("no_such_module_here:Lab", "cannot import"),
        ("json:loads", "is not a class"),
    ],
)
def test_unknown_kinds(kind, message):
    with pytest.raises(PluginError, match=message):
        find("oracle", kind)
