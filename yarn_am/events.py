"""What happens to an application (events) and what is to be done about it (actions): the words of `yarn_am.cluster_state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.outcome import Outcome
from protocol.records import DeviceLost, ExcludedDevice, JobDeployment, Registration, RegistrationFailure, SlotResult, StopRequest
from protocol.usage import Heartbeat


def host(node: str) -> str:
    """Returns the host of YARN's `host:port`."""
    return node.rpartition(":")[0] or node


@dataclass(frozen=True)
class Granted:
    """YARN gave a container: on this node (`host:port`), with these resources (`memory-mb`, `vcores`, `yarn.io/gpu`, …).

    `http` is the `host:port` at which the NodeManager shows logs, "" where there is none.
    """

    container_id: str
    node: str
    resources: Mapping[str, int]
    http: str = ""


@dataclass(frozen=True)
class Completed:
    """A container ended: YARN's exit status (negative ones are YARN's own causes) and diagnostics."""

    container_id: str
    task_manager_id: str | None
    exit_status: int
    diagnostics: str


@dataclass(frozen=True)
class NodeChanged:
    """A node of the cluster (`host:port`) changed: YARN's `NodeState` of it, such as LOST, UNHEALTHY or RUNNING, and its health report."""

    node: str
    state: str
    health: str


@dataclass(frozen=True)
class Registered:
    """A TaskManager's registration arrived."""

    registration: Registration


@dataclass(frozen=True)
class RegistrationFailed:
    """A TaskManager says that it can't register."""

    failure: RegistrationFailure


@dataclass(frozen=True)
class RegistrationLost:
    """A TaskManager's key was deleted: its container has ended, the cause comes as `Completed`."""

    task_manager_id: str


@dataclass(frozen=True)
class SlotEnded:
    """A slot's process ended."""

    result: SlotResult


@dataclass(frozen=True)
class LostDevice:
    """A TaskManager lost a device while it held it; it stops the slots that have the device."""

    record: DeviceLost


@dataclass(frozen=True)
class Heard:
    """A TaskManager's sign of life."""

    record: Heartbeat


@dataclass(frozen=True)
class MasterUsed:
    """What the application master's own container uses: memory in MiB, CPU in percent of one core."""

    memory_mb: int
    cpu_percent: float


@dataclass(frozen=True)
class SchedulerUp:
    """The job's main started a Dask scheduler: slots are to become its workers."""

    address: str


@dataclass(frozen=True)
class Progress:
    """The job got on: fragments done of total, rows so far."""

    name: str
    done: int
    total: int
    rows: int


@dataclass(frozen=True)
class Reported:
    """A `map_batches` of the job ended; its report as plain JSON."""

    name: str
    report: Mapping[str, object]


@dataclass(frozen=True)
class MainEnded:
    """The job's main ended: exit code (128 + n for signal n) and its last lines."""

    exit_code: int
    log_tail: str


@dataclass(frozen=True)
class Interrupted:
    """A signal told the application master to stop, or what it runs on was ended; its next attempt may go on."""

    reason: str


@dataclass(frozen=True)
class StopAsked:
    """Somebody who has the application's key wants its end."""

    request: StopRequest


@dataclass(frozen=True)
class MasterLost:
    """A part of the application master itself broke."""

    cause: str


@dataclass(frozen=True)
class Tick:
    """Time passed."""


Event = (
    Granted
    | Completed
    | NodeChanged
    | Registered
    | RegistrationFailed
    | RegistrationLost
    | SlotEnded
    | LostDevice
    | Heard
    | MasterUsed
    | SchedulerUp
    | Progress
    | Reported
    | MainEnded
    | Interrupted
    | StopAsked
    | MasterLost
    | Tick
)


@dataclass(frozen=True)
class StartMain:
    """Start the job's main in this container."""


@dataclass(frozen=True)
class Deploy:
    """Tell every TaskManager what its slots are to run."""

    deployment: JobDeployment


@dataclass(frozen=True)
class Finish:
    """End the application; `retriable` where the next attempt of the application master, if there is one, may do better."""

    outcome: Outcome
    retriable: bool = False


@dataclass(frozen=True)
class RequestContainer:
    """Ask for the container of a TaskManager that replaces another one."""

    task_manager_id: str
    group: str


@dataclass(frozen=True)
class StopContainer:
    """End a container; its completion comes as an event."""

    container_id: str


@dataclass(frozen=True)
class Exclude:
    """Ask for no container on these hosts; none: on every node again."""

    nodes: frozenset[str]


@dataclass(frozen=True)
class ExcludeDevices:
    """Tell the TaskManagers that start from now on which devices to leave alone; none: all are let in again."""

    devices: tuple[ExcludedDevice, ...]


Action = StartMain | Deploy | Finish | RequestContainer | StopContainer | Exclude | ExcludeDevices
