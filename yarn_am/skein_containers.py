"""Containers on YARN: skein's application master starts them, the overlay's tap says what YARN really did."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from protocol.launch import EXCLUDED_NODES_FILE, FINAL_STATUS_FILE
from protocol.outcome import SUCCEEDED, Outcome
from yarn_am import excluded_nodes, tap
from yarn_am.events import Completed, Granted, NodeChanged
from yarn_am.json_lines import follow

logger = logging.getLogger(__name__)

PAGE = "treadle"
_ALL_STATES = ("WAITING", "REQUESTED", "RUNNING", "SUCCEEDED", "FAILED", "KILLED")


class SkeinContainers:
    """See `yarn_am.containers.Containers`.

    Args:
        application: the `skein.ApplicationClient` of this application.
        tap_file: where the overlay writes.
    """

    def __init__(self, application: Any, tap_file: Path) -> None:
        self._application, self._tap_file = application, tap_file
        self._ended = threading.Event()

    def start(self) -> None:
        """Nothing is left to do: the submitted specification has the instances, which skein asks for before this program runs."""

    def events(self) -> Iterator[Granted | Completed | NodeChanged]:
        """Yields grants, completions and changes of nodes as the overlay writes them."""
        for line in follow(self._tap_file, self._ended):
            try:
                if told := tap.granted(line) or tap.node_changed(line):
                    yield told
                elif completion := tap.completed(line):
                    container, exit_status, diagnostics = completion
                    yield Completed(container, self._task_manager_id(container), exit_status, diagnostics)
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
                logger.warning("Ignored a line of %s: %.200r: %s", self._tap_file.name, line, error)

    def request(self, task_manager_id: str, group: str) -> None:
        """Has skein ask for one more container of the service, which is the group."""
        container = self._application.add_container(group)
        if f"{group}-{container.instance}" != task_manager_id:
            raise RuntimeError(f"skein calls the container of {task_manager_id} {container.id}: it has started others of its own")

    def stop(self, container_id: str) -> str | None:
        """Has skein release the container."""
        for container in self._application.get_containers(states=_ALL_STATES):
            if container.yarn_container_id == container_id:
                self._application.kill_container(container.id)
                return f"{container.service_name}-{container.instance}"
        return None

    def exclude(self, hosts: Collection[str]) -> None:
        """Tells the overlay, which tells YARN with its next heartbeat."""
        excluded_nodes.write(Path(EXCLUDED_NODES_FILE), hosts)

    def publish(self, url: str) -> None:
        """Adds the server as a page of skein's, which YARN's proxy fronts."""
        self._application.ui.add_page(PAGE, url, link_name="Treadle")

    def finish(self, outcome: Outcome, *, retriable: bool = False) -> None:
        """Unregisters the application, which ends its containers.

        With attempts left skein unregisters what has succeeded only: it is told so of every final end, and the overlay the truth.
        """
        self._ended.set()
        if retriable:
            self._application.shutdown(outcome.status, outcome.to_diagnostics())
        else:
            Path(FINAL_STATUS_FILE).write_text(outcome.status, encoding="utf-8")
            self._application.shutdown(SUCCEEDED, outcome.to_diagnostics())

    def _task_manager_id(self, container_id: str) -> str | None:
        """Each group is a service, whose containers skein numbers; a surplus container that it released has no number."""
        for container in self._application.get_containers(states=_ALL_STATES):
            if container.yarn_container_id == container_id:
                return f"{container.service_name}-{container.instance}"
        return None
