"""Fragments on their way through Dask, and those that wait in the job's main because their input or output failed.

Dask tries again at once, which an outage of seconds outlives. A pause in the slot would hold the slot, and stay with it: here it costs
nobody anything, and any slot takes the fragment afterwards.
"""

from __future__ import annotations

import heapq
import logging
import math
import queue
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import distributed

from treadle.fragments import Fragment
from treadle.outages import PAUSES_S

logger = logging.getLogger(__name__)

_TELL_S = 10.0
"""Seconds between two warnings: every fragment meets an outage, and one tells of it."""


class FragmentFutures:
    """Iterates over fragments that Dask is done with, each with its future; one that is put back comes again later."""

    def __init__(self, submit: Callable[[Sequence[Fragment]], Sequence[distributed.Future]]) -> None:
        self._submit = submit
        self._futures: dict[str, tuple[Fragment, distributed.Future]] = {}
        self._running = 0
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._waiting: list[tuple[float, int, Fragment]] = []
        self._failures: Counter[int] = Counter()
        self._told_at = -math.inf

    def start(self, fragments: Sequence[Fragment]) -> None:
        """Hands fragments to Dask."""
        for fragment, future in zip(fragments, self._submit(fragments), strict=True):
            self._futures[future.key] = fragment, future
            self._running += 1
            future.add_done_callback(lambda done: self._done.put(done.key))

    def put_back(self, fragment: Fragment, why: str) -> bool:
        """Has a fragment mapped again after a pause that grows; returns False when it has failed too often for that."""
        failed = self._failures[fragment.number]
        if failed == len(PAUSES_S):
            return False
        if monotonic() - self._told_at > _TELL_S:
            self._told_at = monotonic()
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
                self._running -= 1
                yield self._futures[key]

    def all(self) -> list[distributed.Future]:
        """Returns every future that there was: Dask keeps the results of those that it is not told to drop."""
        return [future for _, future in self._futures.values()]

    def _until_due(self) -> float | None:
        return max(0.0, self._waiting[0][0] - monotonic()) if self._waiting else None
