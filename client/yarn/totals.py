"""How much of each resource type is used, of how much: by a queue and by the whole cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from client.yarn.cluster import ClusterView


@dataclass(frozen=True)
class Totals:
    """Resource type → amount, memory in MiB; of a queue `total` is how far it may grow, empty where its scheduler does not tell."""

    used: Mapping[str, int]
    total: Mapping[str, int]


def of_cluster(view: ClusterView) -> Totals:
    """Returns those of all nodes that run."""
    types = {name for node in view.nodes for name in node.total}
    total = {name: sum(node.total.get(name, 0) for node in view.nodes) for name in types}
    free = {name: sum(node.available.get(name, 0) for node in view.nodes) for name in types}
    return Totals({name: total[name] - free[name] for name in total}, total)


def of_queue(view: ClusterView, queue: str) -> Totals | None:
    """Returns those of a queue by its path or name, None when the scheduler does not list it."""
    for known in view.queues:
        if queue in (known.path, known.name):
            return Totals(known.used, known.maximum)
    return None


def words(totals: Totals) -> str:
    """Returns `type used/total` of each type that there is any of."""
    names = sorted(name for name in {*totals.used, *totals.total} if totals.used.get(name) or totals.total.get(name))
    limits = {name: f"/{totals.total[name]}" if name in totals.total else "" for name in names}
    return "  ".join(f"{name} {totals.used.get(name, 0)}{limits[name]}" for name in names)
