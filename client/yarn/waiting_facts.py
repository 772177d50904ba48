"""What the ResourceManager says that bears on a wait for containers, as typed records, read tolerantly.

Shapes: `apps/<id>`, `scheduler` and `nodes` of 3.1 to 3.5. `resourceRequests` of an application holds what it still waits for, its own
application master first of all; the CapacityScheduler alone tells of shares for application masters and of users.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from client.yarn.cluster import resources

_ANY = "*"
_STAMP = re.compile(r"^\[[^\]]*\]\s*")
"""When YARN wrote a diagnostics text."""


@dataclass(frozen=True)
class PendingAsk:
    """`count` containers of one size that YARN has not given yet; `master` for the application master's own."""

    count: int
    resources: Mapping[str, int]
    label: str
    master: bool


@dataclass(frozen=True)
class QueueLoad:
    """A queue on the application's path, and how full it is; empty where the scheduler does not tell.

    Attributes:
        path: its full name.
        used: what runs in it, resource type → amount.
        maximum: how far it may grow.
        masters_used: what application masters hold in it.
        masters_maximum: what they may hold in all.
        user_used: what the application's user holds in it.
        user_maximum: what this user may hold in it.
        pending_applications: how many wait to be activated.
    """

    path: str
    used: Mapping[str, int]
    maximum: Mapping[str, int]
    masters_used: Mapping[str, int]
    masters_maximum: Mapping[str, int]
    user_used: Mapping[str, int]
    user_maximum: Mapping[str, int]
    pending_applications: int


@dataclass(frozen=True)
class NodeLoad:
    """A NodeManager in any state: `total` is what it has or had, `available` what is free."""

    host: str
    state: str
    labels: tuple[str, ...]
    total: Mapping[str, int]
    available: Mapping[str, int]

    @property
    def usable(self) -> bool:
        """Returns whether YARN gives containers of it."""
        return self.state == "RUNNING"


@dataclass(frozen=True)
class WaitingFacts:
    """An application that waits: YARN's own words, what it waits for, its queue and the queues above it (innermost first), the nodes."""

    state: str
    diagnostics: str
    asks: tuple[PendingAsk, ...]
    queues: tuple[QueueLoad, ...]
    nodes: tuple[NodeLoad, ...]


def facts(app: Any, scheduler: Any, nodes: Any) -> WaitingFacts:
    """Returns the facts behind the answers of `apps/<id>`, `scheduler` and `nodes`."""
    tree = app["app"]
    info = ((scheduler or {}).get("scheduler") or {}).get("schedulerInfo") or {}
    path = _path_to(info.get("rootQueue") or info, str(tree.get("queue") or ""))
    return WaitingFacts(
        state=str(tree.get("state") or ""),
        diagnostics=_STAMP.sub("", str(tree.get("diagnostics") or "")).strip(),
        asks=tuple(_asks(tree)),
        queues=tuple(_queue(queue, str(tree.get("user") or "")) for queue in reversed(path)),
        nodes=tuple(_node(node) for node in _several(((nodes or {}).get("nodes") or {}).get("node"))),
    )


def _asks(tree: Any) -> Iterator[PendingAsk]:
    """YARN lists an ask for any node, and besides for each node or rack that is preferred."""
    unattended = tree.get("state") != "RUNNING"
    for request in _several(tree.get("resourceRequests")):
        count = int(request.get("numContainers") or 0)
        if request.get("resourceName", _ANY) == _ANY and count > 0:
            amounts = {name: amount for name, amount in resources(request.get("capability")).items() if amount}
            yield PendingAsk(count, amounts, str(request.get("nodeLabelExpression") or ""), unattended)


def _path_to(tree: Any, name: str) -> list[Any]:
    """Returns the queues from the root to the one of this name, which may be its last part; empty when there is none."""
    if not isinstance(tree, dict):
        return []
    own = str(tree.get("queuePath") or tree.get("queueName") or "")
    children = [*_several((tree.get("queues") or {}).get("queue")), *_several(_fair_children(tree))]
    if not children:
        return [tree] if name in (own, own.rpartition(".")[2]) else []
    found = next((path for child in children if (path := _path_to(child, name))), [])
    return [tree, *found] if found else []


def _fair_children(tree: Any) -> Any:
    children = tree.get("childQueues")
    return children.get("queue") if isinstance(children, dict) and "queue" in children else children


def _queue(tree: Any, user: str) -> QueueLoad:
    users = _several((tree.get("users") or {}).get("user"))
    own: Any = next((each for each in users if each.get("username") == user), {})
    return QueueLoad(
        path=str(tree.get("queuePath") or tree.get("queueName") or "root"),
        used=resources(tree.get("resourcesUsed") or tree.get("usedResources")),
        maximum=resources(tree.get("maxEffectiveCapacity")) or resources(tree.get("maxResources")),
        masters_used=resources(tree.get("usedAMResource")),
        masters_maximum=resources(tree.get("AMResourceLimit")),
        user_used=resources(own.get("resourcesUsed")),
        user_maximum=resources(own.get("userResourceLimit")),
        pending_applications=int(tree.get("numPendingApplications") or tree.get("numPendingApps") or 0),
    )


def _node(tree: Any) -> NodeLoad:
    available = resources(tree.get("availableResource")) or _plain(tree, "availMemoryMB", "availableVirtualCores")
    used = resources(tree.get("usedResource")) or _plain(tree, "usedMemoryMB", "usedVirtualCores")
    return NodeLoad(
        host=str(tree.get("nodeHostName") or tree.get("id")),
        state=str(tree.get("state") or "RUNNING"),
        labels=tuple(str(label) for label in _several(tree.get("nodeLabels"))),
        total=resources(tree.get("totalResource")) or {name: available.get(name, 0) + used.get(name, 0) for name in {*available, *used}},
        available=available,
    )


def _plain(tree: Any, memory: str, vcores: str) -> dict[str, int]:
    return resources({"memory": tree.get(memory), "vCores": tree.get(vcores)})


def _several(tree: Any) -> list[Any]:
    if not tree:
        return []
    return tree if isinstance(tree, list) else [tree]
