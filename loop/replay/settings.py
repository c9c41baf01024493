"""What a replay is asked for: its settings and choices, judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loop import plugins
from loop.campaign.model import PluginSpec
from loop.errors import BadInput
from loop.plugins import PluginError
from loop.replay.answers import Answers
from loop.replay.play import ALIKE, Choice
from loop.types import goals

CONTROL = Choice(PluginSpec("random", {}), PluginSpec(ALIKE, {}))
"""Random picks, with which every choice is compared."""


def with_settings(answers: Answers, *, seed: int | None, initial: int | None, batch: int | None) -> Answers:
    """The answers under other settings than the campaign's own. Raises BadInput where the first round leaves nothing to
    choose."""
    campaign = answers.campaign
    if batch is not None:
        campaign = replace(campaign, batch=batch, execution=replace(campaign.execution, schedule="rounds"))
    campaign = replace(
        campaign,
        seed=campaign.seed if seed is None else seed,
        initial=campaign.initial if initial is None else initial,
    )
    if campaign.initial >= len(answers.of):
        raise BadInput(
            f"{campaign.name}: the first {campaign.initial} of {len(answers.of)} designs are drawn at random, "
            f"so that nothing is left to choose; give --initial, at most {len(answers.of) - 1}"
        )
    return replace(answers, campaign=campaign)


def most_evaluations(answers: Answers, evaluations: int | None, rounds: int | None) -> int:
    """How many designs a run may spend. Raises BadInput where that is no more than the first ones."""
    campaign = answers.campaign
    limits = [len(answers.of)]
    if evaluations is not None:
        limits.append(evaluations)
    if rounds is not None:
        limits.append(campaign.initial + rounds * campaign.designs_per_round)
    if min(limits) <= campaign.initial:
        raise BadInput(
            f"--evaluations {evaluations}: the first {campaign.initial} designs are drawn at random; allow more, or "
            "give a smaller --initial"
        )
    return min(limits)


def choices(answers: Answers, acquisitions: Sequence[str], generators: Sequence[str]) -> list[Choice]:
    """Every acquisition with every generator, the control last. Without any named, the campaign's own acquisition and
    the table as it is. A kind that the campaign file names has the file's options. Raises BadInput as `judge` does."""
    campaign = answers.campaign
    first = [options_of(campaign.acquisition, kind) for kind in acquisitions] or [campaign.acquisition]
    second = [options_of(campaign.generator, kind) for kind in generators] or [CONTROL.generator]
    found = [Choice(acquisition, generator) for generator in second for acquisition in first]
    for choice in found:
        judge(choice, answers)
    return [*{choice.name: choice for choice in found if choice.name != CONTROL.name}.values(), CONTROL]


def options_of(own: PluginSpec, kind: str) -> PluginSpec:
    return own if kind == own.kind else PluginSpec(kind, {})


def judge(choice: Choice, answers: Answers) -> None:
    """Raises BadInput for a kind that is not known, cannot be built, or cannot answer this campaign."""
    campaign, built = answers.campaign, {}
    for role, spec in (("acquisition", choice.acquisition), ("generator", choice.generator)):
        try:
            built[role] = plugins.build(role, spec.kind, spec.options, campaign.folder)
        except PluginError as error:
            raise BadInput(f"--{role} {spec.kind}: {error}") from error
    name, wanted = f"--acquisition {choice.acquisition.kind}", len(goals(campaign.objectives))
    if wanted not in (getattr(built["acquisition"], "objectives_allowed", None) or (wanted,)):
        cure = getattr(built["acquisition"], "other", "choose another")
        raise BadInput(f"{name}: cannot handle {wanted} objective{'s' * (wanted > 1)}: {cure}")
    missing = [oracle for oracle in campaign.deciding if oracle not in campaign.oracles]
    if missing and getattr(built["acquisition"], "cost_aware", False):
        raise BadInput(
            f"{name}: cost_aware asks {missing[0]} what designs cost, which cannot be built here; make it importable, "
            "or take cost_aware out of the campaign file"
        )
