"""What a campaign's own records answer, and what there is to be found in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from loop.errors import BadInput
from loop.pareto import hypervolume
from loop.replay.recorded import open_recorded
from loop.standing import reference_point, standings
from loop.types import TEACHING_CAUSES, Design, Failure, Record

if TYPE_CHECKING:
    from loop.campaign import Campaign
    from loop.store import Reader

LEAST_DESIGNS = 3
"""With fewer there is nothing to choose between once one is drawn."""

SHARE = 0.95
"""Share of the campaign's hypervolume that counts as found: the last of it may hang on a design of little worth."""

Answer = tuple[Record | Failure, ...]


@dataclass(frozen=True)
class Answers:
    """The designs that can be picked, in the order of decision, with what the campaign recorded of each.

    `reference` is the campaign's own reference point; `left_out` counts what is not replayed and says why; `notes` says
    what else is missing.
    """

    campaign: Campaign
    of: Mapping[Design, Answer]
    reference: tuple[float, ...]
    left_out: Mapping[str, int]
    notes: Sequence[str]

    def found(self, records: Sequence[Record]) -> float | None:
        """Best utility of the records, or with several goals their hypervolume; None where no design counts yet."""
        utilities = [s.utilities for s in standings(records, self.campaign.objectives) if s.allowed]
        if not utilities:
            return None
        return max(utilities)[0] if len(self.reference) == 1 else hypervolume(utilities, self.reference)

    @cached_property
    def whole(self) -> float:
        """What all records together hold."""
        value = self.found(records_in(self.of.values()))
        assert value is not None  # `recorded` refuses such campaigns
        return value

    @property
    def wanted(self) -> float:
        """What counts as found: the best value there is, or SHARE of the hypervolume."""
        return self.whole if len(self.reference) == 1 else SHARE * self.whole

    @property
    def evaluations_of_campaign(self) -> int:
        """After how many of the designs the campaign itself had what is wanted, at the end of that round."""
        rounds = {design: max(one.round for one in answer) for design, answer in self.of.items()}
        for number in sorted(set(rounds.values())):
            known = [answer for design, answer in self.of.items() if rounds[design] <= number]
            value = self.found(records_in(known))
            if value is not None and value >= self.wanted:
                return len(known)
        return len(self.of)


def records_in(answers: Iterable[Answer]) -> list[Record]:
    """The answers without the failures among them."""
    return [one for answer in answers for one in answer if isinstance(one, Record)]


def recorded(file: Path) -> Answers:
    """What the campaign of a file or run folder found out. Reads only; no oracle is asked.

    Raises BadInput where there is too little to replay, and as `open_recorded` does.
    """
    campaign, reader, notes = open_recorded(file)
    with reader:
        answers, left_out = answers_of(campaign, reader)
    if len(answers) < LEAST_DESIGNS:
        counted = "no evaluated design" if not answers else f"{len(answers)} evaluated design{'s' * (len(answers) > 1)}"
        why = "".join(f"; {count} {name}" for name, count in left_out.items())
        raise BadInput(
            f"{campaign.name}: {counted} to replay, at least {LEAST_DESIGNS} are needed{why}; "
            f"go on first: loop run {campaign.path.name}"
        )
    records = records_in(answers.values())
    standing = standings(records, campaign.objectives)
    if not any(one.allowed for one in standing):
        what = "keeps every outcome constraint" if standing else "has every objective"
        raise BadInput(f"{campaign.name}: no design of {len(answers)} {what}, so that there is nothing to be found")
    found = Answers(campaign, answers, reference_point(standing, campaign.objectives), left_out, notes)
    if len(found.reference) > 1 and found.whole <= 0:
        raise BadInput(
            f"{campaign.name}: no design is better than every objective's threshold, so that no hypervolume is to be "
            "found; loosen the thresholds, loop amend, and replay again"
        )
    return found


def answers_of(campaign: Campaign, reader: Reader) -> tuple[dict[Design, Answer], dict[str, int]]:
    """What is known of each design by all oracles of the objectives, and how much is left out, by reason."""
    records, failures = reader.records(), reader.failures()
    everything: list[Record | Failure] = [*records, *failures]
    known: dict[Design, list[Record | Failure]] = {}
    for one in everything:
        teaches = isinstance(one, Record) or one.cause in TEACHING_CAUSES
        if one.oracle in campaign.deciding and teaches:
            known.setdefault(one.design, []).append(one)
    whole = {design: one for design, one in known.items() if {a.oracle for a in one} == set(campaign.deciding)}
    answers = {design: tuple(one) for design, one in whole.items() if not campaign.space.violations(design)}
    asked = {one.design for one in everything if one.oracle in campaign.deciding}
    left_out = {
        "synthetic records": sum(record.kind == "synthetic" for record in records),
        "designs that some objective's oracle did not answer": len(asked) - len(whole),
        "designs outside the present space": len(whole) - len(answers),
    }
    return answers, {name: count for name, count in left_out.items() if count}
