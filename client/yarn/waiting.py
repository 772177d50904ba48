"""Why an application waits for containers: judged from the ResourceManager's facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from client.yarn.cluster import MEMORY
from client.yarn.waiting_facts import NodeLoad, PendingAsk, QueueLoad, WaitingFacts

_NOT_ACTIVATED = "not yet activated"
_MASTERS_LIMIT = "AM resource limit exceeded"
"""Words of YARN's `CSAMContainerLaunchDiagnosticsConstants`, in the diagnostics of an application that has no master yet."""

SOON = ("soon",)
"""Key of the reason that is none: there is room."""


@dataclass(frozen=True)
class Reason:
    """One reason: `key` stays the same while only the amounts in its words change."""

    key: tuple[str, ...]
    cause: str
    remedy: str = ""


def reasons(facts: WaitingFacts) -> list[Reason]:
    """Returns why the application waits, nothing when YARN owes it no container."""
    if facts.state != "RUNNING" and _NOT_ACTIVATED in facts.diagnostics:
        return [_not_activated(facts)]
    return list({reason.key: reason for ask in facts.asks for reason in _of_ask(ask, facts)}.values())


def _not_activated(facts: WaitingFacts) -> Reason:
    """The CapacityScheduler has not let it in."""
    words = facts.diagnostics.partition("Details")[0].strip()
    if _MASTERS_LIMIT not in facts.diagnostics or not facts.queues or not facts.asks:
        return Reason(
            ("not activated", words), f"YARN says: {words}", "Look at the limits of its queue, or submit to another one (--queue)."
        )
    queue, ask = facts.queues[0], facts.asks[0].resources
    limit = queue.masters_maximum
    tight = [name for name in ask if name in limit and queue.masters_used.get(name, 0) + ask[name] > limit[name]] or [MEMORY]
    amounts = ", ".join(
        f"{name} {limit.get(name, 0)}, {queue.masters_used.get(name, 0)} in use, {ask.get(name, 0)} wanted" for name in tight
    )
    whose = "each user's application masters" if "User's AM" in facts.diagnostics else "application masters"
    return Reason(
        ("masters", queue.path),
        f"queue {queue.path} has no room for another application master: {whose} may have {amounts}{_ahead(queue)}",
        "It starts when another application of the queue ends; a smaller jobmanager.memory.process.size may fit now,"
        " and the queue's limit is maximum-am-resource-percent.",
    )


def _ahead(queue: QueueLoad) -> str:
    """How many applications wait for the same, this one among them."""
    return f" ({queue.pending_applications - 1} others wait, too)" if queue.pending_applications > 1 else ""


def _of_ask(ask: PendingAsk, facts: WaitingFacts) -> Iterator[Reason]:
    """What is for ever comes first; then limits; then what is in use now."""
    nodes = [node for node in facts.nodes if not ask.label or ask.label in node.labels]
    usable = [node for node in nodes if node.usable]
    if not any(_fits(ask.resources, node.total) for node in usable):
        yield _impossible(ask, nodes, usable)
        return
    limits = [reason for queue in facts.queues for reason in _limits(ask, queue, usable)]
    yield from limits
    if limits:
        return
    if any(_fits(ask.resources, node.available) for node in usable):
        yield _soon(ask)
    else:
        yield _in_use(ask, usable)


def _impossible(ask: PendingAsk, nodes: list[NodeLoad], usable: list[NodeLoad]) -> Reason:
    """No node that YARN can use has as much, even when it is empty."""
    lost = [node for node in nodes if not node.usable]
    alone = [name for name, amount in ask.resources.items() if all(node.total.get(name, 0) < amount for node in usable)]
    offers = ", ".join(_amount(name, ask.resources[name]) for name in alone) or _words(ask.resources)
    labelled = f" with the label {ask.label}" if ask.label else ""
    gone = "; ".join(f"{node.host} is {node.state}" for node in lost)
    cause = f"no node of the cluster{labelled} offers {offers} any more{f': {gone}' if gone else ''}; {_what(ask)} will wait until one does"
    back = "that node" if len(lost) == 1 else "one"
    remedy = f"Have {back} brought back (`yarn node -list -all` shows their states), or end the application."
    return Reason(("impossible", *alone), cause, remedy)


def _limits(ask: PendingAsk, queue: QueueLoad, usable: list[NodeLoad]) -> Iterator[Reason]:
    """A queue that may take the whole cluster is no limit: then it is the cluster that is full."""
    for name, amount in ask.resources.items():
        whole = sum(node.total.get(name, 0) for node in usable)
        maximum, used = queue.maximum.get(name, whole), queue.used.get(name, 0)
        if maximum < whole and used + amount > maximum:
            yield Reason(
                ("queue", queue.path, name),
                f"queue {queue.path} is full: it may have {_amount(name, maximum)} and uses {used}; {_what(ask)} needs {amount}",
                "It goes on when another application of the queue gives some back; another queue may have room (--queue).",
            )
        own, most = queue.user_used.get(name, 0), queue.user_maximum.get(name, whole)
        if most < min(whole, maximum) and own + amount > most:
            yield Reason(
                ("user", queue.path, name),
                f"your share of queue {queue.path} is used up: {_amount(name, most)}, of which you use {own}; {_what(ask)} needs {amount}",
                "It goes on when another of your applications ends; see the queue's minimum-user-limit-percent and user-limit-factor.",
            )


def _in_use(ask: PendingAsk, usable: list[NodeLoad]) -> Reason:
    """Nodes are large enough, and others use them."""
    fitting = [node for node in usable if _fits(ask.resources, node.total)]
    closest = min(fitting, key=lambda node: _distance(ask.resources, node.available))
    short = [name for name, amount in ask.resources.items() if closest.available.get(name, 0) < amount]
    lacks = ", ".join(
        f"{_amount(name, closest.available.get(name, 0))} of {closest.total.get(name, 0)} free, {ask.resources[name]} needed"
        for name in short
    )
    return Reason(
        ("in use", *short),
        f"{_what(ask)} waits for {_words({name: ask.resources[name] for name in short})} that others use; the closest node, "
        f"{closest.host}, has {lacks}",
        "It goes on when others give some back (`submit list --user '*'`); less in one TaskManager may fit now.",
    )


def _soon(ask: PendingAsk) -> Reason:
    return Reason(SOON, f"{_what(ask)} waits for its turn: a node has room for it, and YARN has not given it yet")


def _what(ask: PendingAsk) -> str:
    if ask.master:
        return "the application master"
    return f"each of {ask.count} TaskManagers" if ask.count > 1 else "a TaskManager"


def _words(amounts: Mapping[str, int]) -> str:
    return ", ".join(_amount(name, amount) for name, amount in amounts.items())


def _amount(name: str, amount: int) -> str:
    return f"{name} {amount}"


def _fits(ask: Mapping[str, int], has: Mapping[str, int]) -> bool:
    return all(has.get(name, 0) >= amount for name, amount in ask.items())


def _distance(ask: Mapping[str, int], has: Mapping[str, int]) -> Fraction:
    """The sum of what lacks, each as a share of what is asked."""
    return sum((Fraction(max(0, amount - has.get(name, 0)), amount) for name, amount in ask.items()), Fraction())
