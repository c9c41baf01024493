"""The shape of a campaign file (pydantic), its JSON Schema, and pydantic's errors in the user's words.

What needs more than one entry to judge (does an oracle report this property?) is in `loop.campaign.build`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from loop import units
from loop.campaign.reader import Problems, Where
from loop.plugins import did_you_mean
from loop.types import Goal

SCHEMA_LINE = "# yaml-language-server: $schema=campaign.schema.json"


def scalar(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        word = "null" if value is None else str(value).lower()
        raise ValueError(f'{word} is neither text nor a number; write "{word}" in quotes if it is a name')
    if not isinstance(value, str | int | float):
        raise ValueError(f"should be text or a number, not {said(value)}")
    return value


def wanted(value: Any) -> Any:
    if isinstance(value, list):
        if not value:
            raise ValueError("an empty list allows nothing")
        return [scalar(item) for item in value]
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("min", "max")]
        if unknown or not value:
            raise ValueError("limits are written {min: 1, max: 2}, either may be left out")
        if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value.values()):
            raise ValueError("min and max should be numbers")
        return value
    return scalar(value)


def quantity(unit: str) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"should be a time such as 10 min, not {said(value)}")
        number = units.parse(value, unit)
        if not 0 < number < float("inf"):
            raise ValueError(f"should be more than 0, not {value}")
        return number

    return parse


def unit_name(value: Any) -> str:
    if value == 1 and not isinstance(value, bool):
        return "1"
    if not isinstance(value, str):
        raise ValueError(f"should be a unit such as K or 1/nm^2, not {said(value)}")
    return value


def labels(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"should be a whole number from 1 on, or auto, not {said(value)}")


LONGEST = 24
"""Most atoms of a generated group: beyond it, branches are longer than its symbols can count."""
TEXT_OR_NUMBER = {"type": ["string", "number"]}
LIMITS = {
    "type": "object",
    "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
    "additionalProperties": False,
}
Scalar = Annotated[Any, AfterValidator(scalar), WithJsonSchema(TEXT_OR_NUMBER)]
Wanted = Annotated[
    Any,
    AfterValidator(wanted),
    WithJsonSchema({"anyOf": [TEXT_OR_NUMBER, {"type": "array", "items": TEXT_OR_NUMBER}, LIMITS]}),
]
Seconds = Annotated[Any, AfterValidator(quantity("s")), WithJsonSchema(TEXT_OR_NUMBER)]
Hours = Annotated[Any, AfterValidator(quantity("h")), WithJsonSchema(TEXT_OR_NUMBER)]
Unit = Annotated[Any, AfterValidator(unit_name), WithJsonSchema(TEXT_OR_NUMBER)]
Count = Annotated[int, Field(ge=1)]
Labels = Annotated[
    Any,
    AfterValidator(labels),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "enum": ["auto"]}]}),
]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)


E = TypeVar("E", bound=Entry)


class SmilesEntry(Entry):
    """Molecules that are generated: a head that stays and a part R, within these bounds."""

    head: str = Field(min_length=1, description="a name that the oracle knows, or a SMILES with R, such as O=C(O)R")
    length: Annotated[list[Annotated[int, Field(ge=0, le=LONGEST)]], Field(min_length=2, max_length=2)] = Field(
        description="[least, most] atoms of R besides hydrogen and halogens, both included"
    )
    elements: list[str] = Field(min_length=1, description="what R may hold besides hydrogen: C, N, O, S, F, Cl, Br, I")


class ParameterEntry(Entry):
    """Exactly one of choices, integer, real, fixed and smiles."""

    choices: list[Scalar] | None = Field(None, description="the allowed values")
    integer: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[lowest, highest], both included"
    )
    real: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[lowest, highest], both included"
    )
    fixed: Scalar | None = Field(None, description="the one value")
    smiles: SmilesEntry | None = Field(None, description="molecules that are generated")
    unit: Unit | None = Field(None, description='such as K or 1/nm^2; "1" is dimensionless')
    step: float | None = Field(None, gt=0, description="rounding grid of a real")


class ConstraintEntry(Entry):
    """Either `if` and `then`, or `forbid`."""

    name: str | None = Field(None, min_length=1, description="what a violation is called")
    when: dict[str, Wanted] | None = Field(None, alias="if", min_length=1)
    then: dict[str, Wanted] | None = Field(None, min_length=1)
    forbid: dict[str, Wanted] | None = Field(None, min_length=1)


class ObjectiveEntry(Entry):
    property: str
    goal: Goal
    oracle: str | None = Field(None, description="whose records count; default: the first that reports it")
    threshold: float | None = Field(None, description="the worst acceptable value; at_least and at_most need it")
    target: float | None = Field(None, description="the wanted value, for goal target")
    unit: Unit | None = Field(None, description="of threshold and target; default: the oracle's")


class OracleEntry(Entry):
    """Further keys belong to the plug-in."""

    model_config = ConfigDict(extra="allow")
    kind: str = Field(description="openmm, measurement, table or module:Class")
    fidelity: str | None = Field(None, description="price and quality level")
    fidelities: list[str] | None = Field(
        None, min_length=1, description="rising in cost: the last counts, cheaper ones label as many designs as pay"
    )
    replicates: Count | None = Field(None, description="per design; default: the oracle's own")
    replicates_max: Count | None = Field(
        None, description="to which a design gets more where its error bar decides which designs lead"
    )
    labels: Labels | None = Field(
        None, description="a cheap source: generated designs it labels each round, or auto; its records are synthetic"
    )
    time_limit: Seconds | None = Field(None, description="per attempt, such as 10 min")
    attempts: Count = Field(3, description="tries when the machine, not the design, fails")


class PluginEntry(Entry):
    """Further keys belong to the plug-in."""

    model_config = ConfigDict(extra="allow")
    kind: str = Field(description="an entry-point name or module:Class")


class StopEntry(Entry):
    evaluations: Count | None = None
    rounds: Count | None = None
    hours: Hours | None = None
    stalled_rounds: Count | None = None
    hypervolume: float | None = Field(None, gt=0)
    expected_gain: float | None = Field(
        None, gt=0, description="least that the next design is expected to gain, in spreads of the designs so far"
    )
    regret: float | None = Field(
        None, gt=0, description="by how much an untried design may surpass the known ones, in spreads of these"
    )


class ExecutionEntry(Entry):
    engine: Literal["local"] = "local"
    slots: Count | None = Field(None, description="tasks at once; default: one per core")
    devices: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=1, description="GPUs the slots share, counted from 0; default: all this machine shows"
    )
    schedule: Literal["rounds", "async"] = "rounds"
    failed_limit: float = Field(0.5, gt=0, le=1, description="stop when a larger share of evaluations failed")
    failed_after: Count = Field(8, description="judge failed_limit from this many finished evaluations")
    grace: Seconds = Field(30.0, description="time to write checkpoints after Ctrl-C")


class CampaignEntry(Entry):
    """A nanocomposite-loop campaign."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="names the folder runs/<name>")
    seed: int = Field(ge=0, lt=2**63, description="every random draw derives from it")
    space: dict[str, ParameterEntry] = Field(min_length=1)
    constraints: list[ConstraintEntry] = []
    objectives: list[ObjectiveEntry] = Field(min_length=1)
    oracles: dict[str, OracleEntry] = Field(min_length=1)
    generator: PluginEntry = Field(PluginEntry(kind="cvae"))
    acquisition: PluginEntry | None = Field(None, description="default: by the number of objectives")
    plausible: str | None = Field(
        None, min_length=1, description="CSV or xlsx file of designs, without values, that the search leans towards"
    )
    initial: Count = Field(8, description="designs of the first round, spread over the space")
    batch: Count = Field(4, description="designs of every later round")
    audit: float = Field(0.0, ge=0, le=1, description="share of the replicates spent on testing doubtful records again")
    stop: StopEntry
    execution: ExecutionEntry = Field(default_factory=lambda: ExecutionEntry.model_validate({}))


