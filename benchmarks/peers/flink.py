"""A Flink session on YARN, tuned: its jars lie on HDFS (`yarn.provided.lib.dirs`) and its heartbeat is 1 s.

Started as `yarn-session.sh -d` does it, by the class FlinkYarnSessionCli; the wheel has no scripts for it.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks import artifacts, timeline
from benchmarks.contest import APPLICATION_ID, CONTAINERS, GPU, Arena, Start, get, until
from client.skein_driver.driver_process import QUICK_JVM

_CLI = "org.apache.flink.yarn.cli.FlinkYarnSessionCli"
_ON_HDFS = "/flink-2.3.0"

# of the list in Flink's own config.yaml, what a session without jobs touches on Java 17
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time", "java.util")

_LOGGING = """rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c - %m%n
"""


class FlinkSession:
    """The session is ready when its REST shows both TaskManagers, which Flink registers only after they have discovered their devices."""

    name = "Flink session"

    def __init__(self, arena: Arena, directory: Path) -> None:
        self._arena, self._directory, self._home = arena, directory, artifacts.flink()
        conf = directory / "flink-conf"
        conf.mkdir(exist_ok=True)
        (conf / "config.yaml").write_text("{}\n")
        (conf / "log4j.properties").write_text(_LOGGING)
        self._upload()
        hadoop = arena.run(["yarn", "classpath", "--glob"], directory / "classpath").strip()
        java = [str(arena.cluster.description.java.binary), *QUICK_JVM, *_opens()]
        logging = f"-Dlog4j.configurationFile=file:{conf}/log4j.properties"
        self._command = [*java, logging, "-cp", f"{conf}:{self._home}/lib/*:{hadoop}", _CLI, "-d", *self._options()]
        places = {"FLINK_CONF_DIR": str(conf), "FLINK_LIB_DIR": f"{self._home}/lib", "FLINK_PLUGINS_DIR": f"{self._home}/plugins"}
        self._client = Arena(arena.cluster, {**arena.environment, **places})

    def start(self) -> Start:
        """Measures one start and kills the session; `whole` is the same as `ready`, since the session itself would stay."""
        begin = time.time()
        output = self._client.run(self._command, self._directory / "flink.log")
        application = APPLICATION_ID.findall(output)[0]
        try:
            until(lambda: self._registered(application) >= CONTAINERS, f"{application} has its TaskManagers")
            ready = time.time()
        finally:
            self._arena.run(["yarn", "application", "-kill", application], self._directory / "flink-kill.log")
        line = timeline.read(self._arena.resourcemanager_log(), self._arena.nodemanager_logs(), application, CONTAINERS)
        return Start(ready - begin, ready - begin, line.stages(begin, ready))

    def _registered(self, application: str) -> int:
        try:
            return len(get(f"{self._arena.cluster.resourcemanager_url}/proxy/{application}/taskmanagers")["taskmanagers"])
        except (OSError, ValueError):  # not there yet: YARN's own page, or an error of the proxy's
            return 0

    def _upload(self) -> None:
        log = self._directory / "flink-upload.log"
        self._arena.run(["hdfs", "dfs", "-mkdir", "-p", _ON_HDFS], log)
        self._arena.run(["hdfs", "dfs", "-put", f"{self._home}/lib", f"{self._home}/plugins", _ON_HDFS], log)

    def _options(self) -> list[str]:
        files = f"{self._arena.cluster.namenode_uri}{_ON_HDFS}"
        options = {
            "yarn.provided.lib.dirs": f"{files}/lib;{files}/plugins",
            "yarn.heartbeat.interval": "1",
            "slotmanager.number-of-slots.min": str(CONTAINERS),
            "taskmanager.numberOfTaskSlots": "1",
            "taskmanager.memory.process.size": "1728m",
            "jobmanager.memory.process.size": "1600m",
            "external-resources": "gpu",
            "external-resource.gpu.amount": "1",
            "external-resource.gpu.yarn.config-key": GPU,
            "external-resource.gpu.driver-factory.class": "org.apache.flink.externalresource.gpu.GPUDriverFactory",
            "env.java.opts.all": " ".join(_opens()),
        }
        return [f"-D{key}={value}" for key, value in options.items()]


def _opens() -> list[str]:
    return [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
