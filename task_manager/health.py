"""Watches the devices that a TaskManager holds, by asking their drivers; each that is lost is told of once.

The rules: what a driver's `health` returns (`drivers.device.WatchesHealth`) is believed at once; how much it takes to say so is the
driver's own affair. A driver that raises or hangs says nothing of its devices: they stay in service, and the log tells of it once.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from drivers.device import DriverError
from protocol.records import VERSION, DeviceLost, Slot
from task_manager.held_devices import HeldDevices
from task_manager.identity import Identity

logger = logging.getLogger(__name__)

PATIENCE_S = 30.0
"""Seconds after which the log tells of a driver that has not answered."""

LOOK_S = 5.0
"""Seconds that a failed slot's result waits for the drivers' answer."""

STOP_S = 1.0
"""Seconds that the end waits for an answer that is under way, so that a driver is not told to release meanwhile."""

LONGEST_CAUSE = 500

Tell = Callable[[str, str, str], None]
"""Takes a lost device: resource, uuid, cause."""


class HealthWatch:
    """Asks each driver that offers `health` in a thread of its own, so that one that hangs stops nobody else.

    Args:
        held: the devices of each resource.
        identity: whose they are.
        slots: which slot has which device.
        interval_s: between two looks at a device; 0: devices are not watched.
        patience_s: see `PATIENCE_S`.
    """

    def __init__(
        self, held: Iterable[HeldDevices], identity: Identity, slots: tuple[Slot, ...], interval_s: float, patience_s: float = PATIENCE_S
    ) -> None:
        self._identity, self._slots = identity, slots
        watched = [of_one for of_one in held if interval_s and of_one.devices and hasattr(of_one.driver, "health")]
        self._watches = [_DriverWatch(of_one, interval_s, patience_s) for of_one in watched]

    def start(self, emit: Callable[[DeviceLost], None]) -> None:
        """Starts to look; `emit` is called from other threads."""

        def tell(resource: str, uuid: str, cause: str) -> None:
            having = tuple(slot.id for slot in self._slots if any((d.resource, d.uuid) == (resource, uuid) for d in slot.devices))
            emit(DeviceLost(VERSION, self._identity.task_manager_id, self._identity.container_id, resource, uuid, having, cause))

        for watch in self._watches:
            watch.start(tell)

    def look_now(self, resources: Collection[str], limit_s: float = LOOK_S) -> None:
        """Returns when the devices of these resources have been looked at once more, or after `limit_s` seconds."""
        deadline = time.monotonic() + limit_s
        for looked in [watch.request() for watch in self._watches if watch.resource in resources]:
            looked.wait(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Ends the looking."""
        for watch in self._watches:
            watch.stop()
        deadline = time.monotonic() + STOP_S
        for watch in self._watches:
            watch.join(max(0.0, deadline - time.monotonic()))


class _DriverWatch:
    """One driver's devices; all its calls come from one thread."""

    def __init__(self, held: HeldDevices, interval_s: float, patience_s: float) -> None:
        self.resource, self._driver = held.resource, held.driver
        self._interval_s, self._patience_s = interval_s, patience_s
        self._uuids = [device.uuid for device in held.devices]
        self._unknown: dict[str, str] = {}
        self._requests: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self, tell: Tell) -> None:
        # a daemon, so that a driver that hangs can't keep the TaskManager from ending
        self._thread = threading.Thread(target=self._run, args=(tell,), name=f"health-{self.resource}", daemon=True)
        self._thread.start()

    def request(self) -> threading.Event:
        """Asks for a look before its time; the event is set after it."""
        looked = threading.Event()
        self._requests.put(looked)
        return looked

    def stop(self) -> None:
        self._stopping = True
        self.request()

    def join(self, limit_s: float) -> None:
        if self._thread:
            self._thread.join(limit_s)

    def _run(self, tell: Tell) -> None:
        waiting: list[threading.Event] = []
        while not self._stopping:
            for uuid in tuple(self._uuids):
                self._look_at(uuid, tell)
            for looked in waiting:
                looked.set()
            waiting = self._wait()

    def _wait(self) -> list[threading.Event]:
        """Returns those who wait for the next look, when it is due."""
        waiting = []
        with suppress(queue.Empty):
            waiting.append(self._requests.get(timeout=self._interval_s))
            while True:
                waiting.append(self._requests.get_nowait())
        return waiting

    def _look_at(self, uuid: str, tell: Tell) -> None:
        if self._stopping:
            return
        ailment, doubt = self._ask(uuid)
        if doubt != self._unknown.get(uuid, ""):
            self._unknown[uuid] = doubt
            if doubt:
                logger.warning("Can't find out how %s %s is, going on with it: %s", self.resource, uuid, doubt)
            else:
                logger.info("The driver tells again how %s %s is", self.resource, uuid)
        if ailment is not None and not self._stopping:
            self._uuids.remove(uuid)
            tell(self.resource, uuid, ailment)

    def _ask(self, uuid: str) -> tuple[str | None, str]:
        """Returns what is wrong with the device, and why that is not known."""
        said = f"The driver of {self.resource} has not said within {self._patience_s:g} s how {uuid} is; its devices stay in service"
        alarm = threading.Timer(self._patience_s, logger.warning, (said,))
        alarm.daemon = True
        alarm.start()
        try:
            answer = self._driver.health(uuid)  # type: ignore[union-attr]  # optional in the contract; made sure of above
        except DriverError as error:
            return None, f"{error.cause}. {error.remedy}"
        except Exception as error:  # somebody else's code: whatever it raises must not end the watch
            return None, f"its driver failed: {type(error).__name__}: {error}"
        finally:
            alarm.cancel()
        if answer is not None and not isinstance(answer, str):
            return None, f"its driver answered {answer!r:.200} where None or a line of text was expected"
        return (None if answer is None else " ".join(answer.split())[:LONGEST_CAUSE] or "its driver does not say why"), ""
