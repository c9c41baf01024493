"""The resume guard: what may change between two runs of one campaign, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loop.campaign.model import Campaign
from loop.errors import BadInput
from loop.types import canonical_json

if TYPE_CHECKING:
    from loop.store import Reader, Store

ABSENT = object()


def keep(store: Store, campaign: Campaign) -> None:
    """Keep the campaign file's text in the store. Raises BadInput as `refuse_changes` does."""
    refuse_changes(store, campaign)
    store.configure(campaign.text, campaign.guarded)


def refuse_changes(reader: Reader, campaign: Campaign) -> None:
    """Raises BadInput with the differences where space, constraints, objectives, seed or the oracles' physics changed
    since the campaign file was last kept."""
    if changes := changed(reader, campaign):
        file = campaign.path.name
        raise BadInput(
            f"{file}: what was decided so far rests on other settings:",
            *(f"  {line}" for line in changes),
            f'{file}: put them back, choose a new name, or accept them: loop amend {file} --reason "..."',
        )


def amend(campaign: Campaign, reason: str) -> list[str]:
    """Accept what differs from the settings kept last, and why; returns the differences.

    Raises BadInput without a reason or before the campaign began, Locked while it runs, StorageError.
    """
    from loop.store import Store

    if not reason.strip():
        raise BadInput("an amendment needs a reason: whoever reads the results will want to know")
    if not (campaign.run_folder / "campaign.db").exists():
        raise BadInput(f"{campaign.path.name}: the campaign has not begun; just change the file")
    with Store.open(campaign.run_folder) as store:
        changes = changed(store, campaign)
        if changes:
            store.configure(campaign.text, campaign.guarded, reason=reason)
            store.event("amended", {"reason": reason, "changes": changes})
    return changes


def changed(reader: Reader, campaign: Campaign) -> list[str]:
    """The guarded differences between the settings kept last and the campaign, one line each; empty for a new one."""
    versions = reader.config_versions()
    return differences(versions[-1].guarded, plain(campaign)) if versions else []


def plain(campaign: Campaign) -> Any:
    """`guarded` as it comes back from the store."""
    import json

    return json.loads(canonical_json(campaign.guarded))


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """`space.oxide.choices: was [...], is [...]`, down to the first level that is no mapping."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        lines = []
        for key in dict.fromkeys([*old, *new]):
            here = f"{where}.{key}" if where else str(key)
            lines += differences(old.get(key, ABSENT), new.get(key, ABSENT), here)
        return lines
    return [] if old == new else [f"{where}: was {said(old)}, is {said(new)}"]


def said(value: Any) -> str:
    return "absent" if value is ABSENT else canonical_json(value)
