"""Plug-ins: a `kind` is an entry-point name or `module:Class`; both enter by the same door.

Only the plug-in that is named gets imported, and nothing is added to `sys.path`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

GROUPS = {"oracle": "loop.oracles", "generator": "loop.generators", "acquisition": "loop.acquisitions"}


class PluginError(ValueError):
    """A plug-in cannot be found, imported or built. `key` names the offending campaign key, if one does, or is the path
    to it within the plug-in's entry."""

    def __init__(self, message: str, key: str | Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.key = key

    @property
    def path(self) -> tuple[str, ...]:
        """`key` as a path; empty where the entry as a whole is at fault."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key or ())


def find(role: str, kind: str) -> type:
    """The class a campaign's `kind` names; `role` is `oracle`, `generator` or `acquisition`."""
    if ":" in kind:
        module, _, name = kind.partition(":")
        try:
            return _attribute(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise PluginError(f"cannot import {kind!r}: {error}", key="kind") from error
    known = _installed(role)
    if kind not in known:
        raise PluginError(
            f"no {role} is called {kind!r}{did_you_mean(kind, known)}; there are {', '.join(sorted(known))}, "
            f"or write module:Class",
            key="kind",
        )
    try:
        return _attribute(known[kind].load(), "")
    except (ImportError, AttributeError) as error:
        raise PluginError(f"{role} {kind!r} cannot be imported: {error}", key="kind") from error


def kinds(role: str) -> tuple[str, ...]:
    """Names of the installed plug-ins of a role, in alphabetical order."""
    return tuple(sorted(_installed(role)))


@cache
def _installed(role: str) -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUPS[role])}


def _attribute(owner: Any, path: str) -> type:
    for part in filter(None, path.split(".")):
        owner = getattr(owner, part)
    if not inspect.isclass(owner):
        raise AttributeError(f"{owner!r} is not a class")
    return owner


def build(role: str, kind: str, options: Mapping[str, Any], folder: Path) -> Any:
    """An instance made with the campaign's keys. A key whose parameter is annotated `Path` is taken relative to
    `folder`, the campaign file's.

    Raises PluginError for an unknown or missing key, and where the constructor refuses a value.
    """
    cls = find(role, kind)
    parameters = inspect.signature(cls).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for key in options:
            if key not in parameters:
                raise PluginError(f"unknown key{did_you_mean(key, parameters)}", key=key)
    for name, parameter in parameters.items():
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        if required and name not in options:
            raise PluginError(f"the key {name!r} is missing")
    resolved = {
        key: folder / value if key in parameters and _wants_path(parameters[key]) else value
        for key, value in options.items()
    }
    try:
        return cls(**resolved)
    except (ValueError, TypeError, OSError) as error:
        raise PluginError(str(error), key=getattr(error, "key", None)) from error


def _wants_path(parameter: inspect.Parameter) -> bool:
    return parameter.annotation in (Path, "Path", "pathlib.Path")


def did_you_mean(word: str, known: Any) -> str:
    """`; did you mean x?` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word, [str(k) for k in known], n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
