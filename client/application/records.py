"""What the application master says of its application at `/application`, as typed records, read tolerantly.

The shape is in docs/architecture.md, "REST of the application master".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.outcome import Outcome
from protocol.usage import DeviceUsage, SlotUsage


@dataclass(frozen=True)
class Device:
    """A device that a slot holds; `properties` is whatever else its driver found, `state` healthy or lost, for the `cause`."""

    resource: str
    index: str
    uuid: str
    properties: Mapping[str, str]
    state: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Slot:
    """A slot and the devices that belong to it alone."""

    id: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class ContainerUse:
    """What a container uses: memory in MiB beside what was asked for, CPU in percent of one core; and each running slot in it."""

    memory_mb: int
    memory_asked_mb: int
    cpu_percent: float
    slots: tuple[SlotUsage, ...] = ()


@dataclass(frozen=True)
class Requested:
    """What is asked of an external resource: `amount` for each TaskManager of the group; `yarn_type` is empty when YARN isn't asked."""

    group: str
    name: str
    amount: int
    yarn_type: str


@dataclass(frozen=True)
class TaskManager:
    """A TaskManager; it has slots from its registration on.

    `granted` is what YARN gave its container, resource type → amount; `heartbeats` how many signs of life it gave, and `usage` what its
    devices told of themselves in the last one, `use` what it and its slots used; None while it gives none.
    """

    id: str
    state: str
    node: str
    granted: Mapping[str, int]
    slots: tuple[Slot, ...]
    heartbeats: int = 0
    usage: tuple[DeviceUsage, ...] = ()
    use: ContainerUse | None = None


@dataclass(frozen=True)
class Job:
    """A job's progress, in fragments and rows, what it reported when it was done, and how often it was started again."""

    id: str
    name: str
    status: str
    done: int
    total: int
    rows: int
    report: Mapping[str, Any]
    restarts: int = 0


@dataclass(frozen=True)
class Failure:
    """Something that went wrong in a TaskManager: one line of cause, one of remedy, and what a script or traceback said.

    `number` counts up from 1 within the application; `kind` is the cause's, as in `yarn_am.failures`.
    """

    task_manager: str
    node: str
    cause: str
    remedy: str
    detail: str
    number: int = 0
    kind: str = ""


@dataclass(frozen=True)
class Application:
    """Everything that a follower shows.

    `requested` is the number of TaskManagers asked for, `waiting` holds the ids of those that have not registered yet; `master` is what the
    application master's own container uses, None where it does not tell; `user` is whose it is. Times are in milliseconds since the epoch,
    `now` by the master's clock, and `running_since` is 0 until its job started.
    """

    id: str
    name: str
    state: str
    outcome: Outcome | None
    requested: int
    task_managers: tuple[TaskManager, ...]
    jobs: tuple[Job, ...]
    failures: tuple[Failure, ...]
    waiting: tuple[str, ...] = ()
    requested_resources: tuple[Requested, ...] = ()
    master: ContainerUse | None = None
    user: str = ""
    started: int = 0
    running_since: int = 0
    now: int = 0


def application(tree: Any) -> Application:
    """Returns the application behind the answer of `/application`.

    Raises:
        ValueError: when it is not such an answer.
    """
    if not isinstance(tree, dict) or "state" not in tree:
        raise ValueError("not an answer of Treadle's application master")
    try:
        return Application(
            id=_text(tree, "id"),
            name=_text(tree, "name"),
            state=_text(tree, "state"),
            outcome=_outcome(tree.get("outcome")),
            requested=int(tree.get("requested") or 0),
            task_managers=tuple(_task_manager(item) for item in tree.get("taskmanagers") or ()),
            jobs=tuple(_job(item) for item in tree.get("jobs") or ()),
            failures=tuple(_failure(number, item) for number, item in enumerate(tree.get("failures") or (), 1)),
            waiting=tuple(_text(item, "id") for item in tree.get("waiting") or ()),
            requested_resources=tuple(_requested(tree)),
            master=_master(tree.get("master") or {}),
            user=_text(tree, "user"),
            **{name: int(tree.get(name) or 0) for name in ("started", "running_since", "now")},
        )
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not an answer of Treadle's application master: {error}") from error


def _outcome(tree: Any) -> Outcome | None:
    return None if tree is None else Outcome(_text(tree, "status"), int(tree.get("exit_code") or 0), _text(tree, "diagnostics"))


def _task_manager(tree: Any) -> TaskManager:
    slots = tuple(Slot(_text(slot, "id"), tuple(_device(item) for item in slot.get("devices") or ())) for slot in tree.get("slots") or ())
    granted = {str(name): int(amount) for name, amount in (tree.get("granted") or {}).items()}
    usage = tree.get("usage") or {}
    devices = tuple(_usage(item) for item in usage.get("devices") or ())
    return TaskManager(
        _text(tree, "id"),
        _text(tree, "state"),
        _host(_text(tree, "node")),
        granted,
        slots,
        int(usage.get("heartbeats") or 0),
        devices,
        _use(usage),
    )


def _use(tree: Any) -> ContainerUse | None:
    if not tree:
        return None
    slots = tuple(
        SlotUsage(_text(slot, "id"), *(_number(slot, key) for key in ("memory_mb", "cpu_percent", "seconds")))
        for slot in tree.get("slots") or ()
    )
    return ContainerUse(_number(tree, "memory_mb"), _number(tree, "memory_asked_mb"), _number(tree, "cpu_percent"), slots)


def _master(tree: Any) -> ContainerUse | None:
    return _use(tree) if tree.get("memory_mb") else None


def _number(tree: Any, key: str) -> Any:
    """An older or newer master may lack it."""
    return tree.get(key) or 0


def _requested(tree: Any) -> Iterator[Requested]:
    for group in tree.get("groups") or ():
        for each in group.get("external_resources") or ():
            yield Requested(_text(group, "name"), _text(each, "name"), int(each.get("amount") or 0), _text(each, "yarn_type"))


def _usage(tree: Any) -> DeviceUsage:
    names = ("utilization", "memory_used_mb", "memory_total_mb", "temperature_c", "power_w")
    return DeviceUsage(_text(tree, "resource"), _text(tree, "uuid"), *(tree.get(name) for name in names))


def _device(tree: Any) -> Device:
    properties = {str(key): str(value) for key, value in (tree.get("properties") or {}).items()}
    return Device(
        _text(tree, "resource"), _text(tree, "index"), _text(tree, "uuid"), properties, _text(tree, "state"), _text(tree, "cause")
    )


def _job(tree: Any) -> Job:
    progress = tree.get("progress") or {}
    done, total, rows = (int(progress.get(key) or 0) for key in ("done", "total", "rows"))
    return Job(
        _text(tree, "id"),
        _text(tree, "name"),
        _text(tree, "status"),
        done,
        total,
        rows,
        tree.get("report") or {},
        int(tree.get("restarts") or 0),
    )


def _failure(place: int, tree: Any) -> Failure:
    cause, remedy, detail = (_text(tree, key) for key in ("cause", "remedy", "detail"))
    where = _text(tree, "task_manager"), _host(_text(tree, "node"))
    return Failure(*where, cause, remedy, detail, int(tree.get("number") or place), _text(tree, "kind"))


def _host(node: str) -> str:
    """YARN says host:port of a NodeManager; a person knows the host."""
    host, colon, port = node.rpartition(":")
    return host if colon and port.isdigit() else node


def _text(tree: Any, key: str) -> str:
    value = tree.get(key)
    return "" if value is None else str(value)
