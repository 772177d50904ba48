"""What an application's master, TaskManagers, slots and devices use, as rows for a person and as JSON. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from client.application.records import Application, ContainerUse, Device, Slot, TaskManager
from protocol.usage import DeviceUsage, SlotUsage

CONTAINER_HEADER = ("TASK", "NODE", "STATE", "MEMORY (MiB)", "CPU", "RUNS (s)")
DEVICE_HEADER = ("SLOT", "NODE", "RESOURCE", "INDEX", "NAME", "DEVICE-STATE", "UTIL", "MEMORY (MiB)", "TEMP", "POWER")

MASTER = "am"
"""The application master among tasks, as `submit logs` calls it."""

_NONE = "-"


def container_rows(told: Application) -> Iterator[tuple[str, ...]]:
    """Yields a row for the application master, for each TaskManager that is there, and for each of its slots."""
    if told.master:
        yield (MASTER, _NONE, told.state, *_container(told.master), "")
    for tm in _present(told):
        yield (tm.id, tm.node, tm.state, *_container(tm.use), "")
        by_slot = _slots(tm)
        for slot in tm.slots:
            used = by_slot.get(slot.id)
            state = "running" if used else "idle" if tm.use else _NONE
            values = (str(used.memory_mb), _percent(used.cpu_percent), f"{used.seconds:.0f}") if used else (_NONE,) * 3
            yield (f"  {slot.id}", tm.node, state, *values)


def device_rows(told: Application) -> Iterator[tuple[str, ...]]:
    """Yields a row for each device of each slot."""
    for tm, slot, device, usage in _devices(told):
        where = (slot.id, tm.node, device.resource, device.index, device.properties.get("name", _NONE), device.state or _NONE)
        yield (*where, *_figures(usage))


def _container(use: ContainerUse | None) -> tuple[str, str]:
    return (f"{use.memory_mb}/{use.memory_asked_mb}", _percent(use.cpu_percent)) if use else (_NONE, _NONE)


def master(told: Application) -> dict[str, Any]:
    """Returns what the application master uses as JSON, null for what is not told."""
    return _use(told.master)


def tree(told: Application) -> list[dict[str, Any]]:
    """Returns the same as JSON, numbers as they were told and null for what is not."""
    return [_task_manager(tm) for tm in _present(told)]


def _task_manager(tm: TaskManager) -> dict[str, Any]:
    by_slot, by_device = _slots(tm), _usages(tm)
    slots = [
        {
            "id": slot.id,
            **{name: getattr(by_slot.get(slot.id), name, None) for name in ("memory_mb", "cpu_percent", "seconds")},
            "devices": [_device(device, by_device.get((device.resource, device.uuid))) for device in slot.devices],
        }
        for slot in tm.slots
    ]
    return {"id": tm.id, "node": tm.node, "state": tm.state, **_use(tm.use), "slots": slots}


def _use(use: ContainerUse | None) -> dict[str, Any]:
    return {name: getattr(use, name, None) for name in ("memory_mb", "memory_asked_mb", "cpu_percent")}


def _device(device: Device, usage: DeviceUsage | None) -> dict[str, Any]:
    names = [each.name for each in dataclasses.fields(DeviceUsage) if each.name not in ("resource", "uuid")]
    return {
        **{name: getattr(device, name) for name in ("resource", "index", "uuid", "state", "cause")},
        "name": device.properties.get("name"),
        **{name: getattr(usage, name, None) for name in names},
    }


def _present(told: Application) -> Iterator[TaskManager]:
    return (tm for tm in told.task_managers if tm.state != "ENDED")


def _devices(told: Application) -> Iterator[tuple[TaskManager, Slot, Device, DeviceUsage | None]]:
    for tm in _present(told):
        usages = _usages(tm)
        for slot in tm.slots:
            for device in slot.devices:
                yield tm, slot, device, usages.get((device.resource, device.uuid))


def _slots(tm: TaskManager) -> Mapping[str, SlotUsage]:
    return {each.slot_id: each for each in tm.use.slots} if tm.use else {}


def _usages(tm: TaskManager) -> Mapping[tuple[str, str], DeviceUsage]:
    return {(each.resource, each.uuid): each for each in tm.usage}


def _figures(usage: DeviceUsage | None) -> tuple[str, ...]:
    if usage is None:
        return (_NONE,) * 4
    memory = [_NONE if value is None else str(value) for value in (usage.memory_used_mb, usage.memory_total_mb)]
    return (
        _percent(usage.utilization),
        _NONE if memory == [_NONE] * 2 else "/".join(memory),
        _NONE if usage.temperature_c is None else f"{usage.temperature_c} C",
        _NONE if usage.power_w is None else f"{usage.power_w:.0f} W",
    )


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f}%"
