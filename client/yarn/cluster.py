"""What the ResourceManager says of its cluster and of one application, as typed records, read tolerantly.

Shapes: YARN's "ResourceManager REST API's" pages of 3.1 to 3.5. One-element lists may come as the element, fields may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MEMORY, VCORES = "memory-mb", "vcores"
"""YARN's names of the two resource types that every container has; memory in MiB."""

ENDED = frozenset({"FINISHED", "FAILED", "KILLED"})
"""YARN's application states that no other follows."""


@dataclass(frozen=True)
class Node:
    """A running NodeManager: what it has in all and what is free now, resource type → amount."""

    host: str
    labels: tuple[str, ...]
    total: Mapping[str, int]
    available: Mapping[str, int]


@dataclass(frozen=True)
class Queue:
    """A queue by its full path.

    `creates_children` where the scheduler makes queues below it on demand; `labels` are the node labels that it has access to (`*`: all),
    empty where the scheduler tells none; `default_label` is that of asks without one; `maximum` how far it may grow, resource type →
    amount, empty where the scheduler tells none; `used` what its applications hold.
    """

    path: str
    state: str
    leaf: bool
    creates_children: bool
    labels: tuple[str, ...] = ()
    default_label: str = ""
    maximum: Mapping[str, int] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Returns the last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class ClusterView:
    """The cluster at one moment.

    `types` is every resource type that it counts; `maximum` the scheduler's limit for one container, empty where it tells none, as the
    FairScheduler does; nodes with one of the `exclusive_labels` take only asks for that label.
    """

    version: str
    nodes: tuple[Node, ...]
    queues: tuple[Queue, ...]
    types: frozenset[str]
    maximum: Mapping[str, int]
    exclusive_labels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ApplicationReport:
    """YARN's view of one application; `resource_seconds` is what it held until now, resource type → amount times seconds, memory in MiB."""

    id: str
    name: str
    state: str
    final_status: str
    diagnostics: str
    tracking_url: str
    resource_seconds: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Returns whether no other state follows."""
        return self.state in ENDED


def view(info: Any, nodes: Any, scheduler: Any, metrics: Any, labels: Any = None) -> ClusterView:
    """Returns the view behind the answers of `info`, `nodes`, `scheduler`, `metrics` and `get-node-labels` (None where there is none)."""
    scheduler_info = _child(_child(scheduler, "scheduler"), "schedulerInfo")
    totals = _child(_child(metrics, "clusterMetrics"), "totalClusterResourcesAcrossPartition")
    running = tuple(_node(item) for item in _list(_child(_child(nodes, "nodes"), "node")))
    return ClusterView(
        version=str(_child(_child(info, "clusterInfo"), "resourceManagerVersion") or ""),
        nodes=running,
        queues=tuple(_queues(scheduler_info)),
        types=frozenset({MEMORY, VCORES}).union(resources(totals), *(node.total for node in running)),
        maximum=resources(_child(scheduler_info, "maximumAllocation")),
        exclusive_labels=frozenset(
            str(label["name"]) for label in _list(_child(labels, "nodeLabelInfo")) if str(label.get("exclusivity")).lower() == "true"
        ),
    )


def report(tree: Any) -> ApplicationReport:
    """Returns the report behind the answer of `apps/<id>`."""
    app = _child(tree, "app")
    return ApplicationReport(
        id=str(app["id"]),
        name=str(app.get("name") or ""),
        state=str(app["state"]),
        final_status=str(app.get("finalStatus") or "UNDEFINED"),
        diagnostics=str(app.get("diagnostics") or ""),
        tracking_url=str(app.get("trackingUrl") or ""),
        resource_seconds={
            str(entry["key"]): int(entry["value"])
            for entry in _list(_child(_child(app, "resourceSecondsMap"), "entry"))
            if entry.get("value")
        },
    )


def resources(tree: Any) -> dict[str, int]:
    """Returns resource type → amount of a `ResourceInfo`, empty for none."""
    if not isinstance(tree, dict):
        return {}
    amounts = {MEMORY: tree.get("memory"), VCORES: tree.get("vCores")}
    for entry in _list(_child(_child(tree, "resourceInformations"), "resourceInformation")):
        amounts[str(entry["name"])] = entry.get("value")
    return {name: int(amount) for name, amount in amounts.items() if amount is not None}


def _node(tree: Any) -> Node:
    total, used, available = (resources(_child(tree, key)) for key in ("totalResource", "usedResource", "availableResource"))
    if not available:
        available = {MEMORY: int(tree.get("availMemoryMB", 0)), VCORES: int(tree.get("availableVirtualCores", 0))}
        used = {MEMORY: int(tree.get("usedMemoryMB", 0)), VCORES: int(tree.get("usedVirtualCores", 0))}
    return Node(
        host=str(tree.get("nodeHostName") or tree.get("id")),
        labels=tuple(str(label) for label in _list(tree.get("nodeLabels"))),
        total=total or {name: available.get(name, 0) + used.get(name, 0) for name in {*available, *used}},
        available=available,
    )


def _queues(scheduler_info: Any) -> Iterator[Queue]:
    """Capacity: the info is the root queue itself. Fair: `rootQueue`, names in full, unknown queues made on demand. Fifo: one queue."""
    if not isinstance(scheduler_info, dict):
        return
    fair = _child(scheduler_info, "rootQueue")
    if fair is not None:
        yield from _walk(fair, "", creates=True)
    elif scheduler_info.get("type") == "fifoScheduler":
        yield Queue("root.default", str(scheduler_info.get("qstate") or "RUNNING"), leaf=True, creates_children=False)
    else:
        yield from _walk(scheduler_info, "", creates=False)


def _walk(tree: Any, parent: str, *, creates: bool) -> Iterator[Queue]:
    name = str(tree.get("queueName") or "root")
    path = str(tree.get("queuePath") or (name if not parent or name.startswith(f"{parent}.") else f"{parent}.{name}"))
    children = [*_list(_child(_child(tree, "queues"), "queue")), *_list(_fair_children(tree))]
    on_demand = creates or str(tree.get("autoCreationEligibility") or "off") != "off" or bool(tree.get("autoCreateChildQueueEnabled"))
    yield Queue(
        path,
        str(tree.get("state") or "RUNNING"),
        leaf=not children and not on_demand,
        creates_children=on_demand,
        labels=tuple(str(label) for label in _list(tree.get("nodeLabels"))),
        default_label=str(tree.get("defaultNodeLabelExpression") or ""),
        maximum=_most(tree),
        used=resources(tree.get("resourcesUsed")) or resources(tree.get("usedResources")),
    )
    for child in children:
        yield from _walk(child, path, creates=False)


def _most(tree: Any) -> dict[str, int]:
    """Capacity: `effectiveMaxResource` of the default partition, which a queue below it may get; Fair: `maxResources`."""
    partitions = _list(_child(_child(tree, "capacities"), "queueCapacitiesByPartition"))
    default = next((each for each in partitions if not each.get("partitionName")), None)
    return resources(_child(default, "effectiveMaxResource")) or resources(tree.get("maxResources"))


def _fair_children(tree: Any) -> Any:
    children = tree.get("childQueues")
    return children.get("queue") if isinstance(children, dict) and "queue" in children else children


def _child(tree: Any, key: str) -> Any:
    return tree.get(key) if isinstance(tree, dict) else None


def _list(tree: Any) -> list[Any]:
    if tree is None:
        return []
    return tree if isinstance(tree, list) else [tree]
