"""From a file of the right shape to a Campaign: what only several entries together can decide."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from loop import plugins
from loop.campaign.constraints import read_constraints
from loop.campaign.fidelities import cheaper_sources, choose_fidelity, judge_costs
from loop.campaign.model import Campaign, Execution, OracleSpec, PluginSpec, Stop, judge
from loop.campaign.objectives import read_objectives
from loop.campaign.parameters import read_parameters
from loop.campaign.reader import Problems, Where
from loop.campaign.schema import (
    CampaignEntry,
    Entry,
    ExecutionEntry,
    OracleEntry,
    PluginEntry,
    StopEntry,
    key_names,
    valid,
)
from loop.errors import BadInput
from loop.execution import devices
from loop.plugins import PluginError, did_you_mean
from loop.space import Space, SpaceError
from loop.types import Design, Isolation, Kind, Objective, Oracle, goals

MOST_HYPERVOLUME = 4
"""More goals than this are scalarised by default: hypervolume costs time and discerns little among so many."""


def build(data: Any, path: Path, text: str, problems: Problems, *, thorough: bool) -> Campaign:
    """The campaign. Raises BadInput with every fault found, those already noted in `problems` among them."""
    data = data if isinstance(data, dict) else {}
    section = {key: value for key in ("space", "oracles") if isinstance(value := data.get(key), dict)}
    lists = {key: value for key in ("constraints", "objectives") if isinstance(value := data.get(key), list)}
    names = section.get("space", {})
    oracles = read_oracles(section.get("oracles", {}), path.parent, problems)
    parameters = read_parameters(names, [spec.oracle for spec in oracles.values()], problems)
    constraints = read_constraints(lists.get("constraints", []), parameters, names, problems)
    complete = all(name in oracles for name in section.get("oracles", {}))
    objectives = read_objectives(lists.get("objectives", []), oracles, names, problems, complete=complete)
    generator = read_plugin("generator", data.get("generator", {"kind": "cvae"}), path, problems, thorough)
    wanted = len(goals(objectives))
    default = {"kind": default_acquisition(wanted)}
    acquisition = read_plugin("acquisition", data.get("acquisition", default), path, problems, thorough, wanted)
    judge_stop(data.get("stop"), data.get("acquisition", default), problems)
    judge_extension(oracles, objectives, data.get("execution"), problems)
    judge_audit(oracles, objectives, data, problems)
    problems.stop_if_any()
    entry = CampaignEntry.model_validate(data)
    assert generator is not None and acquisition is not None
    campaign = Campaign(
        path=path,
        name=entry.name,
        seed=entry.seed,
        space=Space([scaled.parameter for scaled in parameters.values()], constraints),
        objectives=tuple(objectives),
        oracles=oracles,
        generator=generator,
        acquisition=acquisition,
        initial=entry.initial,
        batch=entry.batch,
        stop=Stop(**entry.stop.model_dump()),
        execution=read_execution(entry.execution),
        text=text,
        audit=entry.audit,
        plausible=None if entry.plausible is None else path.parent / entry.plausible,
    )
    if thorough:
        judge_plausible(campaign, problems)
        if example := judge_reachable(campaign, problems):
            judge_costs(campaign, example, problems)
        judge_machine(campaign, problems)
        problems.stop_if_any()
    return campaign


def default_acquisition(wanted: int) -> str:
    """The kind for so many goals."""
    return "qlognei" if wanted <= 1 else "qlognehvi" if wanted <= MOST_HYPERVOLUME else "parego"


def read_execution(entry: ExecutionEntry) -> Execution:
    chosen = None if entry.devices is None else tuple(entry.devices)
    return Execution(**{**entry.model_dump(), "slots": entry.slots or cores(), "devices": chosen})


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judge_stop(raw: Any, acquisition: Any, problems: Problems) -> None:
    """Note where there is no criterion, and those that ask a model which the acquisition does not have."""
    if not isinstance(raw, dict):
        return
    if not any(value is not None for value in raw.values()):
        problems.add(("stop",), f"give at least one of {', '.join(key_names(StopEntry))}")
    asking = [key for key in ("expected_gain", "regret") if raw.get(key) is not None]
    kind = acquisition.get("kind") if isinstance(acquisition, dict) else None
    if not asking or not isinstance(kind, str):
        return
    try:
        models = hasattr(plugins.find("acquisition", kind), "residuals")
    except PluginError:  # noted where the acquisition is read
        return
    for key in asking if not models else ():
        problems.add(("stop", key), f"asks a model of what is known, and the acquisition {kind} has none", at_key=True)


def judge_extension(
    oracles: Mapping[str, OracleSpec], objectives: Sequence[Objective], execution: Any, problems: Problems
) -> None:
    """Note where `replicates_max` could never add a replicate, or not reproducibly."""
    schedule = execution.get("schedule") if isinstance(execution, dict) else None
    for name, spec in oracles.items():
        if spec.replicates_max is None:
            continue
        fault = None
        if spec.replicates_max < spec.replicates:
            fault = f"should be at least replicates, {spec.replicates}, not {spec.replicates_max}"
        elif spec.record_kind == "measurement" or spec.isolation == "person":
            fault = "measurements are never asked again by themselves; raise replicates to ask for more"
        elif not problems.found and not any(objective.oracle == name for objective in objectives):
            fault = f"{name} answers no objective, so that its error bars decide nothing"
        elif schedule == "async":
            fault = "needs the schedule `rounds`: with `async` no round is ever complete; raise replicates instead"
        if fault is not None:
            problems.add(("oracles", name, "replicates_max"), fault)


def judge_audit(
    oracles: Mapping[str, OracleSpec], objectives: Sequence[Objective], data: Mapping[str, Any], problems: Problems
) -> None:
    """Note what cannot be a cheap source, and what needs rounds that are complete at some time."""
    execution = data.get("execution")
    at_any_time = isinstance(execution, dict) and execution.get("schedule") == "async"
    if at_any_time and data.get("audit"):
        problems.add(("audit",), "needs the schedule `rounds`: with `async` no round is ever complete")
    for name, spec in oracles.items():
        if not spec.labels:
            continue
        fault, counted = None, spec.cheaper_than
        where = ("oracles", counted, "fidelities") if counted else ("oracles", name, "labels")
        if counted and not problems.found and not any(objective.oracle == counted for objective in objectives):
            fault = f"{counted} answers no objective, so that there is nothing for {spec.fidelity} to inform"
        elif any(objective.oracle == name for objective in objectives):
            fault = f"{name} answers an objective; a cheap source is another oracle, or the same under another name"
        elif spec.isolation == "person":
            fault = "a person is no cheap source"
        elif at_any_time:
            fault = "needs the schedule `rounds`: with `async` no round is ever complete"
        if fault is not None and not problems.told(where):
            problems.add(where, fault)


def judge_plausible(campaign: Campaign, problems: Problems) -> None:
    """Note every fault of the file of plausible designs, and where nothing would be done with them."""
    from loop.sheets.plausible import read_plausible  # sheets are read for a campaign: they import this package

    if campaign.plausible is None:
        return
    kind = campaign.acquisition.kind
    if not getattr(plugins.find("acquisition", kind), "leans", False):
        cure = "choose qlognei, qlognehvi or parego, or leave it out"
        problems.add(("plausible",), f"the acquisition {kind} leans towards no designs; {cure}", at_key=True)
    try:
        read_plausible(campaign.plausible, campaign.space)
    except BadInput as error:
        for fault in error.problems:
            problems.add(("plausible",), fault)


def judge_reachable(campaign: Campaign, problems: Problems) -> Design | None:
    """A valid design. Note where not one can be found: the campaign's own rules first, then the oracles' as well."""
    found: list[Design] = []
    for where, space in ((("constraints",), campaign.space), (("space",), campaign.judged_space())):
        try:
            found = space.sample(1, seed=campaign.seed)
        except SpaceError as error:
            advice = cures(campaign) if where == ("space",) else ""
            problems.add(where, f"{error}{advice}", at_key=True)
            return None
    return found[0]


def cures(campaign: Campaign) -> str:
    """What the oracles say against one design that the campaign's own rules allow."""
    (design,) = campaign.space.sample(1, seed=campaign.seed)
    checks = [check for spec in campaign.oracles.values() for check in judge(spec)(design)]
    said = [f"; {check.name}: {check.detail}" for check in checks if not check.passed and check.detail]
    return "".join(dict.fromkeys(said))


