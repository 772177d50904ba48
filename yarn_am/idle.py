"""TaskManagers that have nothing to do any more: their containers go back, so that others need not wait for the slowest slot. Pure."""

from __future__ import annotations

import logging

from yarn_am.job_state import JobState
from yarn_am.task_managers import TaskManager, TaskManagers

logger = logging.getLogger(__name__)


class IdleTaskManagers:
    """Since when each has been idle.

    Args:
        timeout_s: how long one may be, Flink's `resourcemanager.taskmanager-timeout`.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._since: dict[str, float] = {}

    def due(self, task_managers: TaskManagers, job: JobState, now: float) -> list[TaskManager]:
        """Returns those that are to be released at `now`."""
        idle = [each for each in task_managers.registered() if not job.may_need(each)]
        self._since = {each.id: self._since.get(each.id, now) for each in idle}
        due = [each for each in idle if now - self._since[each.id] >= self._timeout_s]
        for each in due:
            logger.info("Releasing TaskManager %s, which has had nothing to do for %g s", each.id, self._timeout_s)
        return due
