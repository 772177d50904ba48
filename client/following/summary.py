"""What an application cost and how it went, gathered while it is followed, and said at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from client.application.records import Application
from client.following.follow import Sight
from client.yarn.cluster import ENDED, MEMORY, VCORES

_MINUTE_S, _HOUR_S = 60, 3600


@dataclass(frozen=True)
class Summary:
    """The numbers.

    Attributes:
        seconds: state → how long it was seen in it, of YARN until the application master answers, then of the master; where it had run
            before anybody saw that, as the master tells.
        reserved: resource type beyond memory and vcores → amount times seconds, as YARN counted; empty in local mode.
        busy: resource → mean utilisation of its devices in percent, of those whose driver tells it.
        lost: how many failures of TaskManagers there were.
        restarts: how often the job was started again.
    """

    seconds: Mapping[str, float]
    reserved: Mapping[str, int]
    busy: Mapping[str, float]
    lost: int
    restarts: int

    def lines(self) -> Iterator[str]:
        """Yields what a person wants to know of them."""
        if self.seconds:
            yield "time: " + ", ".join(f"{duration(seconds)} {state}" for state, seconds in self.seconds.items())
        if self.reserved:
            yield "reserved: " + ", ".join(f"{name} {_device_time(seconds)}" for name, seconds in self.reserved.items())
        if self.busy:
            yield "busy: " + ", ".join(f"{name} {percent:.0f} % of the time" for name, percent in self.busy.items())
        if self.lost or self.restarts:
            yield f"TaskManagers that failed: {self.lost}; restarts of the job: {self.restarts}"

    def as_json(self) -> dict[str, Any]:
        """Returns the same as JSON's types."""
        return {
            "seconds": {state: round(seconds, 1) for state, seconds in self.seconds.items()},
            "device_seconds": dict(self.reserved),
            "utilization": {name: round(percent, 1) for name, percent in self.busy.items()},
            "taskmanager_failures": self.lost,
            "restarts": self.restarts,
        }


class Tally:
    """Gathers a summary from what a follower sees."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._state, self._since = "", time.monotonic()
        self._reserved: Mapping[str, int] = {}
        self._heard: dict[str, int] = {}
        self._samples: dict[str, tuple[int, int]] = {}
        self._lost = self._restarts = 0
        self._last: Application | None = None

    def see(self, sight: Sight) -> None:
        """Counts what is new."""
        now = time.monotonic()
        if self._state:
            self._seconds[self._state] = self._seconds.get(self._state, 0.0) + now - self._since
        self._since = now
        if sight.application is not None:
            self._state, self._last = sight.application.state, sight.application
            self._count(sight.application)
        elif sight.report.state != "RUNNING":
            self._state = sight.report.state
        elif self._state not in ("STARTING", "RUNNING"):  # for YARN it runs, and its master does not answer yet
            self._state = "STARTING"
        self._reserved = {name: n for name, n in sight.report.resource_seconds.items() if name not in (MEMORY, VCORES)}

    def summary(self) -> Summary:
        """Returns what was seen until now."""
        return Summary(
            {state: seconds for state, seconds in (self._seconds | self._missed()).items() if state not in ENDED},
            self._reserved,
            {name: total / count for name, (total, count) in self._samples.items()},
            self._lost,
            self._restarts,
        )

    def _missed(self) -> dict[str, float]:
        """Nobody looked between a short job's start and its end."""
        last = self._last
        if last is None or "RUNNING" in self._seconds or not last.running_since:
            return {}
        running = (last.now - last.running_since) / 1000
        starting = max((last.running_since - last.started) / 1000, self._seconds.get("STARTING", 0.0) - running)
        return {"STARTING": starting, "RUNNING": running}

    def _count(self, application: Application) -> None:
        self._lost = max([self._lost, *(failure.number for failure in application.failures)])
        self._restarts = max([self._restarts, *(job.restarts for job in application.jobs)])
        for task_manager in application.task_managers:
            if self._heard.get(task_manager.id) == task_manager.heartbeats:
                continue
            self._heard[task_manager.id] = task_manager.heartbeats
            for device in task_manager.usage:
                if device.utilization is not None:
                    total, count = self._samples.get(device.resource, (0, 0))
                    self._samples[device.resource] = total + device.utilization, count + 1


def duration(seconds: float) -> str:
    """Returns a time as people say it: 3.2 s, 4 min 10 s, 2 h 5 min."""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    if seconds < _HOUR_S:
        return f"{int(seconds) // _MINUTE_S} min {int(seconds) % _MINUTE_S} s"
    return f"{int(seconds) // _HOUR_S} h {int(seconds) % _HOUR_S // _MINUTE_S} min"


def _device_time(seconds: int) -> str:
    return f"{seconds} device-seconds" if seconds < _HOUR_S // 10 else f"{seconds / _HOUR_S:.1f} device-hours"