def judge_machine(campaign: Campaign, problems: Problems) -> None:
    """Note which GPUs are not there, and what the oracles themselves miss on this machine."""
    try:
        devices.chosen(campaign.execution.devices)
    except devices.NoSuchDevice as error:
        problems.add(("execution", "devices", error.position), str(error))
    for name, spec in campaign.entries.items():
        try:
            getattr(spec.oracle, "ready", lambda: None)()
        except ValueError as error:
            key = getattr(error, "key", None)
            problems.add(("oracles", name, key) if key else ("oracles", name), str(error), at_key=key is None)


def read_oracles(section: Mapping[str, Any], folder: Path, problems: Problems) -> dict[str, OracleSpec]:
    found = {}
    for name, raw in section.items():
        entry = valid(OracleEntry, raw)
        if entry is not None and (spec := read_oracle(name, entry, folder, problems)):
            found[name] = spec
            for source in cheaper_sources(spec, entry):
                if source.name in section:
                    fault = f"its {source.fidelity} would be called {source.name}, as another entry is; rename that one"
                    problems.add(("oracles", name, "fidelities"), fault)
                found.setdefault(source.name, source)
    return found


def read_oracle(name: str, entry: OracleEntry, folder: Path, problems: Problems) -> OracleSpec | None:
    where: Where = ("oracles", name)
    oracle = make("oracle", entry, folder, where, problems)
    if oracle is None:
        return None
    fidelity = choose_fidelity(where, entry, tuple(oracle.fidelities), problems)
    kind: Kind = getattr(oracle, "kind", "simulation")
    isolation: Isolation = getattr(oracle, "isolation", "process")
    for attribute, value, allowed in (("kind", kind, Kind), ("isolation", isolation, Isolation)):
        if value not in get_args(allowed):
            problems.add((*where, "kind"), f"its class says {attribute} = {value!r}; allowed: {get_args(allowed)}")
    if fidelity is None:
        return None
    return OracleSpec(
        name=name,
        kind=entry.kind,
        fidelity=fidelity,
        replicates=entry.replicates or default_replicates(oracle, fidelity),
        replicates_max=entry.replicates_max,
        time_limit=entry.time_limit,
        attempts=entry.attempts,
        options=dict(entry.model_extra or {}),
        oracle=oracle,
        record_kind="synthetic" if entry.labels else kind,
        isolation=isolation,
        labels=entry.labels or 0,
    )


