"""The cluster as its ResourceManager shows it: who answers, what the nodes offer, and what this configuration may ask for there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from client.doctor.asking import Access, Address
from client.doctor.finding import FAILURE, OK, SKIPPED, WARNING, Finding
from client.submission import preflight
from client.yarn.cluster import MEMORY, VCORES, ClusterView
from conf import options
from conf.settings import Settings

RESOURCEMANAGER, NODES, QUEUE, RIGHT, CONTAINERS = "resourcemanager", "nodes", "queue", "right to submit", "containers"

_SHOWN = 4
"""Nodes are named up to here, and counted beyond."""


def resourcemanagers(addresses: Sequence[Address]) -> Iterator[Finding]:
    """Judges each address of a ResourceManager; one that answers is enough."""
    alive = [address for address in addresses if not address.error]
    active = serving(addresses)
    for address in addresses:
        if address.error:
            remedy = "start it" if alive else "start it, or set HADOOP_CONF_DIR to a directory whose yarn-site.xml names one that runs"
            yield Finding(RESOURCEMANAGER, WARNING if active else FAILURE, f"{address.url} does not answer: {address.error}", remedy)
        else:
            yield Finding(RESOURCEMANAGER, OK, f"{address.url}, Hadoop {address.version}, {address.ha_state.lower()}")
    if alive and not active:
        yield Finding(RESOURCEMANAGER, FAILURE, "none of them is active", "`yarn rmadmin -getAllServiceState` tells; have one made active")


def serving(addresses: Sequence[Address]) -> Address | None:
    """Returns the address to ask: the active one, or the only one, which says INITIALIZING for a moment after its start."""
    alone = len(addresses) == 1
    return next((address for address in addresses if not address.error and (alone or address.ha_state == "ACTIVE")), None)


def nodes(view: ClusterView) -> Iterator[Finding]:
    """Tells which resource types the cluster counts, and which nodes offer them."""
    if not view.nodes:
        yield Finding(NODES, FAILURE, "no NodeManager is RUNNING", "start one, or wait until the ResourceManager lists it as RUNNING")
        return
    yield Finding(NODES, OK, f"{len(view.nodes)} RUNNING, with {_sum(view, MEMORY)} MiB and {_sum(view, VCORES)} vcores")
    beyond = sorted(view.types - {MEMORY, VCORES})
    if not beyond:
        yield Finding(
            NODES,
            WARNING,
            "this cluster counts memory and vcores only",
            "for devices, name their types in resource-types.xml of ResourceManager and NodeManagers (yarn.resource-types)",
        )
    for name in beyond:
        most_first = sorted(view.nodes, key=lambda node: (-node.total.get(name, 0), node.host))
        offering = [f"{node.host} {node.total[name]}" for node in most_first if node.total.get(name)]
        if offering:
            more = f" and {len(offering) - _SHOWN} more" if len(offering) > _SHOWN else ""
            yield Finding(NODES, OK, f"{name}: {_sum(view, name)} in all, {', '.join(offering[:_SHOWN])}{more}")
        else:
            remedy = "do not ask for it, or have a node offer it (its node-resources.xml, or yarn.nodemanager.resource-plugins)"
            yield Finding(NODES, WARNING, f"{name}: counted, and no node offers any", remedy)


def queue(settings: Settings, view: ClusterView) -> list[Finding]:
    """Judges whether the queue takes applications."""
    problems = [problem for problem in preflight.problems(settings, view) if problem.key == options.QUEUE.key]
    if problems:
        return [Finding(QUEUE, FAILURE, problem.cause, problem.remedy) for problem in problems]
    return [Finding(QUEUE, OK, f"{preflight.submission_queue(settings, view)} takes applications")]


def containers(settings: Settings, view: ClusterView) -> list[Finding]:
    """Judges whether the nodes can hold the containers that this configuration asks for."""
    problems = [problem for problem in preflight.problems(settings, view) if problem.key != options.QUEUE.key]
    if problems:
        return [Finding(CONTAINERS, FAILURE, problem.cause, problem.remedy) for problem in problems]
    if warnings := preflight.warnings(settings, view):
        return [Finding(CONTAINERS, WARNING, text, "ask for less, or for less at a time") for text in warnings]
    return [Finding(CONTAINERS, OK, "the nodes can hold what this configuration asks for")]


def right(access: Access, user: str, queue: str) -> Finding:
    """Judges the queue's answer to whether this user may submit."""
    if access.allowed is None:
        text = f"the ResourceManager does not tell whether {user} may submit to {queue}: {access.said}"
        return Finding(RIGHT, SKIPPED, text, "`mapred queue -showacls`, or `submit doctor --probe`, tells")
    if access.allowed:
        return Finding(RIGHT, OK, f"{user} may submit to {queue}")
    remedy = "ask for the right (yarn.scheduler.capacity.<queue>.acl_submit_applications), or give another --queue"
    return Finding(RIGHT, FAILURE, f"{user} may not submit to {queue}: {access.said}", remedy)


def _sum(view: ClusterView, name: str) -> int:
    return sum(node.total.get(name, 0) for node in view.nodes)
