"""Fragments on their way through Dask, and those that wait in the job's main because their input or output failed.

Dask tries again at once, which an outage of seconds outlives. A pause in the slot would hold the slot, and stay with it: here it costs
nobody anything, and any slot takes the fragment afterwards.
"""

from __future__ import annotations

import heapq
import logging
import queue
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import distributed

from treadle.fragments import Fragment
from treadle.outages import PAUSES_S

logger = logging.getLogger(__name__)


class FragmentFutures:
    """Iterates over fragments that Dask is done with, each with its future; one that is put back comes again later."""

    def __init__(self, submit: Callable[[Sequence[Fragment]], Sequence[distributed.Future]]) -> None:
        self._submit = submit
        self._running: dict[str, tuple[Fragment, distributed.Future]] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._waiting: list[tuple[float, int, Fragment]] = []
        self._failures: Counter[int] = Counter()

    def start(self, fragments: Sequence[Fragment]) -> None:
        """Hands fragments to Dask."""
        for fragment, future in zip(fragments, self._submit(fragments), strict=True):
            self._running[future.key] = fragment, future
            future.add_done_callback(lambda done: self._done.put(done.key))

    def put_back(self, fragment: Fragment, why: str) -> bool:
        """Has a fragment mapped again after a pause that grows; returns False when it has failed too often for that."""
        failed = self._failures[fragment.number]
        if failed == len(PAUSES_S):
            return False
        if not self._waiting:  # an outage is told once, not by each fragment that meets it
            logger.warning("Input or output of %s failed; it is mapped again in %d s: %s", fragment.path, PAUSES_S[failed], why)
        self._failures[fragment.number] += 1
        heapq.heappush(self._waiting, (monotonic() + PAUSES_S[failed], fragment.number, fragment))
        return True

    def __iter__(self) -> Iterator[tuple[Fragment, distributed.Future]]:
        while self._running or self._waiting:
            try:
                key = self._done.get(timeout=self._until_due())
            except queue.Empty:
                self.start([heapq.heappop(self._waiting)[2]])
            else:
                yield self._running[key]
                del self._running[key]

    def unfinished(self) -> list[distributed.Future]:
        """Returns the futures that the iteration is not past."""
        return [future for _, future in self._running.values()]

    def _until_due(self) -> float | None:
        return max(0.0, self._waiting[0][0] - monotonic()) if self._waiting else None
