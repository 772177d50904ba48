"""Follows an application to its end, wherever it runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from client.application.master_rest import ask_master, proxied
from client.application.records import Application
from client.errors import ENVIRONMENT, ClientError
from client.following.progress import Progress
from client.hadoop import rest
from client.yarn.cluster import ApplicationReport
from client.yarn.master_failure import master_failure, outcome_of
from client.yarn.resourcemanager import ResourceManager
from protocol.outcome import Outcome

if TYPE_CHECKING:
    from client.ending.stopping import Stop

logger = logging.getLogger(__name__)

_SOON_S, _LATER_S = 0.2, 0.3
"""Time between two looks: while something happens, and when nothing did. The AM waits 2 s at its end for a follower that looked lately."""

_REPORT_AGE_S = 1.0
"""How long YARN's report is good while the application master answers for itself: the ResourceManager serves everybody."""

_PATIENCE_S = 180.0
"""How long the ResourceManager may be silent: a restart with recovery takes tens of seconds."""

RECOVERY_S = 30.0
"""How long the ResourceManager may not know an application: after a restart it answers before it has read which ones there are."""


@dataclass(frozen=True)
class Sight:
    """An application at one moment; `application` is None while its master can't be reached."""

    report: ApplicationReport
    application: Application | None


class Source(Protocol):
    """Where an application can be looked at, and killed; `can_detach` tells whether it lives on without its follower."""

    can_detach: bool

    def look(self) -> Sight:
        """Returns the application as it is now.

        Raises:
            rest.RestError: when that can't be told at the moment.
            ClientError: when it never will be.
        """

    def kill(self) -> None:
        """Asks for the application to be killed; `look` will see it end."""


class Watch(Protocol):
    """Something else that is looked after while an application is followed."""

    def see(self, sight: Sight) -> None:
        """Takes the application as it is now; the last one has ended."""


class YarnSource:
    """An application on YARN: the ResourceManager's report, and the application master behind its proxy."""

    can_detach = True

    def __init__(self, manager: ResourceManager, application_id: str, stop: Stop, recovery_s: float = RECOVERY_S) -> None:
        self._manager, self._recovery_s = manager, recovery_s
        self._id, self._stop = application_id, stop
        self._report: ApplicationReport | None = None
        self._reported_at = 0.0
        self._unknown_since: float | None = None

    def look(self) -> Sight:
        """Returns what the master says of itself, and what YARN said at most a second ago."""
        self._stop.insist()
        told = None
        if self._report is not None and self._report.state == "RUNNING":
            told = ask_master(f"{proxied(self._manager, self._id, self._report.tracking_url)}/pages/treadle")
        if told is None or told.outcome is not None or self._report is None or time.monotonic() - self._reported_at > _REPORT_AGE_S:
            self._report = self._ask_yarn()
            self._reported_at = time.monotonic()
        return Sight(self._report, told)

    def kill(self) -> None:
        """Asks its master, or YARN; `look` sees to it that it ends."""
        self._stop.begin()

    def _ask_yarn(self) -> ApplicationReport:
        try:
            report = self._manager.report(self._id)
        except rest.RestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self._unknown_since = self._unknown_since or time.monotonic()
            if time.monotonic() - self._unknown_since < self._recovery_s:
                raise
            cause = f"the ResourceManager does not know {self._id} any more: {error.reason}"
            raise ClientError(
                cause, "submit it again; a ResourceManager without recovery forgets its applications when it restarts", ENVIRONMENT
            ) from error
        self._unknown_since = None
        return report


class Follower:
    """Looks again and again until the end; may be interrupted anywhere and told to go on."""

    def __init__(self, source: Source, progress: Progress, watches: Sequence[Watch] = ()) -> None:
        self._source, self._progress, self._watches = source, progress, watches
        self._last: Application | None = None

    def follow(self) -> Outcome:
        """Returns how the application ended, having said so.

        Raises:
            ClientError: when that can't be found out.
        """
        silent_since: float | None = None
        while True:
            try:
                sight = self._source.look()
            except rest.RestError as error:
                silent_since = silent_since or time.monotonic()
                self._be_patient(error, silent_since)
                continue
            silent_since = None
            self._last = sight.application or self._last
            news = self._progress.show(sight.report, sight.application)
            for watch in self._watches:
                watch.see(sight)
            if sight.report.ended:
                return self._conclude(sight.report)
            time.sleep(_SOON_S if news else _LATER_S)

    def _be_patient(self, error: rest.RestError, since: float) -> None:
        if time.monotonic() - since > _PATIENCE_S:
            cause = f"nothing is known of the application since {_PATIENCE_S:.0f} s: {error}"
            raise ClientError(cause, "it may still run; look for it when the ResourceManager answers again", ENVIRONMENT) from error
        time.sleep(_LATER_S)

    def _conclude(self, report: ApplicationReport) -> Outcome:
        """The master's own words are whole where YARN's diagnostics were cut or replaced, and count when both agree on the status.

        What made the master itself end only YARN knows.
        """
        outcome = outcome_of(report.final_status, report.diagnostics)
        told = self._last.outcome if self._last else None
        if told is not None and told.status == outcome.status and master_failure(report.diagnostics) is None:
            outcome = told
        self._progress.summary(outcome, self._last)
        return outcome
