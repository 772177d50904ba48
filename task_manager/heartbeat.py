"""A TaskManager's signs of life, with what it uses. Its main loop writes them, so that one that is stuck falls silent."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence

from processes.usage import TreeUsage, UsageMeter
from protocol import keys
from protocol.records import VERSION
from protocol.store import Store
from protocol.usage import Heartbeat, SlotUsage
from protocol.wire import to_bytes
from task_manager.device_usage import DeviceUsageWatch
from task_manager.identity import Identity

_CONTAINER = ""
_ENDED = TreeUsage(0, 0.0, 0.0)


class Pulse:
    """Says when the next sign of life is due, and gives it.

    Args:
        store: shared with the application master.
        identity: whose sign it is.
        interval_s: between two of them.
        devices: tells what the devices do.
    """

    def __init__(self, store: Store, identity: Identity, interval_s: float, devices: DeviceUsageWatch) -> None:
        self._store, self._identity, self._interval_s, self._devices = store, identity, interval_s, devices
        self._meter = UsageMeter()
        self._number, self._due = 0, time.monotonic()

    def start(self) -> None:
        """Starts to ask the devices."""
        self._devices.start()

    def stop(self) -> None:
        """Ends that."""
        self._devices.stop()

    def due_in_s(self) -> float:
        """Returns the seconds until the next one is due, 0 when it is."""
        return max(0.0, self._due - time.monotonic())

    def beat(self, slots: Mapping[str, int | None]) -> Sequence[SlotUsage]:
        """Gives a sign of life when it is due; `slots` has the process id of each slot, None when it does not run.

        Returns:
            What the slots use that run; nothing when it was not due.

        Raises:
            StoreClosedError: when the application master has gone.
        """
        if self.due_in_s():
            return ()
        self._due = time.monotonic() + self._interval_s
        self._number += 1
        heartbeat = self._heartbeat(slots)
        self._store.put(keys.heartbeat(self._identity.task_manager_id), to_bytes(heartbeat), owned=True)
        return heartbeat.slots

    def _heartbeat(self, slots: Mapping[str, int | None]) -> Heartbeat:
        # a container's root is the shell that YARN starts us by: a few MiB that are not counted here
        usage = self._meter.read({slot_id: pid for slot_id, pid in slots.items() if pid is not None} | {_CONTAINER: os.getpid()})
        container = usage.pop(_CONTAINER, _ENDED)
        return Heartbeat(
            version=VERSION,
            task_manager_id=self._identity.task_manager_id,
            container_id=self._identity.container_id,
            number=self._number,
            memory_mb=container.memory_mb,
            cpu_percent=container.cpu_percent,
            slots=tuple(SlotUsage(slot_id, **dataclasses.asdict(used)) for slot_id, used in usage.items()),
            devices=self._devices.latest(),
        )
