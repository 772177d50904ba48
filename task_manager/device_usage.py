"""What the held devices say of their use, asked of their drivers beside the main loop: one that hangs leaves it to go on.

What a driver does not tell, or not in time, is None: an old figure would look like a new one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from drivers import device as drivers
from drivers.device import DriverError
from protocol.usage import DeviceUsage
from task_manager.held_devices import HeldDevices

logger = logging.getLogger(__name__)

STALE_INTERVALS = 3
"""After so many intervals without an answer of its driver nothing is known of a device."""

_NOTHING = drivers.DeviceUsage()


class DeviceUsageWatch:
    """Asks each driver that offers `usage` in a thread of its own.

    Args:
        held: the devices of each resource.
        interval_s: between two questions.
    """

    def __init__(self, held: Iterable[HeldDevices], interval_s: float) -> None:
        self._held = [of_one for of_one in held if of_one.devices]
        asked = [of_one for of_one in self._held if hasattr(of_one.driver, "usage")]
        self._watches = {of_one.resource: _DriverUsage(of_one, interval_s) for of_one in asked}

    def start(self) -> None:
        """Starts to ask."""
        for watch in self._watches.values():
            watch.start()

    def stop(self) -> None:
        """Ends the asking; does not wait for an answer that is under way."""
        for watch in self._watches.values():
            watch.stop()

    def latest(self) -> tuple[DeviceUsage, ...]:
        """Returns the latest usage of every held device, at once."""
        return tuple(
            _record(of_one.resource, device.uuid, self._told(of_one.resource)) for of_one in self._held for device in of_one.devices
        )

    def _told(self, resource: str) -> Mapping[str, drivers.DeviceUsage]:
        watch = self._watches.get(resource)
        return watch.latest() if watch else {}


class _DriverUsage:
    """One driver's devices; all its calls come from one thread."""

    def __init__(self, held: HeldDevices, interval_s: float) -> None:
        self._resource, self._driver, self._interval_s = held.resource, held.driver, interval_s
        self._uuids = tuple(device.uuid for device in held.devices)
        self._latest: tuple[float, Mapping[str, drivers.DeviceUsage]] = (0.0, {})
        self._doubt = ""
        self._stopping = threading.Event()

    def start(self) -> None:
        # a daemon, so that a driver that hangs can't keep the TaskManager from ending
        threading.Thread(target=self._run, name=f"usage-{self._resource}", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def latest(self) -> Mapping[str, drivers.DeviceUsage]:
        at, told = self._latest
        return told if time.monotonic() - at < STALE_INTERVALS * self._interval_s else {}

    def _run(self) -> None:
        while not self._stopping.is_set():
            told, doubt = self._ask()
            self._latest = time.monotonic(), told
            if doubt != self._doubt:
                self._doubt = doubt
                logger.warning("The use of the devices of %s is %s", self._resource, f"not known: {doubt}" if doubt else "known again")
            self._stopping.wait(self._interval_s)

    def _ask(self) -> tuple[Mapping[str, drivers.DeviceUsage], str]:
        """Returns what the driver tells, and why it does not."""
        try:
            answer = self._driver.usage(self._uuids)  # type: ignore[union-attr]  # optional in the contract; made sure of above
        except DriverError as error:
            return {}, f"{error.cause}. {error.remedy}"
        except Exception as error:  # somebody else's code: whatever it raises must not end the watch
            return {}, f"its driver failed: {type(error).__name__}: {error}"
        if not _is_usage(answer):
            return {}, f"its driver answered {answer!r:.200} where a mapping of uuid to DeviceUsage was expected"
        return answer, ""


def _is_usage(answer: Any) -> bool:
    return isinstance(answer, Mapping) and all(isinstance(each, drivers.DeviceUsage) and each.is_well_formed() for each in answer.values())


def _record(resource: str, uuid: str, told: Mapping[str, drivers.DeviceUsage]) -> DeviceUsage:
    usage = told.get(uuid, _NOTHING)
    return DeviceUsage(resource, uuid, usage.utilization, usage.memory_used_mb, usage.memory_total_mb, usage.temperature_c, usage.power_w)
