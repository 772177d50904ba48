"""Shows what is asked for of the files that a source holds, again and again, each byte once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from client.errors import USAGE, ClientError
from client.hadoop import rest
from client.logs import files as log_files
from client.logs.files import LogFile, Selection, Task
from client.logs.lines import Line, LogLines
from client.logs.source import Naming, Source

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What to show of an application: `tail` is the number of lines of each file, None for all; `follow` goes on to its end."""

    application: str
    selection: Selection
    tail: int | None = None
    follow: bool = False


class LogView:
    """Shows one wish. `emit` gets each line; `flush` is called when no more are there for the moment.

    `unread` holds the files that a node did not give at the last look, and why.
    """

    def __init__(self, wish: Wish, emit: Callable[[Line], None], flush: Callable[[], None]) -> None:
        self._selection, self._tail, self._flush = wish.selection, wish.tail, flush
        self._lines, self._naming = LogLines(emit), Naming()
        self._known: set[str] = set()
        self.unread: dict[str, str] = {}

    def show(self, source: Source, *, growing: bool) -> bool:
        """Shows what was added since the last time; returns whether there are any files. `growing` keeps a last line until it is whole."""
        files = source.files()
        self.unread = {}
        tasks = self._naming.tasks(source, files, patient=growing)
        self._known |= {task.name for task in tasks.values()}
        for file, task in log_files.in_order({file: task for file, task in tasks.items() if self._selection.takes(task)}):
            self._show(source, file, task)
            if not growing:
                self._lines.finish(file)
        if tasks:
            self._tail = None  # what comes later is new
        self._flush()
        return bool(files)

    def finish(self) -> None:
        """Shows last lines without an end, and checks that what was asked for was there.

        Raises:
            ClientError: when a task that was asked for was none of them.
        """
        self._lines.finish_all()
        self._flush()
        for wanted in self._selection.tasks:
            if not any(log_files.below(name, wanted) for name in self._known):
                there = f"there are {', '.join(sorted(self._known, key=log_files.rank))}" if self._known else "it has none"
                raise ClientError(f"no task {wanted!r} has written a log", f"name one of the application's tasks: {there}", USAGE)

    def _show(self, source: Source, file: LogFile, task: Task) -> None:
        try:
            self._lines.read_on(source, file, task, self._tail)
        except rest.RestError as error:
            logger.debug("%s of %s is not given: %s", file.name, file.container, error)
            self.unread[f"{file.name} of {file.container}"] = error.reason
