"""Finds an application by its id, on YARN or of this machine, and asks its master; no JVM.

What only some verbs need is imported where it is used: `submit list` takes a tenth of a second, half of it imports.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from client.errors import REJECTED, USAGE, ClientError
from client.hadoop import rest
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.yarn.application_details import ApplicationDetails
from client.yarn.resourcemanager import ResourceManager

if TYPE_CHECKING:
    from client.application.records import Application
    from client.yarn.totals import Totals
    from client.yarn.waiting import Reason

logger = logging.getLogger(__name__)

_YARN_ID = re.compile(r"application_\d+_\d+")
_LOCAL = "local-"
_LOCAL_ID = re.compile(r"local-[\d-]+")


def connect(environ: Mapping[str, str], timeout_s: float = rest.TIMEOUT_S) -> ResourceManager:
    """Returns the ResourceManager that Hadoop's configuration names; `timeout_s` is for each request."""
    return ResourceManager(HadoopConfiguration.load(environ).resourcemanager_urls(), hadoop_user(environ), timeout_s)


def is_local(application: str) -> bool:
    """Returns whether the id is one of `--master local`."""
    return application.startswith(_LOCAL)


def is_application_id(text: str) -> bool:
    """Returns whether this can be an application's id, on YARN or of this machine."""
    return bool(_YARN_ID.fullmatch(text) or _LOCAL_ID.fullmatch(text))


def expect_id(text: str) -> None:
    """Is called before anybody is asked: a slip of the pen needs no cluster to be told.

    Raises:
        ClientError: when this can't be an application's id (exit code 2).
    """
    if not is_application_id(text):
        remedy = "write one as `submit list -a` or `submit history list` shows it: application_1700000000000_0001, or local-…"
        raise ClientError(f"{text!r} is not the id of an application", remedy, USAGE)


def find(manager: ResourceManager, application: str) -> ApplicationDetails:
    """Returns what YARN knows of an application.

    Raises:
        ClientError: when YARN doesn't know it (exit code 4), or doesn't answer (5).
    """
    try:
        return manager.details(application)
    except rest.RestError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise manager.unreachable(error) from error
        remedy = "`submit list -a` shows those that it knows; it forgets old ones (yarn.resourcemanager.max-completed-applications)"
        raise ClientError(f"the ResourceManager does not know {application}", remedy, REJECTED) from error


def look(application: str, environ: Mapping[str, str]) -> tuple[ApplicationDetails, Application | None]:
    """Returns an application as YARN and as its own master see it; the latter None while the master doesn't answer.

    Raises:
        ClientError: when the id is none (exit code 2), nobody knows it (4), or YARN doesn't answer (5).
    """
    expect_id(application)
    if is_local(application):
        from client.application import here

        return here.look(application, environ)
    from client.application.master_rest import ask_master, proxied

    manager = connect(environ)
    known = find(manager, application)
    running = known.state == "RUNNING"
    page = f"{proxied(manager, application, known.tracking_url)}/pages/treadle"
    return known, ask_master(page, follower=False) if running else None


def totals_for(known: ApplicationDetails, environ: Mapping[str, str]) -> tuple[Totals | None, Totals | None]:
    """Returns what an application's queue and its cluster use.

    None of a local application, of one that has ended, and where the ResourceManager does not tell.
    """
    if is_local(known.id) or known.ended:
        return None, None
    from client.yarn import totals

    try:
        view = connect(environ).use()
    except ClientError as error:
        logger.debug("the use of queue and cluster is not told: %s", error)
        return None, None
    return totals.of_queue(view, known.queue), totals.of_cluster(view)


def why_waiting(known: ApplicationDetails, told: Application | None, environ: Mapping[str, str]) -> list[Reason]:
    """Returns why an application waits for containers, nothing when it does not, or when the ResourceManager does not say."""
    if is_local(known.id) or known.ended or (told is not None and not told.waiting):
        return []
    from client.yarn import waiting

    try:
        return waiting.reasons(connect(environ).waiting(known.id))
    except rest.RestError:
        return []
