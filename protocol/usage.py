"""A TaskManager's sign of life, and what it tells of use; read by the application master and, in what that shows, by the client.

Apart from `protocol.records`, of which a command that only looks would make twenty classes for these two.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlotUsage:
    """What a slot's process and its children use: memory in MiB, CPU in percent of one core; and how long it has run, in seconds."""

    slot_id: str
    memory_mb: int
    cpu_percent: float
    seconds: float


@dataclass(frozen=True)
class DeviceUsage:
    """What a device tells of itself; None where it does not: utilization in percent, memory in MiB, temperature in °C, power in W."""

    resource: str
    uuid: str
    utilization: int | None
    memory_used_mb: int | None
    memory_total_mb: int | None
    temperature_c: int | None
    power_w: float | None


@dataclass(frozen=True)
class Heartbeat:
    """A TaskManager lives: its main loop wrote this. `number` counts them; memory (MiB) and CPU are those of its whole container."""

    version: int
    task_manager_id: str
    container_id: str
    number: int
    memory_mb: int
    cpu_percent: float
    slots: tuple[SlotUsage, ...]
    devices: tuple[DeviceUsage, ...]
