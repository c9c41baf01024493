"""Profiles that oracles left beside their numbers: files of strangers read with care, replicates combined."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from loop.records import combine
from loop.standing import Standing
from loop.store import Artifact, Reader
from loop.types import Design, Estimate

FILE = "work/profiles.json"
"""In an attempt's folder."""
MAX_BYTES, MAX_PROFILES, MAX_POINTS, MAX_TEXT = 1_000_000, 12, 500, 80
LARGEST = 1e30
"""Absolute value of a number; its square is still one."""
MAX_SENTENCE = 200

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Numbers = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_POINTS)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Axis(Strict):
    """Where the values are: increasing."""

    label: Text
    unit: Text
    values: Numbers

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if any(a >= b for a, b in pairwise(self.values)):
            raise ValueError("the axis does not increase")
        return self


class Profile(Strict):
    """One quantity along an axis, with the standard error of each value."""

    name: Text
    axis: Axis
    label: Text
    unit: Text
    values: Numbers
    errors: Numbers

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        lengths = [len(each) for each in (self.axis.values, self.values, self.errors)]
        if len(set(lengths)) > 1:
            raise ValueError("axis, values and errors differ in length: {}, {}, {}".format(*lengths))
        if min(self.errors) < 0:
            raise ValueError("an error is negative")
        return self

    @property
    def quantity(self) -> tuple[str, ...]:
        """What must be the same for two profiles to share a panel."""
        return self.name, self.label, self.unit, self.axis.label, self.axis.unit


def distinct(profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
    """Raises ValueError where two have one name: they would count as replicates."""
    if len({profile.name for profile in profiles}) < len(profiles):
        raise ValueError("two entries have the same name")
    return profiles


PROFILES = TypeAdapter(Annotated[tuple[Profile, ...], Field(max_length=MAX_PROFILES), AfterValidator(distinct)])


class Unreadable(ValueError):
    """Why a file of profiles cannot be shown, in words that follow its name."""


Points = dict[float, Estimate]
"""Value by place on the axis, in its order."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity of several designs."""

    label: str
    unit: str
    axis_label: str
    axis_unit: str
    lines: dict[Design, Points] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The panels of one oracle and fidelity."""

    oracle: str
    fidelity: str
    panels: list[Panel]


def read(path: Path, root: Path, sha256: str | None = None) -> tuple[Profile, ...]:
    """The profiles in a file that must lie under `root` and have the digest with which it was stored, if any is given.

    Raises Unreadable for whatever is not what docs/writing_an_oracle.md describes.
    """
    try:
        content = first_bytes(path) if path.resolve().is_relative_to(root.resolve()) and path.is_file() else None
    except (OSError, RuntimeError, ValueError) as error:
        raise Unreadable(f"cannot be read: {error}") from error
    if content is None:
        raise Unreadable("is not a file in the run folder")
    if len(content) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES} bytes")
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise Unreadable("has changed since it was stored")
    try:
        return PROFILES.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(f"{where or 'content'}: {first['msg']}"[:MAX_SENTENCE]) from error


def first_bytes(path: Path) -> bytes:
    """One more than a file of profiles may have."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def gather(reader: Reader, leaders: Sequence[Standing]) -> tuple[list[Profiles], list[str]]:
    """What the answered tasks of the `leaders` left, by oracle and fidelity; a sentence for each bad file."""
    problems: list[str] = []
    by_oracle: dict[tuple[str, str], dict[tuple[str, ...], dict[Design, list[Profile]]]] = {}
    tasks = [row.task for row in reader.tasks("done") if row.kind != "synthetic"]
    for design in (standing.design for standing in leaders):
        for task in (task for task in tasks if task.design_id == design.id):
            quantities = by_oracle.setdefault((task.oracle, task.fidelity), {})
            for profile in left_by(reader.artifacts(task.id), reader.folder, problems):
                quantities.setdefault(profile.quantity, {}).setdefault(design, []).append(profile)
    found = [
        Profiles(oracle, fidelity, [panel(lines) for lines in quantities.values()])
        for (oracle, fidelity), quantities in by_oracle.items()
        if quantities
    ]
    return found, problems


def left_by(artifacts: Sequence[Artifact], root: Path, problems: list[str]) -> Iterator[Profile]:
    """Profiles in the files of one task; what is wrong with any goes to `problems`."""
    for artifact in artifacts:
        if artifact.path == f"attempts/{artifact.attempt_id}/{FILE}":
            try:
                yield from read(root / artifact.path, root, artifact.sha256)
            except Unreadable as error:
                problems.append(f"{artifact.path} {error}")


def panel(lines: dict[Design, list[Profile]]) -> Panel:
    first = next(iter(lines.values()))[0]
    points = {design: combined(replicates) for design, replicates in lines.items()}
    return Panel(first.label, first.unit, first.axis.label, first.axis.unit, points)


def combined(replicates: Sequence[Profile]) -> Points:
    """Mean and standard error at each place over the replicates that have it, as of any property."""
    told = [
        {
            repr(x): Estimate(value, error, one.unit)
            for x, value, error in zip(one.axis.values, one.values, one.errors, strict=True)
        }
        for one in replicates
    ]
    found = {float(x): estimate for x, estimate in combine(told, {}).items()}
    return dict(sorted(found.items()))
