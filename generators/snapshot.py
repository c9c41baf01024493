"""A generator on disk: `model.safetensors` and `model.json`, named by the digest of their content. Reading one runs
no code."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop.space import Clause, Constraint, Range, Space
from loop.types import Molecules, Parameter, canonical_json

if TYPE_CHECKING:
    import numpy as np

TENSORS, FACTS = "model.safetensors", "model.json"


def digest(tensors: bytes, facts: str) -> str:
    """sha256, 64 hex digits, of the tensors' file and the facts' canonical JSON."""
    return hashlib.sha256(hashlib.sha256(tensors).digest() + facts.encode()).hexdigest()


def pack(tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> tuple[bytes, str]:
    """The two files' content, the same for the same model."""
    from safetensors.numpy import save

    return save(dict(tensors)), canonical_json(facts)


def write(folder: Path, tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> str:
    """Write the model and return its digest. The JSON, which holds the digest, is written last."""
    blob, text = pack(tensors, facts)
    name = digest(blob, text)
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / TENSORS, blob)
    replace(folder / FACTS, canonical_json({"digest": name, "model": json.loads(text)}).encode())
    return name


def read(folder: Path, generator: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `write` wrote for that generator. Raises ValueError where it is missing, damaged or another's."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        blob = (folder / TENSORS).read_bytes()
        outer = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        facts, wanted = outer["model"], outer["digest"]
        tensors = load(blob)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ValueError(f"{folder}: not a readable model ({error}); delete the folder to train anew") from error
    found = digest(blob, canonical_json(facts))
    if found != wanted:
        raise ValueError(f"{folder}: damaged model, content {found[:12]}, expected {str(wanted)[:12]}")
    if facts.get("generator") != generator:
        raise ValueError(f"{folder}: a model of {facts.get('generator')!r}, not of {generator!r}")
    return tensors, facts


def replace(path: Path, content: bytes) -> None:
    """Write the whole file or nothing."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def space_facts(space: Space) -> dict[str, Any]:
    """Parameters and constraints as JSON values; the oracles' checks are code and stay out."""
    return {
        "parameters": [asdict(p) for p in space.parameters],
        "constraints": [
            {"name": c.name, "when": clause_facts(c.when), "then": None if c.then is None else clause_facts(c.then)}
            for c in space.constraints
        ],
    }


def clause_facts(clause: Clause) -> dict[str, Any]:
    return {name: asdict(w) if isinstance(w, Range) else list(w) for name, w in clause.items()}


def space_from(facts: Mapping[str, Any]) -> Space:
    """The space that `space_facts` described, without the oracles' checks."""
    parameters = [
        Parameter(**{**p, "choices": tuple(p["choices"]), "bounds": p["bounds"] and tuple(p["bounds"]), **molecules(p)})
        for p in facts["parameters"]
    ]
    constraints = [
        Constraint(c["name"], clause_from(c["when"]), None if c["then"] is None else clause_from(c["then"]))
        for c in facts["constraints"]
    ]
    return Space(parameters, constraints)


def molecules(facts: Mapping[str, Any]) -> dict[str, Molecules]:
    """The molecules of a `smiles` parameter; nothing for any other."""
    found = facts.get("molecules")
    if not found:
        return {}
    low, high = found["length"]
    return {"molecules": Molecules(found["head"], (low, high), tuple(found["elements"]), tuple(found["known"]))}


def clause_from(facts: Mapping[str, Any]) -> Clause:
    return {name: Range(**w) if isinstance(w, dict) else tuple(w) for name, w in facts.items()}
