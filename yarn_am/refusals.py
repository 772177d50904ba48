"""Which well-formed messages are not believed, and why: what they say can't be true of the TaskManager they speak of. Pure."""

from __future__ import annotations

from protocol.records import VERSION, DeviceLost, Registration, RegistrationFailure
from protocol.usage import Heartbeat
from yarn_am.task_managers import TaskManager, TaskManagerState


def of_registration(task_manager: TaskManager, registration: Registration) -> str | None:
    """Returns why a registration is refused, None when it is good."""
    if registration.version != VERSION:
        return f"its protocol version is {registration.version}, mine {VERSION}"
    if task_manager.state in (TaskManagerState.ENDED, TaskManagerState.GONE):
        return "it was given up"
    if task_manager.registered:
        return f"{task_manager.container_id} is registered under this id"
    if len(registration.slots) != task_manager.group.slots:
        return f"it has {len(registration.slots)} slots where {task_manager.group.slots} were asked for"
    if (given := [slot.id for slot in registration.slots]) != task_manager.slots:
        return f"its slots are {str(given)[:200]} where {task_manager.slots} were expected"
    return None


def of_failure(task_manager: TaskManager, failure: RegistrationFailure) -> str | None:
    """Returns why it is not believed that a TaskManager can't register, None when it is."""
    if failure.version != VERSION:
        return f"its protocol version is {failure.version}, mine {VERSION}"
    if task_manager.registered:
        return f"{task_manager.container_id} is registered under this id"
    if task_manager.state is not TaskManagerState.REQUESTED:
        return "it was given up"
    return None


def of_heartbeat(task_manager: TaskManager, heartbeat: Heartbeat) -> str | None:
    """Returns why the heartbeat of a registered TaskManager is not taken, None when it is good."""
    if heartbeat.version != VERSION:
        return f"its protocol version is {heartbeat.version}, mine {VERSION}"
    told = [slot.slot_id for slot in heartbeat.slots]
    if not set(told) <= _slots_of(task_manager) or len(set(told)) < len(told):
        return f"it tells of slots {str(told)[:200]}, not all of which are its own"
    return None


def of_lost_device(task_manager: TaskManager, lost: DeviceLost) -> str | None:
    """Returns why a registered TaskManager's word of a lost device is not taken, None when it is good."""
    if lost.version != VERSION:
        return f"its protocol version is {lost.version}, mine {VERSION}"
    if not set(lost.slots) <= _slots_of(task_manager):
        return f"it tells of slots {str(lost.slots)[:200]}, not all of which are its own"
    return None


def _slots_of(task_manager: TaskManager) -> set[str]:
    return {slot.id for slot in task_manager.registration.slots} if task_manager.registration else set()
