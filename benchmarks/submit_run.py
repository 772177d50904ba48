"""Treadle itself: `submit run -- true`."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from benchmarks import timeline
from benchmarks.contest import APPLICATION_ID, CONTAINERS, GPU, MEMORY_MB, Arena, Start

_REGISTERED = re.compile(r"(?P<time>\S+ \S+) INFO yarn_am\.cluster_state: Registered TaskManager ")


class Treadle:
    """Starts TaskManagers with a device each; a TaskManager is ready when the application master has its registration with the devices."""

    name = "Treadle"

    def __init__(self, arena: Arena, directory: Path) -> None:
        self._arena, self._log = arena, directory / "treadle.log"

    def start(self) -> Start:
        """Measures one start."""
        begin = time.time()
        output = self._arena.run([str(Path(sys.executable).parent / "submit"), *_arguments()], self._log)
        whole = time.time() - begin
        application = APPLICATION_ID.findall(output)[0]
        ready = self._ready(application)
        line = timeline.read(self._arena.resourcemanager_log(), self._arena.nodemanager_logs(), application, CONTAINERS)
        return Start(ready - begin, whole, line.stages(begin, ready))

    def _ready(self, application: str) -> float:
        """The application master's own log says when it took each registration."""
        found = [
            timeline.seconds(match["time"])
            for lines in self._arena.container_logs(application, "application.driver.log")
            for line in lines
            if (match := _REGISTERED.match(line))
        ]
        if len(found) != CONTAINERS:
            raise timeline.IncompleteError(f"{len(found)} of {CONTAINERS} TaskManagers of {application} registered")
        return max(found)


def _arguments() -> list[str]:
    devices = ["--resource", f"gpu=1:{GPU}", "-D", "external-resource.gpu.driver-factory.class=discovery-script"]
    return ["run", "--taskmanagers", str(CONTAINERS), "--memory", f"{MEMORY_MB}m", *devices, "--", "true"]
