"""The loop itself: recover, ingest, decide, submit, until a stop criterion is reached or nothing is left to do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from loop.campaign import Campaign
from loop.engine import extend
from loop.engine.audit import Auditor, summary
from loop.engine.budget import designs_left, failed_share, out_of_time, reason_to_stop
from loop.engine.decide import Decider, Decision
from loop.engine.history import history
from loop.engine.interrupts import Interrupts
from loop.engine.progress import Progress
from loop.execution import fence, inspect, read_result, run_attempt
from loop.store import SYNTHETIC, Origin, Store, TaskRow
from loop.types import Failed, Observed, Task

TICK = 0.5
DONE, WORK_FAILED, WAITING, INTERRUPTED = 0, 3, 4, 75


class Driver:
    """Runs one campaign from whatever state its store is in. `run` returns the exit code."""

    def __init__(
        self, campaign: Campaign, store: Store, slots: Executor, progress: Progress, interrupts: Interrupts
    ) -> None:
        self.campaign = campaign
        self.store = store
        self.slots = slots
        self.progress = progress
        self.interrupts = interrupts
        self.decider = Decider(campaign, campaign.run_folder / "models")
        self.auditor = Auditor(campaign, self.decider.fitter)
        self.oracles = campaign.deciding
        self.awaited = {*campaign.deciding, *(spec.name for spec in campaign.sources)}
        self.live: dict[Future[dict[str, Any]], str] = {}
        self.ending = ""
        self.seen: tuple[int, int] | None = None

    def run(self) -> int:
        self.store.event("run_started", {"slots": self.campaign.execution.slots})
        self._recover()
        self._top_up()
        while True:
            self._drain_inbox()
            self._collect()
            if self.interrupts.asked_to_stop:
                return self._interrupt()
            if self._news():
                if self._too_many_failures():
                    return self._give_up()
                if self._idle():
                    self._go_on()
                self._submit()
                self.progress.counts(self.store.counts())
            if not self.live:
                return self._end()
            wait(self.live, timeout=TICK, return_when=FIRST_COMPLETED)

    def _news(self) -> bool:
        """Whether anything has changed since this was last asked: what follows from it reads the whole campaign."""
        state = self.store.last_event(), len(self.live)
        changed, self.seen = state != self.seen, state
        return changed

    # -- recover ------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Settle every attempt an earlier run left open: take its result, or fence it and queue its task again."""
        for row in self.store.live_attempts():
            folder = row.attempt.folder
            if inspect(folder) != "finished":
                fence(folder)
            self._settle(row.attempt.id, row.attempt.task_id, row.attempt.n, read_result(folder), "the run ended")

    def _settle(self, attempt_id: str, task: str, n: int, result: Mapping[str, Any] | None, reason: str) -> None:
        """Ingest a result if there is one, else give the attempt up."""
        if result is not None and result["status"] not in ("fenced", "already-claimed"):
            self._ingest(attempt_id, task, result)
            return
        self.store.lose(attempt_id, reason)
        self.progress.event("attempt_lost", {"task": task, "attempt": n, "reason": reason})

    # -- ingest -------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        attempts = {row.attempt.id: row.attempt for row in self.store.live_attempts()}
        for future in [future for future in self.live if future.done()]:
            attempt = attempts.get(self.live.pop(future))
            if attempt is not None:
                self._settle(attempt.id, attempt.task_id, attempt.n, future.result(), "it was fenced")

    def _ingest(self, attempt_id: str, task: str, result: Mapping[str, Any]) -> None:
        oracle = self.campaign.oracles[self._row(task).task.oracle]
        if self.store.ingest(attempt_id, result, attempts=oracle.attempts):
            self._announce(task, result)

    def _announce(self, task: str, result: Mapping[str, Any]) -> None:
        answer = self.store.observed(task)
        said = {"task": task, "design": self._describe(task)}
        if isinstance(answer, Observed):
            wanted = [o.property for o in self.campaign.objectives if o.property in answer.estimates]
            values = {name: (answer.estimates[name].mean, answer.estimates[name].se) for name in wanted}
            self.progress.event("task_done", {**said, "values": values})
        elif isinstance(answer, Failed):
            self.progress.event("task_failed", {**said, "cause": answer.cause, "reason": answer.reason})
        else:
            reason = str(result.get("reason", result["status"]))
            self.progress.event("attempt_lost", {"task": task, "attempt": result["attempt"], "reason": reason})

    def _describe(self, task: str) -> str:
        """The free values of a task's design: `magnetite, 4.0, PVDF`."""
        design = self.store.designs()[self._row(task).task.design_id]
        return ", ".join(str(design.values[p.name]) for p in self.campaign.space.free)

    def _row(self, task: str) -> TaskRow:
        return next(row for row in self.store.tasks() if row.task.id == task)

    def _drain_inbox(self) -> None:
        from loop.sheets import drain_inbox

        drain_inbox(self.store, self.campaign)

    # -- decide -------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """What follows on a complete round: its audit, more replicates where they decide who leads, its ledger, and the
        next round."""
        if self._audit() or self._extend():
            return
        self._judge()
        if not self.ending and reason_to_stop(self.campaign, self.store) is None:
            self._decide()

    def _idle(self) -> bool:
        """Whether the schedule has nothing left to hand out."""
        states = Counter(row.state for row in self.store.tasks() if self._counts(row))
        if self.campaign.execution.schedule == "async" and self.store.current_round() is not None:
            return states["queued"] == 0 and states["waiting"] < self.campaign.batch
        return states["queued"] + states["running"] + states["waiting"] == 0

    def _counts(self, row: TaskRow) -> bool:
        """Whether a task belongs to the loop: an unsolicited or unasked-for measurement holds up nothing."""
        return row.task.oracle in self.awaited

    def _decide(self) -> None:
        last = self.store.current_round()
        round = 0 if last is None else last + 1
        count = self.campaign.initial if round == 0 else self.campaign.designs_per_round
        left = designs_left(self.campaign, len(self.store.proposals()))
        wanted = count if left is None else min(count, left)
        decision = self.decider.decide(round, history(self.campaign, self.store), wanted)
        if not decision.picks:
            self.ending = decision.ending or "no valid design is left"
            return
        self._commit(decision)

    def _commit(self, decision: Decision) -> None:
        specs = self.campaign.oracles.values()
        tasks = extend.new_tasks(self.campaign, self.store, decision.picks, decision.labels)
        info = {**decision.info, "seed": self.campaign.seed, "data_seq": self.store.last_event()}
        self.store.decide(
            decision.round,
            decision.picks,
            tasks,
            kinds={spec.name: spec.record_kind for spec in specs},
            waiting=[spec.name for spec in specs if spec.isolation == "person"],
            info=info,
        )
        for reason in info.get("notes", ()):
            self.progress.event("fallback", {"round": decision.round, "reason": reason})
        for reason in info.get("labels", ()):
            self.progress.event("message", {"text": f"round {decision.round}: {reason}"})
        roles = Counter(pick.role for pick in decision.picks)
        said = {"round": decision.round, "designs": len(decision.picks) - roles[SYNTHETIC], "roles": dict(roles)}
        self.progress.event("decided", {**said, "seconds": info["seconds"]})

    # -- audit --------------------------------------------------------------------------------------------------

    def _audit(self) -> bool:
        """Whether records of the last round are in doubt and tested again."""
        if self.store.current_round() is None or out_of_time(self.campaign, self.store):
            return False
        tasks, info = self.auditor.replicas(self.store)
        if tasks:
            self._add("audit", tasks, "what the other records predict is far from theirs", info)
        return bool(tasks)

    def _judge(self) -> None:
        """Keep the ledger of the last round, which is complete now."""
        if self.store.current_round() is None or self.campaign.execution.schedule == "async":
            return
        ledger = self.auditor.ledger(self.store)
        if ledger is not None:
            self.store.judge(ledger)
            self.progress.event("judged", {"round": ledger.round, "found": summary(ledger)})

    # -- extend -------------------------------------------------------------------------------------------------

    def _top_up(self) -> None:
        """Bring every evaluation so far to the number of replicates that the campaign file asks for by now."""
        tasks = extend.missing(self.campaign, self.store)
        if tasks:
            wanted = {name: self.campaign.oracles[name].replicates for name in dict.fromkeys(t.oracle for t in tasks)}
            reason = ", ".join(f"{count} replicates of {name}" for name, count in wanted.items())
            self._add("amended", tasks, f"the campaign file asks for {reason}", {})

    def _extend(self) -> bool:
        """Whether the last round left it open which designs lead, and replicates were added that may tell."""
        if out_of_time(self.campaign, self.store):
            return False
        found = extend.undecided(self.campaign, self.store)
        if found:
            info = {"distances": {task.id: doubt.distance for doubt, task in found}, "seen": len(self.store.records())}
            reason = f"the ranking turns within {extend.CLOSE:g} standard errors"
            self._add("undecided", [task for _, task in found], reason, info)
        return bool(found)

    def _add(self, origin: Origin, tasks: Sequence[Task], reason: str, info: Mapping[str, Any]) -> None:
        self.store.extend(origin, tasks, reason=reason, info=info)
        designs = len({task.design_id for task in tasks})
        said = {"origin": origin, "replicates": len(tasks), "designs": designs, "reason": reason}
        self.progress.event("extended", said)

    # -- submit -------------------------------------------------------------------------------------------------

    def _submit(self) -> None:
        free = self.campaign.execution.slots - len(self.live)
        for row in self.store.tasks("queued")[: max(0, free)]:
            attempt = self.store.intend(row.task.id, self._spec(row.task.oracle))
            self.live[self.slots.submit(run_attempt, str(attempt.folder))] = attempt.id

    def _spec(self, oracle: str) -> dict[str, Any]:
        spec = self.campaign.oracles[oracle]
        return {
            "kind": spec.kind,
            "options": dict(spec.options),
            "folder": str(self.campaign.folder),
            "isolation": spec.isolation,
            "time_limit": spec.time_limit,
            "grace": self.campaign.execution.grace,
        }

    # -- end ----------------------------------------------------------------------------------------------------

    def _too_many_failures(self) -> bool:
        share, finished = failed_share(self.store, self.oracles)
        execution = self.campaign.execution
        return finished >= execution.failed_after and share > execution.failed_limit

    def _give_up(self) -> int:
        self._fence_live("too much failed")
        share, finished = failed_share(self.store, self.oracles)
        text = (
            f"stopped: {share:.0%} of {finished} evaluations failed, more than execution.failed_limit "
            f"{self.campaign.execution.failed_limit:.0%}; `loop report` shows the causes"
        )
        return self._finish(WORK_FAILED, text)

    def _interrupt(self) -> int:
        self.progress.event("message", {"text": "stopping; running tasks keep their last checkpoint"})
        self._fence_live("interrupted")
        return self._finish(INTERRUPTED, "interrupted; run the same command again to go on")

    def _fence_live(self, reason: str) -> None:
        """End what runs. A task's work folder keeps its checkpoint, from which the next attempt goes on."""
        for row in self.store.live_attempts():
            fence(row.attempt.folder)
        wait(self.live, timeout=self.campaign.execution.grace + 10 * TICK)
        for row in self.store.live_attempts():
            self._settle(row.attempt.id, row.attempt.task_id, row.attempt.n, read_result(row.attempt.folder), reason)

    def _end(self) -> int:
        waiting = [row for row in self.store.tasks("waiting") if self._counts(row)]
        if waiting:
            designs = len({row.task.design_id for row in waiting})
            return self._finish(WAITING, f"waiting for measurements of {designs} designs: loop ask, then loop tell")
        reason = reason_to_stop(self.campaign, self.store) or self.ending
        return self._finish(DONE, f"done: {reason}")

    def _finish(self, code: int, text: str) -> int:
        self.store.event("run_ended", {"exit_code": code, "reason": text, "at": time.time()})
        self.progress.event("message", {"text": text})
        return code
