"""The history that an application leaves behind: written while it runs, and at its end whatever that end is.

A thread of its own writes, since HDFS may take its time, or hang: the application goes on all the same.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from protocol.history import PAGE, SUMMARY, Marker, Summary, events_file
from protocol.outcome import Outcome
from protocol.wire import to_bytes
from yarn_am.event_log import EventLog
from yarn_am.events import Event
from yarn_am.history_store import HistoryError, HistoryStore
from yarn_am.reservations import Reservations

logger = logging.getLogger(__name__)

FIRST_S = 1.0
"""From the start to the first writing, which leaves the start its processors."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0
"""Between two writings, doubled with each: a long application asks little of HDFS."""

REFRESH_S, REFRESH_PART = 10.0, 0.1
"""What is used is written again when the last writing is so many seconds and such a part of the application's time ago.

So charts of an application that is killed miss a tenth of it at most, and one that lives for a week writes a hundred times for them.
"""

END_S = 5.0
"""How long the application's end waits for the last writing."""


class History(Protocol):
    """What the loop tells; none of it waits for a file system but `wait`, and none raises."""

    def note(self, event: Event, *, recorded: bool) -> None:
        """Something happened, and was worth a record in the event log or not."""

    def end(self, outcome: Outcome) -> None:
        """The attempt has ended; the writing begins."""

    def wait(self) -> None:
        """Returns when all is written, or after `END_S`."""


class NoHistory:
    """Where none is wanted (`treadle.history.dir: none`)."""

    def note(self, event: Event, *, recorded: bool) -> None:
        """Is not kept."""

    def end(self, outcome: Outcome) -> None:
        """Is not kept."""

    def wait(self) -> None:
        """There is nothing to wait for."""


NO_HISTORY = NoHistory()


@dataclass(frozen=True)
class Views:
    """How the state is shown: the summary with these reserved hours and time since the epoch, the page's JSON; in the loop's thread."""

    summary: Callable[[Mapping[str, float], float], Summary]
    page: Callable[[], object]


class Writer:
    """Writes whole files, the latest that it was given.

    Its threads end with the process, whatever HDFS does: executors' threads would keep it.

    Args:
        store: where to.
        first_s: seconds until the first writing.
        pause_s: seconds between two writings, doubled with each up to `LONGEST_PAUSE_S`.
    """

    def __init__(self, store: HistoryStore, first_s: float = FIRST_S, pause_s: float = FIRST_PAUSE_S) -> None:
        self._store, self._pause_s = store, pause_s
        self._changed = threading.Condition()
        self._files: dict[str, bytes] = {}
        self._due = time.monotonic() + first_s
        self._marking: threading.Thread | None = None
        self._done = threading.Event()
        self._warned = False
        _in_thread(self._run)

    @property
    def is_due(self) -> bool:
        """Returns whether it is time to write again."""
        with self._changed:
            return time.monotonic() >= self._due

    def put(self, files: Mapping[str, bytes]) -> None:
        """Has files written now."""
        with self._changed:
            self._files, self._due = dict(files), math.inf
            self._changed.notify()

    def end(self, marker: str, files: Mapping[str, bytes]) -> None:
        """Has an empty file written at once, besides whatever is being written, and the last of the others next."""
        with self._changed:
            self._marking = _in_thread(lambda: self._attempt(lambda: self._store.mark(marker)))
            self._files = dict(files)
            self._changed.notify()

    def wait(self, timeout_s: float) -> bool:
        """Returns whether all is written, after `timeout_s` seconds at most."""
        return self._done.wait(timeout_s)

    def _run(self) -> None:
        marking = None
        while marking is None:
            with self._changed:
                self._changed.wait_for(lambda: self._files)
                files, self._files, marking = self._files, {}, self._marking
            self._write(files)
            with self._changed:
                self._due = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        marking.join()
        self._done.set()

    def _write(self, files: Mapping[str, bytes]) -> None:
        # side by side: HDFS makes a writer wait half a second at each file's end
        works = [partial(self._attempt, partial(self._store.write, name, data)) for name, data in files.items()]
        for thread in [_in_thread(work) for work in works]:
            thread.join()

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except HistoryError as error:
            with self._changed:
                first, self._warned = not self._warned, True
            if first:
                logger.warning("The application's history can't be written: %s", error)


class WrittenHistory:
    """See `History`."""

    def __init__(self, log: EventLog, views: Views, writer: Writer, attempt: int) -> None:
        self._log, self._views, self._writer, self._attempt = log, views, writer, attempt
        self._reservations = Reservations()
        self._ended = False
        self._stale = True
        self._began = self._written = time.time()

    def note(self, event: Event, *, recorded: bool) -> None:
        """See `History`."""
        now = time.time()
        self._reservations.note(event, now)
        self._stale |= recorded or now - self._written >= max(REFRESH_S, (now - self._began) * REFRESH_PART)
        if self._stale and self._writer.is_due:
            self._stale = False
            self._written = now
            self._writer.put(self._files(now))

    def end(self, outcome: Outcome) -> None:
        """See `History`."""
        if self._ended:
            return
        self._ended, now = True, time.time()
        marker = Marker(self._attempt, outcome.status, outcome.exit_code, int(now))
        self._writer.end(marker.name, self._files(now))

    def wait(self) -> None:
        """See `History`."""
        if not self._writer.wait(END_S):
            logger.warning("The application's history was not written within %g s", END_S)

    def _files(self, now: float) -> dict[str, bytes]:
        records = "".join(json.dumps(record) + "\n" for record in self._log.records())
        return {
            SUMMARY: to_bytes(self._views.summary(self._reservations.hours(now), now)),
            events_file(self._attempt): records.encode(),
            PAGE: json.dumps(self._views.page()).encode(),
        }


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="history", daemon=True)
    thread.start()
    return thread
