"""The nodes as YARN tells of them: which have had TaskManagers of which group, and which of them are out. Pure."""

from __future__ import annotations

from collections.abc import Collection

from yarn_am.events import NodeChanged, host

RUNNING = "RUNNING"
LOST = "LOST"


class Nodes:
    """By host, as NodeManagers register. A node is known to a group when a TaskManager of the group has registered or failed on it."""

    def __init__(self) -> None:
        self._of_group: dict[str, set[str]] = {}
        self._out: dict[str, NodeChanged] = {}
        self._missing: dict[str, NodeChanged] = {}

    def registered(self, name: str, group: str) -> None:
        """A TaskManager of the group registered on this host: it can't be lost, unless YARN says so."""
        self.know(name, group)
        self._missing.pop(name, None)

    def know(self, name: str, group: str) -> None:
        """A TaskManager of the group had a container on this host."""
        self._of_group.setdefault(group, set()).add(name)

    def changed(self, event: NodeChanged) -> None:
        """A node of the cluster, whichever, changed."""
        self._missing.pop(host(event.node), None)
        if event.state == RUNNING:
            self._out.pop(host(event.node), None)
        else:
            self._out[host(event.node)] = event

    def lost(self, name: str) -> None:
        """A container was lost with this host, of which YARN may say nothing itself."""
        self._missing[name] = NodeChanged(name, LOST, "")

    def out(self, node: str) -> NodeChanged | None:
        """Returns what YARN last said of a node (its host, or `host:port`) that it gives no containers on now, None for any other."""
        return self._out.get(host(node)) or self._missing.get(host(node))

    def is_known(self, node: str) -> bool:
        """Returns whether any TaskManager has been on this node."""
        return any(host(node) in known for known in self._of_group.values())

    def needed(self, name: str, excluded: Collection[str]) -> bool:
        """Returns whether some group would have no node left without this host and those excluded."""
        return any(not self._left(group) - {name, *excluded} for group, known in self._of_group.items() if name in known)

    def last_resort(self, excluded: Collection[str]) -> set[str]:
        """Returns those of the excluded hosts that are all that some group has left."""
        lefts = [self._left(group) for group in self._of_group]
        return {name for left in lefts if left <= set(excluded) for name in left}

    def gone(self) -> dict[str, list[NodeChanged]]:
        """Returns the groups all of whose known nodes are out, with what YARN said of each."""
        return {group: [self._out[name] for name in sorted(known)] for group, known in self._of_group.items() if known <= self._out.keys()}

    def _left(self, group: str) -> set[str]:
        return self._of_group[group] - self._out.keys() - self._missing.keys()
