"""What ended a TaskManager, told apart by cause: which causes count against the application, and which speak against the node."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """The cause of a failure."""

    PREEMPTED = "preempted"
    NODE_LOST = "node lost"
    UNHEALTHY = "node unhealthy"
    DECOMMISSIONED = "node decommissioned"
    DISKS = "disks failed"
    MEMORY = "memory"
    KILLED = "killed by YARN"
    DISCOVERY = "devices missing"
    DEVICE_LOST = "device lost"
    START = "start-up"
    EXIT = "ended"
    TIMEOUT = "registration time-out"
    HANG = "hang"
    SLOT = "user code"


_OF_YARN = {
    -100: Kind.NODE_LOST,
    -101: Kind.DISKS,
    -102: Kind.PREEMPTED,
    -103: Kind.MEMORY,
    -104: Kind.MEMORY,
    -105: Kind.KILLED,
    -106: Kind.KILLED,
    -107: Kind.KILLED,
    -108: Kind.KILLED,
}
"""YARN's own exit statuses (org.apache.hadoop.yarn.api.records.ContainerExitStatus); -1000, a container that never ran, is a start-up."""

_OF_NODE = {"UNHEALTHY": Kind.UNHEALTHY, "DECOMMISSIONED": Kind.DECOMMISSIONED, "DECOMMISSIONING": Kind.DECOMMISSIONED}
"""Those of YARN's `NodeState` that tell more than that the node was lost."""

_NOT_COUNTED = frozenset({Kind.PREEMPTED, Kind.NODE_LOST, Kind.UNHEALTHY, Kind.DECOMMISSIONED, Kind.DISKS, Kind.KILLED})

_SPEAKS_AGAINST_NODE = frozenset({Kind.DISKS, Kind.DISCOVERY, Kind.DEVICE_LOST, Kind.START, Kind.TIMEOUT, Kind.HANG})


@dataclass(frozen=True)
class Failure:
    """A TaskManager, or a slot of it, that failed: one line of cause, one of remedy, and what a script, log or traceback said.

    `cause` goes on after the TaskManager's name ("ended before …"); `node` is a host, "" when it is not known. `at` is
    when it was noted, in seconds of the monotonic clock.
    """

    kind: Kind
    task_manager_id: str
    node: str
    cause: str
    remedy: str
    detail: str
    at: float = 0.0

    @property
    def counts(self) -> bool:
        """Returns whether it is held against the application: what YARN did to it is not."""
        return self.kind not in _NOT_COUNTED

    @property
    def speaks_against_node(self) -> bool:
        """Returns whether another node may do better."""
        return self.kind in _SPEAKS_AGAINST_NODE

    @property
    def text(self) -> str:
        """Returns all of it, as an application's diagnostics."""
        where = f" on {self.node}" if self.node else ""
        first = f"TaskManager {self.task_manager_id}{where} {self.cause}"
        return "\n".join(line for line in (first, self.remedy, self.detail) if line)


def kind_of(exit_status: int, node_state: str, *, registered: bool) -> Kind:
    """Returns the cause behind a container's exit status, on a node that YARN says is in this state ("" for nothing said)."""
    kind = _OF_YARN.get(exit_status) or (Kind.EXIT if registered else Kind.START)
    return _OF_NODE.get(node_state, kind) if kind is Kind.NODE_LOST else kind
