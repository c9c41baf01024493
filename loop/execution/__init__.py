"""Running attempts. `run_attempt(folder)` is the only thing ever submitted to an executor; all else is in the folder.

The spec (`spec.json`, written by `Store.intend`) holds

    kind, options, folder     what `loop.plugins.build("oracle", kind, options, Path(folder))` takes
    isolation                 "process" (default) or "inline"
    time_limit                seconds, or null for none (not enforced inline)
    grace                     seconds between SIGTERM and SIGKILL (default 10)
    heartbeat                 seconds between heartbeats (default 10)
    threads                   CPU threads of the child (default 1)
    attempt, n, token, task, design, resume_from      added by the store

and the result (`result.json`, also what the future returns)

    status       observed | failed | timeout | crashed | fenced | already-claimed
    task_id, attempt (n), token, host, seconds
    estimates    {property: {mean, se, unit, n_eff, method}}, checks, artifacts, provenance      where observed
    cause, reason, evidence, checks                                          where failed, timeout or crashed
    progress     bool: whether the work folder changed                       where timeout
"""

from loop.execution.attempt import fence, inspect, read_result
from loop.execution.shim import run_attempt
from loop.execution.slots import make_slots

__all__ = ["fence", "inspect", "make_slots", "read_result", "run_attempt"]
