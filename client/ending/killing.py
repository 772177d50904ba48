"""Ends applications on YARN for `submit kill`, and waits until YARN says that they have ended."""

from __future__ import annotations

import time

from client.application import lookup
from client.ending.stopping import PATIENCE_S, Stop
from client.errors import ENVIRONMENT, USAGE, ClientError
from client.hadoop import rest
from client.yarn.application_details import TAG, ApplicationDetails
from client.yarn.resourcemanager import ResourceManager

_LOOK_S = 0.2


def expect_on_yarn(application: str) -> None:
    """Is called before anybody is asked.

    Raises:
        ClientError: when this is no application's id, or that of a local one (exit code 2).
    """
    lookup.expect_id(application)
    if lookup.is_local(application):
        raise ClientError(f"{application} runs on this machine, not on YARN", "press Ctrl-C where its `submit run` runs", USAGE)


def killable(manager: ResourceManager, application: str) -> ApplicationDetails:
    """Returns an application of Treadle's on YARN.

    Raises:
        ClientError: when it is none, as `lookup.find` otherwise.
    """
    known = lookup.find(manager, application)
    if TAG not in known.tags:
        raise ClientError(f"{application} is not an application of Treadle's", f"`yarn application -kill {application}` kills any", USAGE)
    return known


def await_end(manager: ResourceManager, stop: Stop) -> ApplicationDetails:
    """Returns the application, whose stop has begun, as it ended.

    Raises:
        ClientError: when YARN refuses, or it has not ended two minutes after YARN was told to kill it.
    """
    while True:
        stop.insist()
        try:
            known = manager.details(stop.application)
        except rest.RestError as error:
            if stop.overdue:
                raise manager.unreachable(error) from error
        else:
            if known.ended:
                return known
            if stop.overdue:
                cause = f"{known.id} is still {known.state} {PATIENCE_S:.0f} s after the request to kill it"
                raise ClientError(cause, f"look again: `submit status {known.id}`", ENVIRONMENT)
        time.sleep(_LOOK_S)