def default_replicates(oracle: Oracle, fidelity: str) -> int:
    """What the oracle itself advises in its method `default_replicates(fidelity)`, or else one."""
    advise = getattr(oracle, "default_replicates", None)
    return 1 if advise is None else int(advise(fidelity))


def make(role: str, entry: OracleEntry | PluginEntry, folder: Path, where: Where, problems: Problems) -> Any:
    """An instance of the plug-in, or None where its faults have been noted, each at its key."""
    options = dict(entry.model_extra or {})
    try:
        cls = plugins.find(role, entry.kind)
        unknown = unknown_keys(cls, options, type(entry))
        for key, hint in unknown.items():
            problems.add((*where, key), f"unknown key{hint}", at_key=True)
        return None if unknown else plugins.build(role, entry.kind, options, folder)
    except PluginError as error:
        problems.add((*where, *error.path), str(error), at_key=not error.path)
    except Exception as error:  # a plug-in may be anyone's: what it throws is a fault of the file, not of the loop
        problems.add((*where, "kind"), f"{entry.kind} cannot be built: {type(error).__name__}: {error}")
    return None


def unknown_keys(cls: type, options: Mapping[str, Any], model: type[Entry]) -> dict[str, str]:
    """Keys that neither the plug-in nor the entry itself takes, each with a hint."""
    accepted = inspect.signature(cls).parameters
    if any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        return {}
    known = [*accepted, *key_names(model)]
    return {key: did_you_mean(key, known) for key in options if key not in accepted}


def read_plugin(
    role: str, raw: Any, path: Path, problems: Problems, thorough: bool, objectives: int = 0
) -> PluginSpec | None:
    """The choice of generator or acquisition; `thorough` builds it once, to have its keys and values judged.

    An acquisition that cannot handle any number of `objectives` (those without outcome constraints) names those it can
    in `objectives_allowed`, and in `other` what to use instead.
    """
    entry = valid(PluginEntry, raw)
    if entry is None:
        return None
    if thorough:
        instance = make(role, entry, path.parent, (role,), problems)
        if instance is None:
            return None
        allowed = getattr(instance, "objectives_allowed", None)
        if allowed is not None and objectives and objectives not in allowed:
            cure = getattr(instance, "other", "choose another")
            problems.add((role, "kind"), f"{entry.kind} cannot handle {objectives} objectives: {cure}")
    return PluginSpec(entry.kind, dict(entry.model_extra or {}))
