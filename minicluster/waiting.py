"""The wait from the start of the daemons until YARN and HDFS serve."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minicluster.daemons import DATANODE, NAMENODE, Daemon, resourcemanager
from minicluster.description import Description
from minicluster.errors import ClusterError
from minicluster.layout import Layout, Node
from minicluster.processes import Process
from minicluster.readiness import RunningNode, advertises, datanodes, hdfs_is_ready, running_nodes

logger = logging.getLogger(__name__)

DEADLINE_S = 90.0
_POLL_S = 0.1
_TAIL_LINES = 20


@dataclass(frozen=True)
class _Part:
    """What must come up: how it is called, what to say of it, whose log tells more, and how to see it in the ResourceManager's nodes."""

    name: str
    words: str
    log: Path
    is_up: Callable[[list[RunningNode] | None], bool]


def wait_until_ready(
    started: Sequence[tuple[Daemon, Process]], description: Description, layout: Layout, limit_s: float = DEADLINE_S
) -> None:
    """Wait for HDFS out of safe mode and for every node RUNNING with what it shall have; say so as each comes up.

    Raises:
        ClusterError: a daemon has ended, or the time is over.
    """
    _wait_for(_parts(description, layout), started, description, layout, limit_s)


def served_at(description: Description) -> frozenset[str]:
    """Where NodeManagers and DataNodes are known to serve; one that is started again has another port."""
    running = running_nodes(f"http://127.0.0.1:{description.ports.web}") or []
    return frozenset(node.http for node in running) | datanodes(description.ports.namenode_http)


def wait_until_back(
    daemon: Daemon, process: Process, before: frozenset[str], description: Description, layout: Layout, limit_s: float = DEADLINE_S
) -> None:
    """Wait until one daemon that was started again serves; `before` is `served_at` of the time before its start.

    Raises:
        ClusterError: it has ended, or the time is over.
    """

    def is_back(running: list[RunningNode] | None) -> bool:
        if daemon.name == NAMENODE.name:
            return hdfs_is_ready(description.ports.namenode_http)
        if daemon.name == DATANODE.name:
            return bool(datanodes(description.ports.namenode_http) - before)
        node = next((node for node in description.nodes if node.name == daemon.name), None)
        new = [shown for shown in running or [] if shown.http not in before]
        return advertises(node, new) if node else running is not None

    part = _Part(daemon.title, "", layout.daemon_log(daemon.name), is_back)
    _wait_for([part], [(daemon, process)], description, layout, limit_s)


def _wait_for(
    missing: list[_Part], started: Sequence[tuple[Daemon, Process]], description: Description, layout: Layout, limit_s: float
) -> None:
    begin = time.monotonic()
    while missing:
        for daemon, process in started:
            if not process.runs():
                raise _ended(daemon, layout)
        running = running_nodes(f"http://127.0.0.1:{description.ports.web}")
        for part in [part for part in missing if part.is_up(running)]:
            missing.remove(part)
            logger.info("%s up%s  %.1f s", part.name, part.words, time.monotonic() - begin)
        if missing and time.monotonic() - begin > limit_s:
            raise _late(missing, limit_s)
        if missing:
            time.sleep(_POLL_S)


def _parts(description: Description, layout: Layout) -> list[_Part]:
    hdfs = _Part("HDFS", "", layout.daemon_log(NAMENODE.name), lambda _: hdfs_is_ready(description.ports.namenode_http))
    manager = _Part("ResourceManager", "", layout.daemon_log(resourcemanager(layout).name), lambda running: running is not None)
    return [hdfs, manager, *(_node_part(node, layout) for node in description.nodes)]


def _node_part(node: Node, layout: Layout) -> _Part:
    counts = "".join(f", {name} {count}" for name, count in node.resources.items() if count)
    words = f": {node.address}, {node.gpus} GPU{'' if node.gpus == 1 else 's'}{counts}"
    return _Part(f"node {node.name}", words, layout.daemon_log(node.name), lambda running: advertises(node, running or []))


def _ended(daemon: Daemon, layout: Layout) -> ClusterError:
    log = layout.daemon_log(daemon.name)
    complaint = _complaint(log)
    if "Address already in use" in complaint:
        remedy = "run up again: it chooses other ports"
        return ClusterError(f"the {daemon.title} could not listen: another process took its port meanwhile", remedy, _tail(log))
    return ClusterError(f"the {daemon.title} ended while the cluster came up: {complaint}", f"see {log}", _tail(log))


def _complaint(log: Path) -> str:
    """The last exception that a log names: the innermost cause of the end."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if re.search(r"(Exception|Error)(:|$)", line)), "its log names no exception")


def _late(missing: Sequence[_Part], limit_s: float) -> ClusterError:
    names = ", ".join(part.name for part in missing)
    log = missing[0].log
    return ClusterError(f"not up after {limit_s:.0f} s: {names}", f"see {log}; a busy machine may need another try", _tail(log))


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
