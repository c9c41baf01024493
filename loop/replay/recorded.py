"""A campaign as its store knows it: space and objectives under which the records came, without asking its oracles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loop.campaign import Campaign
from loop.campaign.build import default_acquisition, read_execution, read_oracle
from loop.campaign.load import read
from loop.campaign.model import OracleSpec, PluginSpec, Stop
from loop.campaign.reader import Problems
from loop.campaign.schema import CampaignEntry, PluginEntry
from loop.errors import BadInput
from loop.space import Clause, Constraint, Range, Space
from loop.store import Reader
from loop.types import Molecules, Objective, Parameter, goals


def open_recorded(file: Path) -> tuple[Campaign, Reader, list[str]]:
    """The campaign of a file or run folder, its open database, and what is missing to replay it faithfully.

    Seed, space, constraints and objectives are those kept in the store, all else is the file's, but that nothing stops
    it. `oracles` holds those that can be built here, for what they know of materials and cost; nobody asks them to
    evaluate. Raises BadInput where the file has faults of shape or the campaign was never run, StorageError where its
    database cannot be read.
    """
    path, text, data, problems = read(file)
    problems.stop_if_any()
    entry = CampaignEntry.model_validate(data)
    folder = path.parent / "runs" / entry.name
    reader = Reader.open(folder) if (folder / "campaign.db").exists() else None
    versions = reader.config_versions() if reader else []
    if reader is None or not versions:
        raise BadInput(f"{entry.name} has not been run yet: loop run {path.name}")
    guarded = versions[-1].guarded
    space = space_of(guarded, entry.space)
    oracles, notes = usable(entry, path, space)
    return campaign_of(entry, path, text, guarded, space, oracles), reader, notes


def campaign_of(
    entry: CampaignEntry,
    path: Path,
    text: str,
    guarded: Mapping[str, Any],
    space: Space,
    oracles: Mapping[str, OracleSpec],
) -> Campaign:
    wanted = in_order(guarded["objectives"], [objective.property for objective in entry.objectives])
    objectives = tuple(Objective(name, **facts) for name, facts in wanted.items())
    return Campaign(
        path=path,
        name=entry.name,
        seed=guarded["seed"],
        space=space,
        objectives=objectives,
        oracles=oracles,
        generator=plugin(entry.generator),
        acquisition=plugin(entry.acquisition or PluginEntry(kind=default_acquisition(len(goals(objectives))))),
        initial=entry.initial,
        batch=entry.batch,
        stop=Stop(),
        execution=read_execution(entry.execution),
        text=text,
    )


def usable(entry: CampaignEntry, path: Path, space: Space) -> tuple[dict[str, OracleSpec], list[str]]:
    """The oracles that can be built and describe the space's choices here, and a note on each that cannot."""
    found, notes = dict[str, OracleSpec](), list[str]()
    for name, oracle in entry.oracles.items():
        problems = Problems(str(path))
        spec = read_oracle(name, oracle, path.parent, problems)
        why = "; ".join(message for _, _, message in problems.found) or fault(spec, space)
        if why:
            notes.append(
                f"{why}: its records answer all the same, but what oracle {name} knows of materials is not used"
            )
        elif spec is not None:
            found[name] = replace(spec, labels=0)  # synthetic records are not replayed
    return found, notes


def fault(spec: OracleSpec | None, space: Space) -> str:
    """What keeps an oracle that can be built from describing choices, such as a library that is missing here."""
    describe = getattr(spec.oracle, "describe", None) if spec else None
    if spec is None or describe is None:
        return ""
    try:
        for p in space.free:
            for choice in p.choices:
                describe(p.name, choice)
    except Exception as error:  # a plug-in may be anyone's
        return f"oracles.{spec.name} cannot be asked: {type(error).__name__}: {error}"
    return ""


def plugin(entry: PluginEntry) -> PluginSpec:
    return PluginSpec(entry.kind, dict(entry.model_extra or {}))


def space_of(guarded: Mapping[str, Any], order: Iterable[str]) -> Space:
    """The space that `loop.campaign.model.Campaign.guarded` tells of; the parameters named in `order` come first."""
    parameters = [parameter(name, facts) for name, facts in in_order(guarded["space"], order).items()]
    constraints = [
        Constraint(name, clause(when) or {}, clause(then)) for name, (when, then) in guarded["constraints"].items()
    ]
    return Space(parameters, constraints)


def parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    if "head" in facts:
        low, high = facts["length"]
        return Parameter(name, "smiles", molecules=Molecules(facts["head"], (low, high), tuple(facts["elements"])))
    bounds = None if facts["bounds"] is None else (facts["bounds"][0], facts["bounds"][1])
    return Parameter(name, facts["kind"], tuple(facts["choices"]), bounds, facts["unit"], facts["step"])


def clause(facts: Mapping[str, Any] | None) -> Clause | None:
    if facts is None:
        return None
    return {
        name: Range(wanted["min"], wanted["max"]) if isinstance(wanted, Mapping) else tuple(wanted)
        for name, wanted in facts.items()
    }


def in_order(found: Mapping[str, Any], order: Iterable[str]) -> dict[str, Any]:
    """The store sorts by name; the file's order is the user's."""
    return {name: found[name] for name in dict.fromkeys([*order, *found]) if name in found}
