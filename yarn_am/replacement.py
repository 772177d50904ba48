"""When a failed TaskManager is replaced, and when not any more: budget, pace, and nodes that are kept out. Pure: the time comes in."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from yarn_am.failures import Failure
from yarn_am.nodes import Nodes

logger = logging.getLogger(__name__)

RATE_WINDOW_S = 60.0
"""Flink's rate is per minute (`resourcemanager.start-worker.max-failure-rate`)."""

LONGEST_DELAY_S = 60.0
"""The retry interval doubles up to this."""


@dataclass(frozen=True)
class Limits:
    """How much failing is borne.

    Attributes:
        failures: counted failures of TaskManagers that the application survives, within `validity_s`.
        failure_rate: failures per minute, those that count and all before registration, from which on a replacement waits.
        retry_interval_s: the pause before a replacement from that rate on; it doubles with each further failure.
        node_failures: failures that speak against a node, at which it is kept out.
        exclusion_s: how long it is.
        validity_s: how long a failure counts.
    """

    failures: int
    failure_rate: float
    retry_interval_s: float
    node_failures: int
    exclusion_s: float
    validity_s: float = math.inf


def within(times: Iterable[float], now: float, seconds: float) -> list[float]:
    """Returns those of the times that are less than so long ago."""
    return [at for at in times if now - at < seconds]


class Replacements:
    """Counts failures and says what follows."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counted: list[float] = []
        self._recent: list[float] = []
        self._against: Counter[str] = Counter()
        self._excluded: dict[str, float] = {}

    def note(self, failure: Failure, now: float, nodes: Nodes, *, registered: bool) -> None:
        """Takes a failure at time `now`; of the known `nodes` one is always left to each group.

        One before registration enters the rate whatever its cause: whatever ends a container at once would end the next one at once, too.
        """
        if failure.counts:
            self._counted.append(now)
        if failure.counts or not registered:
            self._recent.append(now)
        if failure.speaks_against_node and failure.node:
            excluded = self.excluded(now, nodes)
            self._against[failure.node] += 1
            if self._against[failure.node] >= self._limits.node_failures:
                self._exclude(failure.node, now, needed=nodes.needed(failure.node, excluded))

    def counted(self, now: float) -> int:
        """Returns how many failures count at `now`: more than `Limits.failures` are the application's end."""
        self._counted = within(self._counted, now, self._limits.validity_s)
        return len(self._counted)

    def delay_s(self, now: float) -> float:
        """Returns how long to wait before the next request: nothing below the rate, then the interval, doubled each time."""
        self._recent = within(self._recent, now, RATE_WINDOW_S)
        above = len(self._recent) - self._limits.failure_rate
        if above < 0:
            return 0.0
        return float(min(LONGEST_DELAY_S, self._limits.retry_interval_s * 2 ** min(int(above), 16)))

    def excluded(self, now: float, nodes: Nodes) -> frozenset[str]:
        """Returns the hosts that are kept out at `now`: none that is all that a group has left."""
        over = {name for name, until in self._excluded.items() if until <= now} | nodes.last_resort(self._excluded)
        for name in over:
            logger.info("Node %s is let in again", name)
            del self._excluded[name]
            del self._against[name]
        return frozenset(self._excluded)

    def _exclude(self, name: str, now: float, *, needed: bool) -> None:
        if needed:
            logger.warning("Node %s failed %d times and is not excluded: a group knows no other", name, self._against[name])
            return
        logger.warning("Excluding node %s for %g s: %d failures", name, self._limits.exclusion_s, self._against[name])
        self._excluded[name] = now + self._limits.exclusion_s
