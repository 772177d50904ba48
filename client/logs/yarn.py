"""Shows the logs of an application on YARN: from its nodes while it runs, from aggregated logs afterwards."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Mapping

from client.application import lookup
from client.console import Console
from client.errors import ENVIRONMENT, ClientError
from client.hadoop import rest
from client.logs.aggregated import aggregated
from client.logs.nodes import NodeManagers
from client.logs.view import LogView
from client.yarn.application_details import ApplicationDetails
from client.yarn.resourcemanager import ResourceManager

logger = logging.getLogger(__name__)

_LOOK_S, _SOON_S = 1.0, 0.2
"""Time between two looks: at what an application writes, and at whether YARN has collected the logs of one that has just ended."""

_PATIENCE_S = 180.0
"""How long the ResourceManager may be silent while its application is followed: a restart with recovery takes tens of seconds."""

_AGGREGATION_S = 60.0
"""How long after an application's end YARN may take to collect its logs."""

_DISABLED = "DISABLED"
_UNDER_WAY = frozenset({"NOT_START", "RUNNING", "RUNNING_WITH_FAILURE"})
"""YARN's `LogAggregationStatus`: none is collected; another status follows."""


class YarnLogs:
    """The logs of one application, given to `view`."""

    def __init__(self, manager: ResourceManager, view: LogView, environ: Mapping[str, str], console: Console) -> None:
        self._manager, self._view, self._environ, self._console = manager, view, environ, console
        self._nodes = NodeManagers()

    def show(self, known: ApplicationDetails, *, follow: bool) -> None:
        """Shows what there is, and with `follow` what comes until the end.

        Raises:
            ClientError: when there are none, or they can't be reached.
        """
        if not known.ended:
            known = self._follow(known) if follow else self._show_running(known)
        if known.ended:
            self._show_ended(known, followed=follow)

    def show_forgotten(self, application: str, owner: str) -> bool:
        """Shows aggregated logs of an application that the ResourceManager does not know; returns whether there are any."""
        with aggregated(application, owner, self._environ) as logs:
            return self._view.show(logs, growing=False)

    def _show_running(self, known: ApplicationDetails) -> ApplicationDetails:
        """Returns the application as it is afterwards: it may have ended meanwhile, and its nodes given nothing."""
        try:
            self._nodes.know(self._manager.containers(known.id))
        except rest.RestError as error:
            raise self._manager.unreachable(error) from error
        shown = self._view.show(self._nodes, growing=False)
        known = lookup.find(self._manager, known.id)
        if not known.ended and not shown and not self._nodes.silent:
            raise ClientError(f"{known.id} is {known.state} and has no logs yet", "look again when it is RUNNING, or follow it with -f", 1)
        if not known.ended:
            for what, reason in {**self._nodes.silent, **self._view.unread}.items():
                self._console.line(f"warning: {what} can't be read now: {reason}")
        return known

    def _follow(self, known: ApplicationDetails) -> ApplicationDetails:
        """Returns the application as it ended."""
        heard = time.monotonic()
        while not known.ended:
            try:
                self._nodes.know(self._manager.containers(known.id))
                known = self._manager.details(known.id)
                heard = time.monotonic()
            except rest.RestError as error:
                if time.monotonic() - heard > _PATIENCE_S:
                    raise self._manager.unreachable(error) from error
            self._view.show(self._nodes, growing=True)
            if not known.ended:
                time.sleep(_LOOK_S)
        return known

    def _show_ended(self, known: ApplicationDetails, *, followed: bool) -> None:
        status = self._collected(known)
        if status != _DISABLED:
            with aggregated(known.id, known.user, self._environ) as logs:
                shown = self._view.show(logs, growing=False)
                if logs.failure:
                    self._console.line(f"warning: {logs.failure}")
            if shown or followed:
                return
            raise _gone(known, status)
        if not followed:
            raise _not_kept(known)
        self._console.line(
            "warning: this cluster does not collect logs (yarn.log-aggregation-enable), so the very last lines may be missing"
        )

    def _collected(self, known: ApplicationDetails) -> str:
        """Returns the status of log aggregation, waited for when the application has just ended."""
        deadline = time.monotonic() + _AGGREGATION_S - _age_s(known.finished)
        silent_until = time.monotonic() + _LOOK_S * 2
        while True:
            try:
                status = self._manager.log_aggregation(known.id)
            except rest.RestError as error:
                raise self._manager.unreachable(error) from error
            if status not in _UNDER_WAY or time.monotonic() > deadline:
                return status
            if time.monotonic() > silent_until:
                self._console.line("waiting for YARN to collect the logs")
                silent_until = deadline
            time.sleep(_SOON_S)


def _age_s(finished: str) -> float:
    """Seconds since an ISO time, 0 for one that is not told or in the future by this machine's clock."""
    return max(0.0, time.time() - datetime.datetime.fromisoformat(finished).timestamp()) if finished else 0.0


def _not_kept(known: ApplicationDetails) -> ClientError:
    return ClientError(
        f"{known.id} has ended, and this cluster does not collect logs: yarn.log-aggregation-enable is false",
        f"look on the nodes that it ran on, below yarn.nodemanager.log-dirs in {known.id}/, before yarn.nodemanager.log.retain-seconds"
        " (3 h) are over; `submit logs -f` shows logs while an application runs",
        ENVIRONMENT,
    )


def _gone(known: ApplicationDetails, status: str) -> ClientError:
    when = f", which finished {known.finished}" if known.finished else ""
    return ClientError(
        f"there are no logs of {known.id}{when}; log aggregation: {status or 'unknown'}",
        f"they are kept for yarn.log-aggregation.retain-seconds, and none are written before a container starts; `submit status {known.id}`"
        " shows how it ended",
        1,
    )