SECTIONS: dict[str, type[Entry]] = {
    "space": ParameterEntry,
    "constraints": ConstraintEntry,
    "objectives": ObjectiveEntry,
    "oracles": OracleEntry,
    "stop": StopEntry,
    "execution": ExecutionEntry,
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a campaign file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CampaignEntry.model_json_schema(by_alias=True),
    }


def key_names(model: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def note_shape_errors(data: Any, problems: Problems) -> None:
    """Note everything pydantic finds wrong with the shape of the file."""
    try:
        CampaignEntry.model_validate(data)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            note(fault, problems)


def valid(model: type[E], data: Any) -> E | None:
    """The entry, or None where `note_shape_errors` has already told what is wrong with it."""
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


def note(fault: Mapping[str, Any], problems: Problems) -> None:
    where: Where = tuple(fault["loc"])
    if fault["type"] == "extra_forbidden":
        model = CampaignEntry if len(where) == 1 else SECTIONS[str(where[0])]
        if model is ParameterEntry and "smiles" in where[2:-1]:
            model = SmilesEntry
        problems.add(where, f"unknown key{did_you_mean(str(where[-1]), key_names(model))}", at_key=True)
    elif fault["type"] == "missing":
        problems.add(where[:-1], f"the key {where[-1]!r} is missing", at_key=True)
    elif not problems.told(where):
        problems.add(where, in_words(fault))


WANTED_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
MESSAGES = {
    "greater_than": "should be more than {gt:g}, not {input}",
    "greater_than_equal": "should be at least {ge:g}, not {input}",
    "less_than": "should be less than {lt:g}, not {input}",
    "less_than_equal": "should be at most {le:g}, not {input}",
    "too_short": "needs at least {min_length}, has {actual_length}",
    "too_long": "takes at most {max_length}, has {actual_length}",
    "string_pattern_mismatch": "should be letters, digits, dots, dashes and underscores, at most 64, since it "
    "names a folder; not {input}",
    "value_error": "{error}",
}


def in_words(fault: Mapping[str, Any]) -> str:
    """Pydantic's message as the rest of the project would say it."""
    kind, given, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind in WANTED_TYPES:
        return f"should be {WANTED_TYPES[kind]}, not {said(given)}"
    if kind in MESSAGES:
        return MESSAGES[kind].format(**context, input=said(given))
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"should be {context['expected']}, not {said(given)}{did_you_mean(str(given), known)}"
    return str(fault["msg"])


def said(value: Any) -> str:
    """A value as an error message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    return repr(value)
