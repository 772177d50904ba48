"""Says why an application waits, once for each change, while it is followed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from client.console import Console
from client.following.follow import Sight
from client.hadoop import rest
from client.yarn import waiting
from client.yarn.waiting import SOON, Reason
from client.yarn.waiting_facts import WaitingFacts

logger = logging.getLogger(__name__)

_QUIET_S = 3.0
"""How long a wait is nothing to speak of: YARN answers on heartbeats, and a container takes a second or two to start."""

_ASK_S = 2.0
"""Time between two questions to the ResourceManager, which serves everybody."""


class WaitingWatch:
    """See the module; `ask` returns the facts, or raises RestError when there are none now."""

    def __init__(self, ask: Callable[[], WaitingFacts], console: Console, quiet_s: float = _QUIET_S, ask_s: float = _ASK_S) -> None:
        self._ask, self._console, self._quiet_s, self._ask_s = ask, console, quiet_s, ask_s
        self._since: float | None = None
        self._asked = 0.0
        self._said: list[tuple[str, ...]] = []

    def see(self, sight: Sight) -> None:
        """Asks when it has waited for a while, and says what is new."""
        now = time.monotonic()
        if not _waits(sight):
            self._since, self._said = None, []
            return
        self._since = self._since or now
        if now - self._since < self._quiet_s or now - self._asked < self._ask_s:
            return
        self._asked = now
        try:
            self._say(waiting.reasons(self._ask()))
        except rest.RestError as error:
            logger.debug("not known why it waits: %s", error)

    def _say(self, reasons: list[Reason]) -> None:
        """Nothing is no news: a container that was granted starts now. A free place may be gone again at the next look."""
        for reason in reasons:
            if reason.key not in self._said:
                self._console.line(f"waiting: {reason.cause}")
                if reason.remedy:
                    self._console.line(f"  {reason.remedy}")
        keys = [reason.key for reason in reasons]
        self._said = [*self._said, *keys] if set(keys) <= {SOON} else keys


def _waits(sight: Sight) -> bool:
    """Until its master answers for itself; then as long as TaskManagers are awaited."""
    if sight.report.ended:
        return False
    if sight.application is None:
        return sight.report.state != "RUNNING"
    return bool(sight.application.waiting) and sight.application.outcome is None
