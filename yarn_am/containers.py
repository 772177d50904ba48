"""The seam between the application master and the place it runs at: who starts TaskManager containers and says what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from protocol.outcome import Outcome
from yarn_am.events import Completed, Granted


class Containers(Protocol):
    """Containers of TaskManagers. On YARN: `yarn_am.skein_containers`; on this machine: `yarn_am.local_containers`."""

    def start(self) -> None:
        """Sees to it that the TaskManagers asked for come up."""

    def events(self) -> Iterator[Granted | Completed]:
        """Yields what becomes of containers, until `finish`."""

    def publish(self, url: str) -> None:
        """Makes the application master's REST server at `url` (loopback) reachable for the user."""

    def finish(self, outcome: Outcome) -> None:
        """Ends every container and reports the outcome: the very last act."""
