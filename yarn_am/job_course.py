"""The course of the job: when it starts, what the end of a slot or the loss of a TaskManager means to it, when it starts again. Pure."""

from __future__ import annotations

import logging

from protocol.outcome import FAILED, SUCCEEDED, Outcome
from protocol.records import SlotResult
from yarn_am import causes
from yarn_am.events import Action, Deploy, Finish, MainEnded, StartMain
from yarn_am.failures import Failure
from yarn_am.job_state import SLOT_STARTS, JobState
from yarn_am.losses import Losses
from yarn_am.plan import Plan
from yarn_am.task_managers import TaskManagers

logger = logging.getLogger(__name__)


class JobCourse:
    """Decides; what it has decided stands in `job`."""

    def __init__(self, plan: Plan, task_managers: TaskManagers, job: JobState, losses: Losses) -> None:
        self._plan, self._task_managers, self._job, self._losses = plan, task_managers, job, losses

    def due(self, now: float) -> list[Action]:
        """The job starts, or a command starts again, when all TaskManagers are there; a Dask job takes each as it comes."""
        if self._job.started is not None and self._job.scheduler:
            return [self._deploy()]
        if len(self._task_managers.registered()) < self._plan.task_managers:
            return []
        if self._job.started is None:
            self._job.started = now
            logger.info("All %d TaskManagers are there, starting the job", self._plan.task_managers)
            return [StartMain() if self._plan.job_kind == "main" else self._deploy()]
        return self._start_again(now)

    def _start_again(self, now: float) -> list[Action]:
        if self._job.restart_due is None or now < self._job.restart_due:
            return []
        self._job.restart_due = None
        logger.info("Starting attempt %d of %s", self._job.attempt + 1, self._plan.job_name)
        return [self._deploy()]

    def lost(self, failure: Failure, now: float) -> list[Action]:
        """A TaskManager is lost: a command that ran in it does not go on without; one that waits to start again waits for it too."""
        if self._job.started is None or self._plan.job_kind == "main" or self._job.restart_due is not None:
            return []
        return self._restart(Outcome(FAILED, 1, failure.text), now, counts=failure.counts)

    def slot_ended(self, result: SlotResult, now: float) -> list[Action]:
        """A slot's process ended; a result of an attempt or start that is over says nothing."""
        if not self._job.is_current(result):
            return []
        self._job.results[result.slot_id] = result
        if self._plan.job_kind == "main":
            return self._start_slot_again(result) if result.exit_code else []
        if result.exit_code and self._job.failed_slots() > self._plan.allowed_failures:
            outcome = Outcome(FAILED, result.exit_code, causes.slot_failed(result, self._plan))
            return [Finish(outcome)] if self._plan.fail_fast else self._restart(outcome, now, counts=True)
        if len(self._job.results) < self._plan.parallelism:
            return []
        failed = f", {self._job.failed_slots()} failed, as allowed" if self._job.failed_slots() else ""
        return [Finish(Outcome(SUCCEEDED, 0, f"{self._plan.job_name} succeeded in {len(self._job.results)} slots{failed}"))]

    def main_ended(self, event: MainEnded) -> list[Action]:
        """The job's main ended, and with it the application."""
        if event.exit_code == 0:
            return [Finish(Outcome(SUCCEEDED, 0, f"{self._plan.job_name} succeeded"))]
        return [Finish(Outcome(FAILED, event.exit_code, causes.main_failed(event, self._plan)))]

    def _restart(self, outcome: Outcome, now: float, *, counts: bool) -> list[Action]:
        """Stops a command in all slots, to be started again when all TaskManagers are there; ends with `outcome` when that isn't borne."""
        restart = self._plan.restart
        self._job.restarts += int(counts)
        if restart.attempts == 0 or self._job.restarts > restart.attempts:
            return [Finish(outcome)]
        logger.warning("Restarting %s (%d of %d attempts used): %s", self._plan.job_name, self._job.restarts, restart.attempts, outcome)
        return [Deploy(self._job.pause(self._task_managers, now + restart.delay_s)), *self._losses.needed_again(now)]

    def _start_slot_again(self, result: SlotResult) -> list[Action]:
        cause = causes.slot_failed(result, self._plan)
        starts = self._job.starts[result.slot_id] = self._job.starts.get(result.slot_id, 0) + 1
        if starts >= SLOT_STARTS:
            return [Finish(Outcome(FAILED, result.exit_code, cause))]
        logger.warning("Starting slot %s again (%d of %d): %s", result.slot_id, starts + 1, SLOT_STARTS, cause)
        return [self._deploy()]

    def _deploy(self) -> Deploy:
        return Deploy(self._job.deployment(self._task_managers))
