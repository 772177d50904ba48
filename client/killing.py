"""Has YARN kill applications, and waits until it says that they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from client import lookup, rest
from client.application_details import TAG, ApplicationDetails
from client.errors import ENVIRONMENT, USAGE, ClientError
from client.follow import YarnSource
from client.resourcemanager import ResourceManager

_LOOK_S = 0.2

_PATIENCE_S = 120.0
"""How long YARN may take from the request to the state KILLED: the NodeManager gives a container time to end by itself."""


def killable(manager: ResourceManager, application: str) -> ApplicationDetails:
    """Returns an application of Treadle's on YARN.

    Raises:
        ClientError: when it is none, as `lookup.find` otherwise.
    """
    if lookup.is_local(application):
        raise ClientError(f"{application} runs on this machine, not on YARN", "press Ctrl-C where its `submit run` runs", USAGE)
    known = lookup.find(manager, application)
    if TAG not in known.tags:
        raise ClientError(f"{application} is not an application of Treadle's", f"`yarn application -kill {application}` kills any", USAGE)
    return known


def kill(manager: ResourceManager, application: str, kill_by_driver: Callable[[str], None]) -> ApplicationDetails:
    """Kills an application, by REST where that is allowed, and returns it as it ended.

    Raises:
        ClientError: when YARN refuses, or it has not ended after two minutes.
    """
    YarnSource(manager, application, kill_by_driver).kill()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            known = manager.details(application)
        except rest.RestError as error:
            if time.monotonic() > deadline:
                raise manager.unreachable(error) from error
        else:
            if known.ended:
                return known
            if time.monotonic() > deadline:
                cause = f"{application} is still {known.state} {_PATIENCE_S:.0f} s after the request to kill it"
                raise ClientError(cause, f"look again: `submit status {application}`", ENVIRONMENT)
        time.sleep(_LOOK_S)
