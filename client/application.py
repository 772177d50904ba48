"""What the application master says of its application at `/application`, as typed records, read tolerantly.

The shape is in docs/architecture.md, "REST of the application master".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.outcome import Outcome


@dataclass(frozen=True)
class Device:
    """A device that a slot holds; `properties` is whatever else its driver found."""

    resource: str
    index: str
    uuid: str
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Slot:
    """A slot and the devices that belong to it alone."""

    id: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class TaskManager:
    """A TaskManager; it has slots from its registration on. `granted` is what YARN gave its container, resource type → amount."""

    id: str
    state: str
    node: str
    granted: Mapping[str, int]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Job:
    """A job's progress, in fragments and rows, and what it reported when it was done."""

    id: str
    name: str
    status: str
    done: int
    total: int
    rows: int
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """Something that went wrong in a TaskManager: one line of cause, one of remedy, and what a script or traceback said."""

    task_manager: str
    node: str
    cause: str
    remedy: str
    detail: str


@dataclass(frozen=True)
class Application:
    """Everything that a follower shows; `requested` is the number of TaskManagers asked for."""

    id: str
    name: str
    state: str
    outcome: Outcome | None
    requested: int
    task_managers: tuple[TaskManager, ...]
    jobs: tuple[Job, ...]
    failures: tuple[Failure, ...]


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
            failures=tuple(_failure(item) for item in tree.get("failures") or ()),
        )
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not an answer of Treadle's application master: {error}") from error


def _outcome(tree: Any) -> Outcome | None:
    return None if tree is None else Outcome(_text(tree, "status"), int(tree.get("exit_code") or 0), _text(tree, "diagnostics"))


def _task_manager(tree: Any) -> TaskManager:
    slots = tuple(Slot(_text(slot, "id"), tuple(_device(item) for item in slot.get("devices") or ())) for slot in tree.get("slots") or ())
    granted = {str(name): int(amount) for name, amount in (tree.get("granted") or {}).items()}
    return TaskManager(_text(tree, "id"), _text(tree, "state"), _host(_text(tree, "node")), granted, slots)


def _device(tree: Any) -> Device:
    properties = {str(key): str(value) for key, value in (tree.get("properties") or {}).items()}
    return Device(_text(tree, "resource"), _text(tree, "index"), _text(tree, "uuid"), properties)


def _job(tree: Any) -> Job:
    progress = tree.get("progress") or {}
    done, total, rows = (int(progress.get(key) or 0) for key in ("done", "total", "rows"))
    return Job(_text(tree, "id"), _text(tree, "name"), _text(tree, "status"), done, total, rows, tree.get("report") or {})


def _failure(tree: Any) -> Failure:
    return Failure(_text(tree, "task_manager"), _host(_text(tree, "node")), *(_text(tree, key) for key in ("cause", "remedy", "detail")))


def _host(node: str) -> str:
    """YARN says host:port of a NodeManager; a person knows the host."""
    host, colon, port = node.rpartition(":")
    return host if colon and port.isdigit() else node


def _text(tree: Any, key: str) -> str:
    value = tree.get(key)
    return "" if value is None else str(value)
