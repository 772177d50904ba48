"""Ends an application on YARN: its master is asked, which gives slots time to end; where that fails or takes too long, YARN kills it."""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable, Mapping

from client.application import directory as application_directory
from client.ending.master_stop import UnansweredError, ask
from client.hadoop import rest
from client.hadoop.identity import hadoop_user
from client.yarn.resourcemanager import ResourceManager
from protocol.records import StopRequest

logger = logging.getLogger(__name__)

_LATENESS_S = 5.0
"""How long YARN may take to tell of an end, beyond what the master said that it needs."""

PATIENCE_S = 120.0
"""How long YARN may take from the request to the state KILLED: the NodeManager gives a container time to end by itself."""


class Stop:
    """One application's end, wanted by the user.

    Args:
        manager: the ResourceManager.
        application: the application's id.
        environ: tells where its key pair is, and who wants the end.
        kill_by_driver: kills as YARN's own clients do, where web users may not.
        say: tells the user, in one line, why slots get no time to end.
    """

    def __init__(
        self,
        manager: ResourceManager,
        application: str,
        environ: Mapping[str, str],
        kill_by_driver: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._manager, self.application, self._environ = manager, application, environ
        self._kill_by_driver, self._say = kill_by_driver, say
        self._forced, self._due = False, math.inf

    def begin(self) -> None:
        """Asks the master, or YARN where there is none to ask.

        Raises:
            ClientError: when YARN refuses.
        """
        address = self._master_address()
        try:
            if address:
                seconds = self._ask(address)
                self._due = time.monotonic() + seconds + _LATENESS_S
                return
        except UnansweredError as error:
            self._say(f"{self.application} is killed by YARN, without its grace period: {error}")
        self.force()

    def insist(self) -> None:
        """Has YARN kill an application whose master does not keep its word; to be called now and then until the end.

        Raises:
            ClientError: when YARN refuses.
        """
        if not self._forced and time.monotonic() > self._due:
            self._say(f"{self.application} is killed by YARN: it did not end within the time that its master said")
            self.force()

    def force(self) -> None:
        """Has YARN kill the application: by REST where the ResourceManager lets web users, else by a JVM.

        Raises:
            ClientError: when YARN refuses.
        """
        self._forced, self._due = True, time.monotonic() + PATIENCE_S
        try:
            self._manager.kill(self.application)
        except rest.RestError as error:
            logger.debug("not killed by REST: %s", error)
            self._kill_by_driver(self.application)

    @property
    def overdue(self) -> bool:
        """Returns whether YARN itself has not killed it within `PATIENCE_S`."""
        return self._forced and time.monotonic() > self._due

    def _master_address(self) -> str:
        try:
            return self._manager.master_address(self.application)
        except rest.RestError as error:
            logger.debug("the master's address is not told: %s", error)
            return ""

    def _ask(self, address: str) -> float:
        directory = application_directory.home(self._environ) / self.application
        request = StopRequest(hadoop_user(self._environ), socket.gethostname())
        return ask(directory, self.application, address, request)
