"""What can be known to fail before anything is uploaded: pure, from the settings and the ResourceManager's answers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from fractions import Fraction

from client.cluster import MEMORY, VCORES, ClusterView, Node, Queue
from conf import options
from conf.errors import Problem
from conf.settings import Settings

Ask = Mapping[str, int]


def problems(settings: Settings, view: ClusterView) -> list[Problem]:
    """Returns everything that YARN would refuse, or never fulfil.

    Flink leaves such an application waiting for ever (its client checks memory and vcores only, and an unknown type or an amount above
    the maximum raises into the ResourceManager's main thread, which logs it); see `YarnClusterDescriptor.validateClusterResources`.
    """
    return [*_queue_problems(settings, view), *_type_problems(settings, view), *_size_problems(settings, view)]


def warnings(settings: Settings, view: ClusterView) -> list[str]:
    """Returns what may take long: an ask larger than the whole cluster, one line per resource type."""
    application, count = settings.application, settings.task_manager.count
    whole = {name: count * amount for name, amount in task_manager_ask(settings).items()}
    whole[MEMORY] += application.memory_mb
    whole[VCORES] += application.vcores
    return [
        f"{count} TaskManagers and the application master ask for {name} {amount}, and all nodes have {total}: some will wait for ever"
        for name, amount in whole.items()
        if name in view.types and amount > (total := sum(node.total.get(name, 0) for node in view.nodes))
    ]


def submission_queue(settings: Settings, view: ClusterView) -> str:
    """Returns the queue's name as this ResourceManager takes it: before Hadoop 3.3 (YARN-9879) leaf names only, where they are unique."""
    found = _matches(settings.application.queue, view)
    return found[0].name if len(found) == 1 and len(_matches(found[0].name, view)) == 1 else settings.application.queue


def task_manager_ask(settings: Settings) -> dict[str, int]:
    """Returns what one TaskManager's container asks YARN for, by resource type."""
    ask = {MEMORY: settings.task_manager.memory_mb, VCORES: settings.task_manager.vcores}
    for resource in settings.external_resources:
        if resource.yarn_type is not None:
            ask[resource.yarn_type] = ask.get(resource.yarn_type, 0) + resource.amount
    return ask


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


def _type_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    known = sorted(view.types - {MEMORY, VCORES})
    for resource in settings.external_resources:
        key = options.YARN_TYPE_OF.of(resource.name).key
        if resource.yarn_type is not None and resource.yarn_type not in view.types:
            yield Problem(key, f"this cluster does not know the resource type {resource.yarn_type!r}", _known_types(known))


def _known_types(known: list[str]) -> str:
    return (
        f"give one that it counts: {', '.join(known)}"
        if known
        else "this cluster counts memory and vcores only (resource-types.xml on the ResourceManager)"
    )


def _size_problems(settings: Settings, view: ClusterView) -> Iterator[Problem]:
    application = settings.application
    if not view.nodes:
        yield Problem(
            "nodes", "no NodeManager of this cluster is RUNNING", "start one, or wait until the ResourceManager lists it as RUNNING"
        )
        return
    ask = {name: amount for name, amount in task_manager_ask(settings).items() if name in view.types}
    yield from _misfits("a TaskManager", ask, {name: _key(settings, name) for name in ask}, view)
    master = {MEMORY: application.memory_mb, VCORES: application.vcores}
    keys = {MEMORY: options.AM_MEMORY.key, VCORES: options.AM_VCORES.key}
    yield from _misfits("the application master", master, keys, view)


def _key(settings: Settings, name: str) -> str:
    own = {MEMORY: options.MEMORY.key, VCORES: options.CPU_CORES.key}
    named = {resource.yarn_type: options.AMOUNT_OF.of(resource.name).key for resource in settings.external_resources}
    return own.get(name) or named[name]


def _misfits(what: str, ask: Ask, keys: Mapping[str, str], view: ClusterView) -> Iterator[Problem]:
    """One problem per type that is too much by itself; when there is none, one for what no node has together."""
    alone = [problem for name in ask for problem in _too_much(what, name, ask[name], keys[name], view)]
    yield from alone
    if not alone and not any(_fits(ask, node) for node in view.nodes):
        closest = min(view.nodes, key=lambda node: _distance(ask, node))
        lacks = ", ".join(
            f"{name} {n} where it has {closest.total.get(name, 0)}" for name, n in ask.items() if n > closest.total.get(name, 0)
        )
        wanted = ", ".join(f"{name} {amount}" for name, amount in ask.items() if amount)
        cause = f"no node can hold {what} of {wanted}; the closest, {closest.host}, would need {lacks}"
        yield Problem(keys[MEMORY], cause, "ask for less in one TaskManager, for instance fewer slots in more TaskManagers")


def _too_much(what: str, name: str, amount: int, key: str, view: ClusterView) -> Iterator[Problem]:
    largest = max(view.nodes, key=lambda node: node.total.get(name, 0))
    most, limit = largest.total.get(name, 0), view.maximum.get(name, amount)
    if amount > most:
        has = f"the largest, {largest.host}, has {most}" if most else "none has any"
        yield Problem(key, f"no node offers {name} {amount} for {what}; {has}", _at_most(name, min(most, limit)))
    elif amount > limit:
        yield Problem(key, f"{name} {amount} for {what} is above the scheduler's maximum for a container, {limit}", _at_most(name, limit))


def _at_most(name: str, most: int) -> str:
    return f"ask for at most {most} {name}" if most else f"have a node configured that offers {name}, or do not ask for it"


def _fits(ask: Ask, node: Node) -> bool:
    return all(node.total.get(name, 0) >= amount for name, amount in ask.items())


def _distance(ask: Ask, node: Node) -> Fraction:
    """How far a node is from holding the ask: the sum of its shortfalls, each as a share of what is asked."""
    return sum((Fraction(max(0, n - node.total.get(name, 0)), n) for name, n in ask.items() if n), Fraction())
