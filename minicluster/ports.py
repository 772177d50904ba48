"""The ports of ResourceManager and NameNode, which every client must know before they listen; all others are the kernel's choice."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

from minicluster.errors import ClusterError

_HOST = "127.0.0.1"
# below, many a program has a port of its own (and Hadoop its default ones)
_LOWEST = 20000


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1."""

    namenode: int
    namenode_http: int
    client: int
    scheduler: int
    tracker: int
    admin: int
    web: int

    def resourcemanager(self) -> dict[str, int]:
        """The ResourceManager's, by the name that follows `yarn.resourcemanager.`."""
        return {
            "address": self.client,
            "scheduler.address": self.scheduler,
            "resource-tracker.address": self.tracker,
            "admin.address": self.admin,
            "webapp.address": self.web,
        }


def free_ports() -> Ports:
    """Ports that nothing listens on now; each is held until all are chosen, so that they differ.

    Not the kernel's choice: seconds pass until a JVM binds its port, and the kernel hands its own range out to every connection meanwhile.
    """
    candidates = _outside(*_kernel_range())
    with ExitStack() as held:
        return Ports(*(_hold(candidates, held) for _ in fields(Ports)))


def _hold(candidates: Sequence[int], held: ExitStack) -> int:
    for port in random.sample(candidates, len(candidates)):
        listener = held.enter_context(socket.socket())
        try:
            listener.bind((_HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return port
    raise ClusterError(f"no free port on {_HOST}", "end what listens there (ss -tlnp shows it)")


def _kernel_range() -> tuple[int, int]:
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="utf-8").split()
    return int(low), int(high)


def _outside(low: int, high: int) -> list[int]:
    """The unprivileged ports that the kernel does not hand out; all of them where it hands out all."""
    unprivileged = range(_LOWEST, 1 << 16)
    return [port for port in unprivileged if not low <= port <= high] or list(unprivileged)
