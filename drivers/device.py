"""The contract of a driver: one method, one record; and what it may have besides (`WatchesHealth`, `TellsUsage`, `ReleasesDevices`).

A driver is made by a factory that is called with its own parameters only, `external-resource.<name>.param.*` with the prefix removed:
`factory(params: Mapping[str, str]) -> Driver`. It is registered under the entry-point group `treadle.drivers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class DriverError(Exception):
    """A driver could not do its work.

    Attributes:
        cause: what went wrong, one line, naming the tool or library and its answer.
        remedy: what to do about it, one line.
        detail: the rest that may help (a script's stderr), may be empty or long.
    """

    def __init__(self, cause: str, remedy: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause, self.remedy, self.detail = cause, remedy, detail


@dataclass(frozen=True)
class FoundDevice:
    """A device as its driver found it.

    Attributes:
        index: what Flink's `ExternalResourceInfo` calls `index`: an opaque string, unstable under isolation.
        uuid: identifies the device on this node for as long as the node is up; leases and slots go by it.
        properties: whatever else is known: name, memory, pci_bus_id, …; docs/drivers.md lists those that a TaskManager reads.
        visibility: environment variable → the value that makes just this device visible to a process; a slot with several devices gets the
            values joined by commas.
    """

    index: str
    uuid: str
    properties: Mapping[str, str] = field(default_factory=dict)
    visibility: Mapping[str, str] = field(default_factory=dict)


class WatchesHealth(Protocol):
    """What a driver may offer besides: its devices are watched while a TaskManager holds them."""

    def health(self, device_uuid: str) -> str | None:
        """Returns None for a healthy device, else in one line what is wrong with it: that takes the device out of service for good.

        Asked of each held device every `treadle.health.interval`, one call at a time per driver, and not again of a lost device. The first
        call comes right after the devices were taken: what counts from then on (memory errors, say) has its base there.

        Raises:
            DriverError: when that can't be found out; the device stays in service.
        """


@dataclass(frozen=True)
class DeviceUsage:
    """What a device does now; None: it does not tell.

    Attributes:
        utilization: percent of the time in which it worked, lately.
        memory_used_mb: MiB, of all processes.
        memory_total_mb: MiB.
        temperature_c: °C.
        power_w: W.
    """

    utilization: int | None = None
    memory_used_mb: int | None = None
    memory_total_mb: int | None = None
    temperature_c: int | None = None
    power_w: float | None = None

    def is_well_formed(self) -> bool:
        """Returns whether every value is of its type: somebody else's code has made it."""
        whole = (self.utilization, self.memory_used_mb, self.memory_total_mb, self.temperature_c)
        return all(value is None or type(value) is int for value in whole) and type(self.power_w) in (type(None), int, float)


class TellsUsage(Protocol):
    """What a driver may offer besides: it says how busy its devices are."""

    def usage(self, device_uuids: Sequence[str]) -> Mapping[str, DeviceUsage]:
        """Returns the usage of held devices by uuid; one that is left out does not tell.

        Asked every `heartbeat.interval`, in a thread of its own: `health` may be under way at the same time. An answer that takes long
        holds nobody up; until it comes nothing is known.

        Raises:
            DriverError: when that can't be found out.
        """


class ReleasesDevices(Protocol):
    """What a driver may offer besides: it is told when its devices are no longer used."""

    def release(self, device_uuids: Sequence[str]) -> None:
        """Gives back whatever `discover` took on the node: rows in a file, a session of a library.

        Called once, when the TaskManager ends in an orderly way, also when it could not get all its devices, with those that it held
        (perhaps none). Its slots have ended by then. A driver that hung when it was asked for devices is not told, and a killed TaskManager
        calls nothing, so this must not be what others rely on.

        Raises:
            DriverError: when that fails; it is logged, with any other exception, and a call that takes long is left alone.
        """


class Driver(Protocol):
    """Finds the devices of one external resource on this node.

    A driver may have an attribute `remarks`: what its tool said beside the last answer (a script's stderr), shown when devices are short.
    And `busy`: whether its last answer, or its `DriverError`, is short because others use devices just now. Then it is asked again until
    `treadle.lease.timeout`.
    """

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns at least `amount` devices, best first, when the node shows so many; else all it shows.

        On a node without isolation it may list devices that other containers hold. The TaskManager leases `amount` of them and asks again
        for more when some are taken. It is called in a thread; an answer after `external-resource.<name>.discovery-timeout`
        is dropped, and the driver not called again.

        Raises:
            DriverError: when the devices can't be found out at all.
        """
