"""What can be known to fail before anything is uploaded: pure, from the settings and the ResourceManager's answers."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction

from client.submission.container_asks import ContainerAsk, container_asks, group_key
from client.yarn.cluster import MEMORY, VCORES, ClusterView, Node, Queue
from conf import options
from conf.errors import Problem
from conf.settings import ExternalResource, Settings


def problems(settings: Settings, view: ClusterView) -> list[Problem]:
    """Returns everything that YARN would refuse, or never fulfil.

    Flink leaves such an application waiting for ever (its client checks memory and vcores only, and an unknown type or an amount above
    the maximum raises into the ResourceManager's main thread, which logs it); see `YarnClusterDescriptor.validateClusterResources`.
    """
    checks = _queue_problems, _label_problems, _type_problems, _size_problems
    return list(dict.fromkeys(problem for check in checks for problem in check(settings, view)))


def warnings(settings: Settings, view: ClusterView) -> list[str]:
    """Returns what may take long: an ask larger than the whole cluster, or than the queue may grow, one line per resource type."""
    asks = container_asks(settings)
    whole: Counter[str] = Counter()
    for ask in asks:
        whole.update({name: ask.count * amount for name, amount in ask.resources.items()})
    count = sum(ask.count for ask in asks) - 1
    total = {name: sum(node.total.get(name, 0) for node in view.nodes) for name in whole}
    found = _matches(settings.application.queue, view)
    most = found[0].maximum if len(found) == 1 else {}
    limits = [(total, "all nodes have {}")] + ([(most, f"queue {settings.application.queue} may have at most {{}}")] if most else [])
    return [
        f"{count} TaskManagers and the application master ask for {name} {amount}, and {words.format(has[name])}: some will wait for ever"
        for name, amount in whole.items()
        for has, words in limits
        if name in view.types and amount > has.get(name, amount)
    ]


def submission_queue(settings: Settings, view: ClusterView) -> str:
    """Returns the queue's name as this ResourceManager takes it: before Hadoop 3.3 (YARN-9879) leaf names only, where they are unique."""
    found = _matches(settings.application.queue, view)
    return found[0].name if len(found) == 1 and len(_matches(found[0].name, view)) == 1 else settings.application.queue


def _queue_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    key, name = options.QUEUE.key, settings.application.queue
    found = _matches(name, view)
    leaves = sorted(queue.path for queue in view.queues if queue.leaf)
    if not found and view.queues and not _made_on_demand(name, view):
        near = difflib.get_close_matches(name, [*leaves, *(path.rpartition(".")[2] for path in leaves)], n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        yield Problem(key, f"queue {name!r} does not exist", f"{hint}The queues are {', '.join(leaves)}")
    elif len(found) > 1:
        yield Problem(key, f"queue {name!r} is ambiguous", f"give one of the full paths {', '.join(queue.path for queue in found)}")
    elif found and not found[0].leaf and not found[0].creates_children:
        below = [path for path in leaves if path.startswith(f"{found[0].path}.")]
        yield Problem(key, f"queue {name!r} takes no applications, it only has queues below it", f"give one of {', '.join(below)}")
    elif found and found[0].state.upper() != "RUNNING":
        running = [queue.path for queue in view.queues if queue.leaf and queue.state.upper() == "RUNNING"]
        yield Problem(
            key, f"queue {name!r} is {found[0].state}", f"give one that is RUNNING ({', '.join(running) or 'none is'}), or have it started"
        )


def _matches(name: str, view: ClusterView) -> list[Queue]:
    exact = [queue for queue in view.queues if queue.path == name]
    return exact or [queue for queue in view.queues if queue.leaf and queue.name == name]


def _made_on_demand(name: str, view: ClusterView) -> bool:
    path = name if name.startswith("root.") else f"root.{name}"
    existing = [queue for queue in view.queues if path.startswith(f"{queue.path}.")]
    return bool(existing) and max(existing, key=lambda queue: len(queue.path)).creates_children


def _label_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    labels = sorted({label for node in view.nodes for label in node.labels})
    queues = _matches(settings.application.queue, view)
    open_to = queues[0].labels if len(queues) == 1 else ()
    for ask in container_asks(settings):
        if ask.label is None:
            continue
        key = ask.label_key
        if ask.label not in labels:
            remedy = f"give one of {', '.join(labels)}, or leave it out" if labels else "leave it out: no node has a label"
            yield Problem(key, f"no running node has the node label {ask.label!r} that {ask.what} asks for", remedy)
        elif open_to and "*" not in open_to and ask.label not in open_to:
            remedy = f"give one of {', '.join(open_to)}, or another queue"
            cause = f"queue {settings.application.queue!r} has no access to the node label {ask.label!r} that {ask.what} asks for"
            yield Problem(key, cause, remedy)


def _type_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    known = sorted(view.types - {MEMORY, VCORES})
    for group in settings.groups:
        for resource in group.external_resources:
            common = options.YARN_TYPE_OF.of(resource.name).key
            key = common if _same_type_everywhere(settings, resource) else group_key(group, common)
            if resource.yarn_type is not None and resource.yarn_type not in view.types:
                yield Problem(key, f"this cluster does not know the resource type {resource.yarn_type!r}", _known_types(known))


def _same_type_everywhere(settings: Settings, resource: ExternalResource) -> bool:
    """Whether every group that has the resource asks for it by the same type, as where the common key says it."""
    namesakes = (other for group in settings.groups for other in group.external_resources if other.name == resource.name)
    return all(other.yarn_type == resource.yarn_type for other in namesakes)


def _known_types(known: list[str]) -> str:
    return (
        f"give one that it counts: {', '.join(known)}"
        if known
        else "this cluster counts memory and vcores only (resource-types.xml on the ResourceManager)"
    )


def _size_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    if not view.nodes:
        yield Problem(
            "nodes", "no NodeManager of this cluster is RUNNING", "start one, or wait until the ResourceManager lists it as RUNNING"
        )
        return
    for ask in reversed(container_asks(settings)):
        nodes = _nodes_for(ask, settings, view)
        if nodes:
            yield from _misfits(ask, nodes, view)


def _nodes_for(ask: ContainerAsk, settings: Settings, view: ClusterView) -> list[Node]:
    """The nodes that YARN considers: those of the label; without one, of the queue's default or else those that no label keeps apart."""
    found = _matches(settings.application.queue, view)
    label = ask.label or (found[0].default_label if len(found) == 1 else "")
    if label:
        return [node for node in view.nodes if label in node.labels]
    return [node for node in view.nodes if not view.exclusive_labels.intersection(node.labels)]


def _misfits(ask: ContainerAsk, nodes: list[Node], view: ClusterView) -> Iterator[Problem]:
    """One problem per type that is too much by itself; when there is none, one for what no node has together."""
    wanted = {name: amount for name, amount in ask.resources.items() if name in view.types}
    alone = [problem for name in wanted for problem in _too_much(ask, name, nodes, view)]
    yield from alone
    if not alone and not any(_fits(wanted, node) for node in nodes):
        closest = min(nodes, key=lambda node: _distance(wanted, node))
        lacks = ", ".join(
            f"{name} {n} where it has {closest.total.get(name, 0)}" for name, n in wanted.items() if n > closest.total.get(name, 0)
        )
        words = ", ".join(f"{name} {amount}" for name, amount in wanted.items() if amount)
        cause = f"no node can hold {ask.what} of {words}; the closest, {closest.host}, would need {lacks}"
        yield Problem(ask.keys[MEMORY], cause, "ask for less in one TaskManager, for instance fewer slots in more TaskManagers")


def _too_much(ask: ContainerAsk, name: str, nodes: list[Node], view: ClusterView) -> Iterator[Problem]:
    amount, key = ask.resources[name], ask.keys[name]
    largest = max(nodes, key=lambda node: node.total.get(name, 0))
    most, limit = largest.total.get(name, 0), view.maximum.get(name, amount)
    if amount > most:
        has = f"the largest, {largest.host}, has {most}" if most else "none has any"
        labelled = f" with the label {ask.label}" if ask.label else ""
        yield Problem(key, f"no node{labelled} offers {name} {amount} for {ask.what}; {has}", _at_most(name, min(most, limit)))
    elif amount > limit:
        yield Problem(
            key, f"{name} {amount} for {ask.what} is above the scheduler's maximum for a container, {limit}", _at_most(name, limit)
        )


def _at_most(name: str, most: int) -> str:
    return f"ask for at most {most} {name}" if most else f"have a node configured that offers {name}, or do not ask for it"


def _fits(ask: Mapping[str, int], node: Node) -> bool:
    return all(node.total.get(name, 0) >= amount for name, amount in ask.items())


def _distance(ask: Mapping[str, int], node: Node) -> Fraction:
    """How far a node is from holding the ask: the sum of its shortfalls, each as a share of what is asked."""
    return sum((Fraction(max(0, n - node.total.get(name, 0)), n) for name, n in ask.items() if n), Fraction())
