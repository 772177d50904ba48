"""What an application leaves behind for `submit history`: a few files in a directory of its own, named by its id.

Written by the application master, read by the client, of whatever version: who reads takes what it knows and leaves the rest aside.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from protocol.outcome import Outcome

VERSION = 1
"""Version of these records; a later one adds fields."""

SUMMARY, PAGE = "summary.json", "application.json"
"""Names of the files: a `Summary`, and all that the application master's page shows."""

T = TypeVar("T")

_MARKER = re.compile(r"ended-(?P<attempt>\d+)-(?P<status>[A-Z]+)-(?P<code>\d+)-(?P<seconds>\d+)")


@dataclass(frozen=True)
class HistoryDirectory:
    """Where histories lie: `path` on the file system `url` (`hdfs://HOST:PORT`, `hdfs://NAMESERVICE`, or `file://`).

    `settings` are Hadoop's, as the edge node has them.
    """

    url: str
    path: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UsedDevice:
    """A device that a TaskManager had."""

    resource: str = ""
    index: str = ""
    uuid: str = ""
    name: str = ""


@dataclass(frozen=True)
class UsedTaskManager:
    """A TaskManager that registered; `state` is what it was in last."""

    id: str = ""
    node: str = ""
    container: str = ""
    state: str = ""
    devices: tuple[UsedDevice, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a job got, in fragments and rows."""

    name: str = ""
    done: int = 0
    total: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Setting:
    """A key of the configuration, its value (secrets hidden) and where it stands."""

    key: str = ""
    value: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Summary:
    """One application. Times are ISO, in UTC; `ended` and `outcome` are None as long as its end was not written.

    `written` is when this was; `attempt` that of the application master. `reserved_hours` is what YARN had set aside for TaskManagers,
    resource type → amount times hours (memory in MiB); `failures` how many there were of each kind.
    """

    version: int = VERSION
    id: str = ""
    name: str = ""
    user: str = ""
    queue: str = ""
    job: tuple[str, ...] = ()
    job_kind: str = ""
    attempt: int = 1
    started: str = ""
    written: str = ""
    ended: str | None = None
    state: str = ""
    outcome: Outcome | None = None
    requested: int = 0
    task_managers: tuple[UsedTaskManager, ...] = ()
    reserved_hours: Mapping[str, float] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    progress: Progress | None = None
    treadle_version: str = ""
    configuration: tuple[Setting, ...] = ()


def events_file(attempt: int) -> str:
    """Returns the name of the event log of an attempt of the application master: one JSON object a line."""
    return f"events-{attempt}.jsonl"


@dataclass(frozen=True)
class Marker:
    """An empty file whose name tells how an attempt ended.

    It is what can be written in the quarter of a second that a NodeManager leaves between SIGTERM and SIGKILL: an empty file costs HDFS
    a millisecond, one with bytes in it up to half a second.

    `seconds` is when it ended, since the epoch.
    """

    attempt: int
    status: str
    exit_code: int
    seconds: int

    @property
    def name(self) -> str:
        """Returns the file's name."""
        return f"ended-{self.attempt}-{self.status}-{self.exit_code}-{self.seconds}"


def marker_of(name: str) -> Marker | None:
    """Returns the marker that a file's name is, None for another file."""
    match = _MARKER.fullmatch(name)
    return Marker(int(match["attempt"]), match["status"], int(match["code"]), int(match["seconds"])) if match else None


def summary_of(data: bytes) -> Summary:
    """Returns the summary in a file.

    Raises:
        ValueError: when it is no JSON object. Fields that are missing or of another type have their defaults.
    """
    tree = json.loads(data)
    if not isinstance(tree, dict):
        raise ValueError("no JSON object")
    return _known(Summary, tree)


def _known(kind: type[T], tree: Mapping[str, Any]) -> T:
    hints = typing.get_type_hints(kind)
    found = {}
    for each in dataclasses.fields(typing.cast(Any, kind)):
        try:
            found[each.name] = _value(hints[each.name], tree[each.name])
        except (KeyError, TypeError):
            continue
    return kind(**found)


def _value(kind: Any, tree: Any) -> Any:
    """Raises TypeError for what is not of the kind."""
    if isinstance(kind, types.UnionType):
        return None if tree is None else _value(next(each for each in typing.get_args(kind) if each is not type(None)), tree)
    if dataclasses.is_dataclass(kind):
        return _known(typing.cast(type[Any], kind), _expect(dict, tree))
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(_value(arguments[0], each) for each in _expect(list, tree))
    if arguments:
        return {key: _value(arguments[1], each) for key, each in _expect(dict, tree).items()}
    if kind is float and type(tree) is int:
        return float(tree)
    return _expect(kind, tree)


def _expect(kind: type[T], tree: Any) -> T:
    if type(tree) is not kind:
        raise TypeError(f"{tree!r} where {kind.__name__} was expected")
    return tree
