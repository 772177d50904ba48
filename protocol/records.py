"""The records that travel between the application master and its TaskManagers.

Written with `protocol.wire.to_bytes`, read with `from_bytes`; the keys are in `protocol.keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = 2
"""Version of these records; a TaskManager of another version is refused."""

_PORTS, _EXIT_CODES = range(1, 1 << 16), range(1 << 8)
_NAME_LENGTH = 255


@dataclass(frozen=True)
class Device:
    """A device that a slot holds.

    `uuid` identifies it on its node, `index` is what Flink's `ExternalResourceInfo` calls so; `properties` is whatever else the driver
    found (name, memory, PCI id).
    """

    resource: str
    index: str
    uuid: str
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Slot:
    """A slot of a TaskManager (`tm-0/slot-1`) and the devices that belong to it alone."""

    id: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Registration:
    """A TaskManager is up, its devices are found and leased, its slots are ready.

    `container_id` is YARN's (or local mode's own); `node` the host that YARN knows; `address` where other slots reach this host; `ports`
    were free there at registration, for the MASTER_PORT of a job's attempts; `pid` is the TaskManager's own.
    """

    version: int
    task_manager_id: str
    container_id: str
    node: str
    address: str
    ports: tuple[int, ...]
    pid: int
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        if not self.ports or any(port not in _PORTS for port in self.ports):
            raise ValueError(f"ports {str(self.ports)[:80]} where one or more from 1 to 65535 were expected")


@dataclass(frozen=True)
class RegistrationFailure:
    """A TaskManager could not register, and why: one line of cause, one of remedy, and what a script or traceback said."""

    version: int
    task_manager_id: str
    container_id: str
    node: str
    cause: str
    remedy: str
    detail: str


@dataclass(frozen=True)
class DeviceLost:
    """A held device is out of service for good, and with it the slots that have it; their processes are being stopped.

    `resource` is the external resource's name, `cause` what its driver says, in one line.
    """

    version: int
    task_manager_id: str
    container_id: str
    resource: str
    uuid: str
    slots: tuple[str, ...]
    cause: str


@dataclass(frozen=True)
class ExcludedDevice:
    """A device of this node (`Registration.node`) that was lost: a TaskManager that starts there leaves it to nobody, for this `cause`."""

    node: str
    resource: str
    uuid: str
    cause: str


@dataclass(frozen=True)
class DeviceExclusions:
    """All devices that are kept out now."""

    devices: tuple[ExcludedDevice, ...]


@dataclass(frozen=True)
class JobDeployment:
    """What the job's slots are to run.

    `kind` is "command" (run `command` in each slot with RANK and its like) or "dask" (be a worker of the scheduler at `scheduler`).
    `ranks` orders the slots that take part: rank 0 holds the job's master address. A TaskManager starts a slot once for each new
    `attempt` (of the job as a whole; what ran before is stopped first) and each new number in `starts` (of the one slot, 0 if missing).
    """

    kind: str
    name: str
    command: tuple[str, ...]
    scheduler: str
    ranks: Mapping[str, int]
    master_address: str
    master_port: int
    attempt: int
    starts: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.kind not in ("command", "dask"):
            raise ValueError(f"kind {self.kind!r} where 'command' or 'dask' was expected")


@dataclass(frozen=True)
class SlotResult:
    """A slot's process ended: 0, its own exit code, or 128 + n for signal n as a shell says it; `log_tail` are its last lines.

    `attempt` and `start` are those of the deployment that started it.
    """

    slot_id: str
    exit_code: int
    log_tail: str
    attempt: int = 0
    start: int = 0

    def __post_init__(self) -> None:
        if self.exit_code not in _EXIT_CODES:
            raise ValueError(f"exit code {self.exit_code} where 0 to 255 was expected")


@dataclass(frozen=True)
class StopRequest:
    """Somebody wants the application's end, for good: who, and on which host."""

    user: str
    host: str

    def __post_init__(self) -> None:
        if max(len(self.user), len(self.host)) > _NAME_LENGTH:
            raise ValueError(f"a name of more than {_NAME_LENGTH} characters")


@dataclass(frozen=True)
class Ending:
    """The application ends, which takes so many seconds at most."""

    seconds: float
