"""What the REST server shows of use: the latest of each TaskManager, its slots and devices, and the last while for charts. Pure.

Built under the lock for each who looks: `dataclasses.asdict`, which copies what is in a record too, would take six times as long.
"""

from __future__ import annotations

from typing import Any

from protocol.records import Device
from protocol.usage import SlotUsage
from yarn_am.cluster_state import ClusterState
from yarn_am.samples import DEVICE_QUANTITIES, SLOT_QUANTITIES, Quantity
from yarn_am.task_managers import TaskManager

Json = dict[str, Any]

HEALTHY, LOST = "healthy", "lost"


def latest(task_manager: TaskManager, memory_asked_mb: int) -> Json | None:
    """Returns what the last sign of life of a TaskManager told; None when it has given none, or is not there any more."""
    heartbeat = task_manager.heartbeat
    if heartbeat is None or not task_manager.registered:
        return None
    return {
        "heartbeats": heartbeat.number,
        "memory_mb": heartbeat.memory_mb,
        "memory_asked_mb": memory_asked_mb,
        "cpu_percent": heartbeat.cpu_percent,
        "slots": [_named(slot) for slot in heartbeat.slots],
        "devices": [dict(vars(device)) for device in heartbeat.devices],
    }


def of_master(state: ClusterState, memory_asked_mb: int) -> Json:
    """Returns what the application master's container uses, beside what was asked for it; null where nobody measures it, in local mode."""
    used = state.master
    return {
        "memory_asked_mb": memory_asked_mb,
        "memory_mb": used.memory_mb if used else None,
        "cpu_percent": used.cpu_percent if used else None,
    }


def device(task_manager: TaskManager, found: Device) -> Json:
    """Returns a device as it was registered, and how it is: `state`, and the `cause` when it is lost."""
    cause = task_manager.lost_devices.get(found.uuid)
    state: Json = {"state": HEALTHY} if cause is None else {"state": LOST, "cause": cause}
    return vars(found) | state


def history(state: ClusterState, now: float) -> Json:
    """Returns the samples of every TaskManager that is there, as `of_task_manager` does."""
    return {"taskmanagers": [of_task_manager(each, now) for each in state.task_managers.registered()]}


def of_task_manager(task_manager: TaskManager, now: float) -> Json:
    """Returns a TaskManager's samples, the oldest first, each list as long as `seconds_ago`; null where something was not told."""
    samples, registration = task_manager.samples, task_manager.registration
    slots = registration.slots if registration else ()
    devices = {(found.resource, found.uuid): None for slot in slots for found in slot.devices}
    values = samples.values()
    unknown = [None] * len(samples.times())
    return {
        "id": task_manager.id,
        "seconds_ago": [round(now - at, 1) for at in samples.times()],
        **{name: values.get(Quantity(name), unknown) for name in SLOT_QUANTITIES},
        "slots": [{"id": slot.id, **{name: values.get(Quantity(name, (slot.id,)), unknown) for name in SLOT_QUANTITIES}} for slot in slots],
        "devices": [
            {
                "resource": resource,
                "uuid": uuid,
                **{name: values.get(Quantity(name, (resource, uuid)), unknown) for name in DEVICE_QUANTITIES},
            }
            for resource, uuid in devices
        ],
    }


def _named(slot: SlotUsage) -> Json:
    return {"id": slot.slot_id, "memory_mb": slot.memory_mb, "cpu_percent": slot.cpu_percent, "seconds": slot.seconds}
