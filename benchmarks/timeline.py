"""When YARN did what for one application, as its daemons' own logs tell it: to the millisecond, and without asking anything of them.

The lines are those of `RMAppImpl`, `RMContainerImpl` and `ContainerImpl`, the same in Hadoop 3.1 to 3.5; the time stamps are
log4j's ISO8601 of `conf/hadoop/log4j.properties`, in local time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

STAGES = ("client", "AM", "grant", "launch", "registration")
"""To YARN's acceptance, to the AM's registration, to the AM having the last container, to the last container's start, to readiness."""

_TIME = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})"
_CONTAINER = r"container_(?:e\d+_)?{numbers}_\d+_(?P<number>\d+)"
_APPLICATION_MASTER = 1
"""The first container of an attempt."""


class IncompleteError(ValueError):
    """The logs don't show the whole start; the message says what is missing."""


@dataclass(frozen=True)
class Timeline:
    """Seconds since the epoch: accepted by YARN, AM registered, last container acquired by the AM, last container started."""

    accepted: float
    registered: float
    granted: float
    launched: float

    def stages(self, begin: float, ready: float) -> dict[str, float]:
        """Returns the seconds of each of `STAGES` between the command's begin and the moment when all was ready."""
        moments = (begin, self.accepted, self.registered, self.granted, self.launched, ready)
        return {stage: later - earlier for stage, earlier, later in zip(STAGES, moments, moments[1:], strict=False)}


def read(resourcemanager: Iterable[str], nodemanagers: Iterable[str], application: str, containers: int) -> Timeline:
    """Returns the timeline of an application that asked for so many containers besides its AM's.

    Raises:
        IncompleteError: when the logs don't show all of it.
    """
    resourcemanager = list(resourcemanager)
    numbers = application.removeprefix("application_")
    container = _CONTAINER.format(numbers=numbers)
    change = rf"{_TIME} .*RMAppImpl: {application} State change from"
    acquired = rf"{_TIME} .*RMContainerImpl: {container} Container Transitioned from ALLOCATED to ACQUIRED"
    running = rf"{_TIME} .*ContainerImpl: Container {container} transitioned from \S+ to RUNNING"
    return Timeline(
        accepted=_first(resourcemanager, f"{change} SUBMITTED to ACCEPTED ", "YARN accepted it"),
        registered=_first(resourcemanager, f"{change} ACCEPTED to RUNNING ", "its AM registered"),
        granted=_last(resourcemanager, acquired, containers, "were granted"),
        launched=_last(nodemanagers, running, containers, "were started"),
    )


def seconds(stamp: str) -> float:
    """Returns a log's `2026-11-24 04:27:23,629` as seconds since the epoch; Python's default log format writes the same."""
    return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()


def _first(lines: Iterable[str], pattern: str, what: str) -> float:
    for line in lines:
        if found := re.match(pattern, line):
            return seconds(found["time"])
    raise IncompleteError(f"no line says that {what}")


def _last(lines: Iterable[str], pattern: str, containers: int, what: str) -> float:
    """The AM may take more than it asked for and release the surplus, so that the containers-th one counts."""
    matches = (found for line in lines if (found := re.match(pattern, line)))
    moments = sorted(seconds(found["time"]) for found in matches if int(found["number"]) != _APPLICATION_MASTER)
    if len(moments) < containers:
        raise IncompleteError(f"{len(moments)} of {containers} containers {what}")
    return moments[containers - 1]
