"""One Hadoop daemon as a process: its command line, its start and its pid file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from minicluster.java import DAEMON_FLAGS, Java
from minicluster.layout import Layout, Node
from minicluster.processes import Process

MARKER = "TREADLE_MINICLUSTER"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_HDFS = "org.apache.hadoop.hdfs.server"
_YARN = "org.apache.hadoop.yarn.server"


@dataclass(frozen=True)
class Daemon:
    """What to start: the name of its pid and log file, its title, heap, main class and Hadoop keys of its own."""

    name: str
    title: str
    heap: str
    main: str
    settings: Mapping[str, str] = field(default_factory=dict)


# daemons wait for one another while they all start at once, longer than a client would
_PATIENCE = {"yarn.resourcemanager.connect.max-wait.ms": "120000"}
NAMENODE = Daemon("nn", "NameNode", "384m", f"{_HDFS}.namenode.NameNode")
DATANODE = Daemon("dn", "DataNode", "256m", f"{_HDFS}.datanode.DataNode")


def resourcemanager(layout: Layout) -> Daemon:
    """The ResourceManager, which finds its applications and their containers again when it is started anew.

    YARN's work-preserving recovery; the NodeManagers tell it what runs. Its state is on the local disk, so that it needs no HDFS to start.
    An application master that ended unseen, while this and its NodeManager were down, is given up after half a minute, not ten.
    """
    key = "yarn.resourcemanager"
    settings = {
        f"{key}.recovery.enabled": "true",
        f"{key}.store.class": f"{_YARN}.resourcemanager.recovery.FileSystemRMStateStore",
        f"{key}.fs.state-store.uri": (layout.data / "rm").as_uri(),
        "yarn.am.liveness-monitor.expiry-interval-ms": "30000",
    }
    return Daemon("rm", "ResourceManager", "512m", f"{_YARN}.resourcemanager.ResourceManager", settings)


def nodemanager(node: Node, layout: Layout, memory_mb: int, vcores: int, identity: str) -> Daemon:
    """The NodeManager of `node`; what tells it from the others is on its command line."""
    key = "yarn.nodemanager"
    settings = {
        **_PATIENCE,
        f"{key}.hostname": node.address,
        f"{key}.localizer.address": f"{node.address}:0",
        f"{key}.webapp.address": f"{node.address}:0",
        f"{key}.local-dirs": f"{layout.data}/{node.name}/local",
        f"{key}.log-dirs": str(layout.container_logs(node.name)),
        f"{key}.resource.memory-mb": str(memory_mb),
        f"{key}.resource.cpu-vcores": str(vcores),
        f"{key}.admin-env": f"PATH={layout.fake(node.name)}:{_SYSTEM_PATH},{MARKER}={identity}",
        **{f"{key}.resource-type.{name}": str(count) for name, count in node.resources.items() if count},
    }
    if node.gpus:
        settings[f"{key}.resource-plugins"] = "yarn.io/gpu"
        settings[f"{key}.resource-plugins.gpu.path-to-discovery-executables"] = str(layout.fake(node.name))
    return Daemon(node.name, f"NodeManager {node.name}", "256m", f"{_YARN}.nodemanager.NodeManager", settings)


def command(daemon: Daemon, java: Java, layout: Layout, lib: Path) -> list[str]:
    """The command line: JVM flags, class path with the configuration first, main class, Hadoop keys."""
    return [
        *(str(java.binary), f"-Xmx{daemon.heap}", *DAEMON_FLAGS),
        *(f"-Dhadoop.log.dir={layout.log}", f"-Dyarn.log.dir={layout.log}"),
        *("-cp", f"{layout.conf}:{lib}/*", daemon.main),
        *(word for name, value in daemon.settings.items() for word in ("-D", f"{name}={value}")),
    ]


def environment(java: Java, layout: Layout, identity: str) -> dict[str, str]:
    """What a daemon is told: nothing of the caller's, so that a cluster does not depend on who starts it."""
    return {
        "PATH": _SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(Path.home()),
        "JAVA_HOME": str(java.home),
        "HADOOP_HOME": str(layout.work),
        "HADOOP_YARN_HOME": str(layout.work),
        "HADOOP_CONF_DIR": str(layout.conf),
        MARKER: identity,
    }


def start(command_line: list[str], name: str, told: Mapping[str, str], layout: Layout) -> Process:
    """Start a daemon as leader of a session of its own, its output in the log directory, and write its pid file.

    By `posix_spawn`, since the daemon outlives its starter: a Popen object wants to be waited for.
    """
    output = (os.POSIX_SPAWN_OPEN, 1, str(layout.daemon_log(name)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(command_line[0], command_line, told, file_actions=actions, setsid=True)
    process = Process.of(pid) or Process(pid, 0)
    write_pid(layout.pid / name, process)
    return process


def write_pid(path: Path, process: Process) -> None:
    """Write `<pid> <start time>` at once or not at all."""
    scratch = path.with_name(f".{path.name}")
    scratch.write_text(f"{process.pid} {process.start}\n", encoding="utf-8")
    scratch.replace(path)


def read_pids(layout: Layout) -> dict[str, Process]:
    """The daemons that `up` started and `down` has not ended, running or not."""
    found = {}
    for path in sorted(layout.pid.glob("[!.]*")):
        pid, start_time = path.read_text(encoding="utf-8").split()
        found[path.name] = Process(int(pid), int(start_time))
    return found
