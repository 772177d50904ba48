"""The TaskManagers of an application as the application master knows them: who is wanted, who is there, who has ended. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from protocol.records import Registration
from protocol.usage import Heartbeat
from yarn_am.plan import GroupPlan, Plan
from yarn_am.samples import Samples

KEPT = 100
"""How many TaskManagers that have ended are remembered, for those who look."""


class TaskManagerState(enum.Enum):
    """REQUESTED until it registers; GONE when its registration went and YARN has not said why; ENDED for good."""

    REQUESTED = "REQUESTED"
    REGISTERED = "REGISTERED"
    GONE = "GONE"
    ENDED = "ENDED"


@dataclass
class TaskManager:
    """One TaskManager.

    `position` is its place among those wanted, which a replacement takes over and which its slots' ranks follow from: `first_rank` is that
    of its first slot. `since` is the time of its last change of state, or sign of life. `refused` says why its heartbeats are not taken.
    """

    id: str
    group: GroupPlan
    position: int
    first_rank: int
    since: float
    state: TaskManagerState = TaskManagerState.REQUESTED
    registration: Registration | None = None
    container_id: str = ""
    heartbeat: Heartbeat | None = None
    refused: str = ""
    samples: Samples = field(default_factory=Samples)
    lost_devices: dict[str, str] = field(default_factory=dict)

    @property
    def registered(self) -> bool:
        """Returns whether it can work now."""
        return self.state is TaskManagerState.REGISTERED

    @property
    def slots(self) -> list[str]:
        """Returns the ids of its slots, in the order of their ranks."""
        return [f"{self.id}/slot-{number}" for number in range(self.group.slots)]


class TaskManagers:
    """By id; in the order in which they were wanted."""

    def __init__(self, plan: Plan, now: float) -> None:
        self._all: dict[str, TaskManager] = {}
        self._next: dict[str, int] = {}
        rank = 0
        for position, group in enumerate(each for each in plan.groups for _ in range(each.count)):
            self._add(group, position, rank, now)
            rank += group.slots

    def __iter__(self) -> Iterator[TaskManager]:
        return iter(self._all.values())

    def __getitem__(self, task_manager_id: str) -> TaskManager:
        return self._all[task_manager_id]

    def get(self, task_manager_id: str | None) -> TaskManager | None:
        """Returns the TaskManager of this id, None for one that nobody asked for."""
        return self._all.get(task_manager_id or "")

    def registered(self) -> list[TaskManager]:
        """Returns those that can work now, by position."""
        return sorted((each for each in self if each.registered), key=lambda each: each.position)

    def replace(self, lost: TaskManager, now: float) -> TaskManager:
        """Returns a new one in the place of one that has ended; its number is the next of its group, as skein numbers containers."""
        self._forget_oldest()
        return self._add(lost.group, lost.position, lost.first_rank, now)

    def _add(self, group: GroupPlan, position: int, first_rank: int, now: float) -> TaskManager:
        number = self._next.get(group.name, 0)
        self._next[group.name] = number + 1
        new = TaskManager(f"{group.name}-{number}", group, position, first_rank, now)
        self._all[new.id] = new
        return new

    def _forget_oldest(self) -> None:
        ended = [each.id for each in self if each.state is TaskManagerState.ENDED]
        for task_manager_id in ended[:-KEPT]:
            del self._all[task_manager_id]
