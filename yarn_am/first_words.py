"""A TaskManager's first word, that it registers or can't: believed, refused, or kept until YARN tells of its container's grant. Pure.

YARN's word and a TaskManager's come by different ways, and neither waits for the other.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from protocol.records import Registration, RegistrationFailure
from yarn_am import refusals
from yarn_am.events import Event, LostDevice, Registered, RegistrationFailed
from yarn_am.task_managers import TaskManager, TaskManagers

logger = logging.getLogger(__name__)


class FirstWords:
    """Keeps, by TaskManager, the container that it speaks from and what it said there, in order."""

    def __init__(self, task_managers: TaskManagers) -> None:
        self._task_managers = task_managers
        self._kept: dict[str, tuple[str, list[Event]]] = {}

    def speaker(self, event: Registered | RegistrationFailed, grants: Collection[str]) -> TaskManager | None:
        """Returns the TaskManager that says it, None when it is not believed, or not yet: `grants` has other containers than this one."""
        record = event.registration if isinstance(event, Registered) else event.failure
        task_manager = self._task_managers.get(record.task_manager_id)
        if task_manager is None or (reason := _refusal(task_manager, record)):
            reason = reason if task_manager else "no such TaskManager was asked for"
            what = "registration" if isinstance(event, Registered) else "failure"
            logger.warning("Refused %s of %.99r in %.99r: %s", what, record.task_manager_id, record.container_id, reason)
            return None
        if grants and record.container_id not in grants:
            self._keep(event, record)
            return None
        return task_manager

    def follow(self, event: LostDevice) -> None:
        """A device was lost, which is told once: it is kept with its TaskManager's first word, if that is."""
        container_id, events = self._kept.get(event.record.task_manager_id, ("", []))
        if container_id == event.record.container_id and event not in events:
            events.append(event)

    def granted(self, container_id: str) -> list[Event]:
        """Returns what was said in a container, whose grant is told now."""
        speaker = next((name for name, (spoken_from, _) in self._kept.items() if spoken_from == container_id), None)
        return self._kept.pop(speaker)[1] if speaker is not None else []

    def _keep(self, event: Registered | RegistrationFailed, record: Registration | RegistrationFailure) -> None:
        _, events = self._kept.get(record.task_manager_id, ("", []))
        if events[:1] != [event]:
            logger.warning("TaskManager %s spoke from %.99r, which YARN has not granted yet", record.task_manager_id, record.container_id)
            self._kept[record.task_manager_id] = (record.container_id, [event])


def _refusal(task_manager: TaskManager, record: Registration | RegistrationFailure) -> str | None:
    if isinstance(record, Registration):
        return refusals.of_registration(task_manager, record)
    return refusals.of_failure(task_manager, record)
