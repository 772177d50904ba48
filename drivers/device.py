"""The contract of a driver: one method, one record.

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
        properties: whatever else is known: name, memory, pci_bus_id, …
        visibility: environment variable → the value that makes just this device visible to a process; a slot with several devices gets the
            values joined by commas.
    """

    index: str
    uuid: str
    properties: Mapping[str, str] = field(default_factory=dict)
    visibility: Mapping[str, str] = field(default_factory=dict)


class WatchesHealth(Protocol):
    """What a driver may offer besides."""

    def health(self, device_uuid: str) -> str | None:
        """Returns None for a healthy device, else in one line what is wrong with it.

        Raises:
            DriverError: when that can't be found out.
        """


class Driver(Protocol):
    """Finds the devices of one external resource on this node.

    A driver may have an attribute `remarks`: what its tool said beside the last answer (a script's stderr), shown when devices are short.
    """

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns at least `amount` devices, best first, when the node shows so many; else all it shows.

        On a node without isolation it may list devices that other containers hold. The TaskManager leases `amount` of them and asks again
        for more when some are taken.

        Raises:
            DriverError: when the devices can't be found out at all.
        """
