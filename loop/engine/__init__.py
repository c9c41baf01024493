"""The engine: `run` takes a campaign from wherever it stands to where it ends."""

from __future__ import annotations

import os

from loop.campaign import Campaign


def run(campaign: Campaign, *, json_events: bool = False) -> int:
    """Start a campaign, or go on with it after any interruption; returns the exit code (DESIGN: 0, 3, 4, 75).

    Raises BadInput where the campaign file no longer fits what the store holds, Locked where another process runs it,
    StorageError where the disk refuses. The second Ctrl-C ends the process with 130.
    """
    from loop.campaign.guard import keep
    from loop.engine.driver import Driver
    from loop.engine.interrupts import Interrupts
    from loop.engine.progress import make_progress
    from loop.execution import make_slots
    from loop.store import Store

    with Interrupts() as interrupts, Store.open(campaign.run_folder) as store:
        keep(store, campaign)
        progress = make_progress(campaign, json_events=json_events)
        slots = make_slots(campaign.execution.slots)
        try:
            return Driver(campaign, store, slots, progress, interrupts).run()
        except KeyboardInterrupt:
            # The slots' threads wait for their children, and leaving by the front door would wait for the threads.
            # The children die with this process; the next run takes up from their checkpoints.
            progress.close()
            os._exit(130)
        finally:
            progress.close()
            slots.shutdown(wait=False, cancel_futures=True)
