"""The job: what its slots are to run, in which attempt, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from protocol.records import JobDeployment, SlotResult
from yarn_am.events import Progress
from yarn_am.plan import Plan
from yarn_am.task_managers import TaskManager, TaskManagers

SLOT_STARTS = 3
"""How often the Dask worker of one slot is started before the job fails: one that can't work fails at once, each time."""


class JobState:
    """Attempts count a command's starts as a whole; `starts` those of a single slot within an attempt, beyond the first.

    `started` is when all TaskManagers were there for the first time, None until then.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.started: float | None = None
        self.progress: Progress | None = None
        self.report: Mapping[str, object] | None = None
        self.scheduler = ""
        self.attempt = 0
        self.restarts = 0
        self.restart_due: float | None = None
        self.results: dict[str, SlotResult] = {}
        self.starts: dict[str, int] = {}
        self._ranks: Mapping[str, int] = {}

    def deployment(self, task_managers: TaskManagers) -> JobDeployment:
        """Returns what every slot that takes part is to run now."""
        registered = task_managers.registered()
        return self._deployment(registered, dict(_ranks(registered, self._plan.parallelism)))

    def pause(self, task_managers: TaskManagers, due: float) -> JobDeployment:
        """Returns the order to run nothing: the next attempt begins at `due` or when all TaskManagers are there."""
        self.attempt += 1
        self.restart_due = due
        self.results.clear()
        self.starts.clear()
        return self._deployment(task_managers.registered(), {})

    def _deployment(self, registered: list[TaskManager], ranks: Mapping[str, int]) -> JobDeployment:
        self._ranks = ranks
        first = registered[0].registration if registered else None
        return JobDeployment(
            kind="command" if self._plan.job_kind == "command" else "dask",
            name=self._plan.job_name,
            command=self._plan.command if self._plan.job_kind == "command" else (),
            scheduler=self.scheduler,
            ranks=ranks,
            master_address=first.address if first else "",
            master_port=first.ports[self.attempt % len(first.ports)] if first else 0,
            attempt=self.attempt,
            starts={slot: count for slot, count in self.starts.items() if slot in ranks},
        )

    def is_current(self, result: SlotResult) -> bool:
        """Returns whether a result is of a slot that takes part, and of the attempt and start that runs now."""
        return result.slot_id in self._ranks and result.attempt == self.attempt and result.start == self.starts.get(result.slot_id, 0)

    def halt(self) -> JobDeployment:
        """Returns the order to run nothing, at the end; what became of the job stays as it is."""
        return replace(self._deployment([], {}), attempt=self.attempt + 1)

    def running(self, task_managers: TaskManagers) -> set[str]:
        """Returns the slots that were told to run something, are within reach and have not said that it has ended."""
        here = {slot.id for each in task_managers.registered() if each.registration for slot in each.registration.slots}
        return {slot for slot in self._ranks if slot in here and slot not in self.results}

    def may_need(self, task_manager: TaskManager) -> bool:
        """Returns whether any of its slots has something to do, or has again when the command is started again."""
        return self.needs(task_manager) or bool(self._plan.job_kind == "command" and self._plan.restart.attempts)

    def needs(self, task_manager: TaskManager) -> bool:
        """Returns whether any of its slots has something to do: it runs, or will when all are there, or when this one is."""
        if not self._ranks:
            return True
        ended = self.results if self._plan.job_kind == "command" else {}
        taking_part = task_manager.slots[: max(0, self._plan.parallelism - task_manager.first_rank)]
        return any(slot not in ended for slot in taking_part)

    def failed_slots(self) -> int:
        """Returns how many slots of this attempt have failed."""
        return sum(1 for result in self.results.values() if result.exit_code)


def _ranks(registered: list[TaskManager], parallelism: int) -> list[tuple[str, int]]:
    """A slot's rank follows from its TaskManager's place, so that a replacement has the ranks of the one that it replaces."""
    slots = [
        (slot.id, task_manager.first_rank + number)
        for task_manager in registered
        if task_manager.registration
        for number, slot in enumerate(task_manager.registration.slots)
    ]
    return [(slot, rank) for slot, rank in slots if rank < parallelism]
