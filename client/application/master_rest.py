"""What an application master says of itself, by its REST: through YARN's proxy, or at its own address on this machine."""

from __future__ import annotations

import logging

from client.application import records as application
from client.application.records import Application
from client.hadoop import rest
from client.yarn.resourcemanager import ResourceManager

logger = logging.getLogger(__name__)


def proxied(manager: ResourceManager, application_id: str, tracking_url: str) -> str:
    """Returns the address of an application behind YARN's proxy.

    The tracking URL that YARN reports knows of a proxy that runs apart from the ResourceManager (yarn.web-proxy.address).
    """
    before, proxy, _ = tracking_url.partition("/proxy/")
    return f"{before}/proxy/{application_id}" if proxy else manager.proxy(application_id)


def ask_master(base: str, *, follower: bool = True) -> Application | None:
    """Returns what the application master says, None while it doesn't (not started yet, just ended, or a page of YARN's in its place).

    The master waits at its end for a `follower`, not for one who looks once.
    """
    try:
        return application.application(rest.get_json(f"{base}/application{'?follower=1' if follower else ''}"))
    except (rest.RestError, ValueError) as error:
        logger.debug("the application master does not answer: %s", error)
        return None
