"""The engine: `run` takes a campaign from wherever it stands to where it ends."""

from __future__ import annotations

from loop.campaign import Campaign


def run(campaign: Campaign, *, json_events: bool = False) -> int:
    """Start a campaign, or go on with it after any interruption; returns the exit code (DESIGN: 0, 3, 4, 75).

    Raises BadInput where the campaign file no longer fits what the store holds, Locked where another process runs it,
    StorageError where the disk refuses, and KeyboardInterrupt at the second Ctrl-C; simulations then still run in
    the slots, and end with this process.
    """
    from loop.campaign.guard import keep
    from loop.engine.driver import Driver
    from loop.engine.interrupts import Interrupts
    from loop.engine.progress import make_progress
    from loop.execution import make_slots
    from loop.execution.devices import chosen
    from loop.store import Store

    with Interrupts() as interrupts, Store.open(campaign.run_folder) as store:
        keep(store, campaign)
        progress = make_progress(campaign, json_events=json_events)
        slots = make_slots(campaign.execution.slots, chosen(campaign.execution.devices))
        try:
            return Driver(campaign, store, slots, progress, interrupts).run()
        finally:
            progress.close()
            slots.shutdown(wait=False, cancel_futures=True)
