"""The seam between the application master and the place it runs at: who starts TaskManager containers and says what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from protocol.outcome import Outcome
from yarn_am.events import Completed, Granted, NodeChanged


class Containers(Protocol):
    """Containers of TaskManagers. On YARN: `yarn_am.skein_containers`; on this machine: `yarn_am.local_containers`."""

    def start(self) -> None:
        """Sees to it that the TaskManagers asked for come up."""

    def events(self) -> Iterator[Granted | Completed | NodeChanged]:
        """Yields what becomes of containers, and of nodes, until `finish`."""

    def request(self, task_manager_id: str, group: str) -> None:
        """Asks for one more container of a group, for the TaskManager of this id: the next number of its group."""

    def stop(self, container_id: str) -> str | None:
        """Ends a container, in its own time; returns the id of the TaskManager that it was for, None when it is not known.

        `events` may tell its end later, or never: a ResourceManager that has recovered does not know every container.
        """

    def exclude(self, hosts: Collection[str]) -> None:
        """Asks for no container on these hosts from now on, and on all others again."""

    def publish(self, url: str) -> None:
        """Makes the application master's REST server at `url` (loopback) reachable for the user."""

    def finish(self, outcome: Outcome, *, retriable: bool = False) -> None:
        """Ends every container and reports the outcome: the very last act.

        A `retriable` end is left to the next attempt of the application master, where there is one.
        """
