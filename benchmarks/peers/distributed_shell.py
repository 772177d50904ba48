"""YARN's own example application: as many containers with the same resources, each runs `true`. No discovery, no store, no Python."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks import artifacts, timeline
from benchmarks.contest import APPLICATION_ID, CONTAINERS, GPU, MEMORY_MB, Arena, Start
from client.skein_driver.driver_process import QUICK_JVM

_CLIENT = "org.apache.hadoop.yarn.applications.distributedshell.Client"


class DistributedShell:
    """A container is ready when its NodeManager has started it. The client's JVM gets the flags that Treadle's driver gets."""

    name = "DistributedShell"

    def __init__(self, arena: Arena, directory: Path) -> None:
        self._arena, self._log, self._jar = arena, directory / "distributedshell.log", artifacts.distributed_shell()
        classpath = f"{self._jar}:{arena.run(['yarn', 'classpath', '--glob'], directory / 'classpath').strip()}"
        java = str(arena.cluster.description.java.binary)
        self._command = [java, *QUICK_JVM, "-cp", classpath, _CLIENT, "-jar", str(self._jar), *_arguments()]

    def start(self) -> Start:
        """Measures one run from command to command's end."""
        begin = time.time()
        output = self._arena.run(self._command, self._log)
        whole = time.time() - begin
        application = APPLICATION_ID.findall(output)[0]
        line = timeline.read(self._arena.resourcemanager_log(), self._arena.nodemanager_logs(), application, CONTAINERS)
        return Start(line.launched - begin, whole, line.stages(begin, line.launched))


def _arguments() -> list[str]:
    resources = f"memory-mb={MEMORY_MB},vcores=1,{GPU}=1"
    return ["-shell_command", "true", "-num_containers", str(CONTAINERS), "-container_resources", resources]
