"""Shows what a job's main writes while it is followed, line by line with its name before it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from client.console import Console
from client.following.follow import Sight
from client.hadoop import rest
from client.logs.files import Selection
from client.logs.lines import Line
from client.logs.nodes import NodeManagers
from client.logs.source import Source
from client.logs.view import LogView, Wish
from client.yarn.resourcemanager import ResourceManager

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_JOB = Selection(tasks=("job",))


class JobOutput:
    """Looks once a second, and once more when the application says that it ends.

    `source` holds its logs, None while they can't be had. They are read from the application master's node; those of an application that
    ends unseen are left to `submit logs`.
    """

    def __init__(self, application: str, source: Callable[[], Source | None], console: Console) -> None:
        self._find, self._console = source, console
        self._view = LogView(Wish(application, _JOB), self._line, lambda: None)
        self._source: Source | None = None
        self._looked = 0.0
        self._complete = False

    def see(self, sight: Sight) -> None:
        """Shows what is new."""
        ends = sight.report.ended or (sight.application is not None and sight.application.outcome is not None)
        now = time.monotonic()
        if self._complete or (now - self._looked < _LOOK_S and not ends) or not (ends or sight.application):
            return
        self._looked, self._complete = now, ends
        self._source = self._source or self._find()
        if self._source is not None:
            self._view.show(self._source, growing=not ends)

    def _line(self, line: Line) -> None:
        self._console.line(f"{line.task} | {line.line}")


def on_yarn(manager: ResourceManager, application: str) -> Source | None:
    """Returns the logs of the application master's container, None when YARN does not tell where it is."""
    try:
        container = manager.master_container(application)
    except rest.RestError as error:
        logger.debug("it is not known where the application master is: %s", error)
        return None
    if container is None:
        return None
    nodes = NodeManagers()
    nodes.know([container])
    return nodes
