"""A job's main as the centre of a Dask cluster whose workers are the application's slots.

The scheduler runs in the main's process, speaks TLS only, and takes nobody who lacks the application's own certificate.
"""

from __future__ import annotations

import functools
import logging
import os
from typing import TYPE_CHECKING, Any

from treadle import events
from treadle.libraries import needed

if TYPE_CHECKING:
    import distributed

JOIN_TIMEOUT_S = 120.0
"""Seconds for all slots to join: a process start and the import of `distributed`, maybe from a network drive, on each."""

_CLOSED = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Dask's own page, which knows no authentication, is off; the HTTP server that Dask starts regardless gets no routes and the loopback."""


def get_client(timeout_s: float = JOIN_TIMEOUT_S) -> distributed.Client:
    """Returns the Dask client of this job, with every slot as a worker of one thread. For use in a job's main.

    The first call starts the scheduler and waits until all slots have joined.

    Raises:
        RuntimeError: when this process is not a job's main, or not all slots join within `timeout_s` seconds.
        ModuleNotFoundError: saying what to install.
    """
    announce_scheduler()
    return _client(timeout_s)


def announce_scheduler() -> None:
    """Starts the scheduler, once, and tells its address; slots become workers from then on.

    Raises:
        RuntimeError: when this process is not a job's main.
        ModuleNotFoundError: saying what to install.
    """
    if not events.in_job_main():
        raise RuntimeError(
            "Dask's slots exist in the main of a submitted job only (submit run job.py); map_batches works without them, too"
        )
    _cluster()


def security(certificate: str, key: str) -> distributed.Security:
    """Returns Dask's TLS settings for the application's pair, which is its own certificate authority: whoever has it belongs here."""
    from distributed import Security

    pairs = {
        f"tls_{role}_{part}": path for role in ("scheduler", "worker", "client") for part, path in (("cert", certificate), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=certificate, **pairs)


def group_resource(group: str) -> str:
    """Returns the Dask resource that the slots of a group of TaskManagers offer, each as much as any number of tasks asks for.

    For tasks of your own: `client.submit(f, resources={group_resource("io"): 1})`.
    """
    return f"treadle-group-{group}"


def quiet() -> None:
    """Leaves Dask's warnings and drops its running commentary."""
    logging.getLogger("distributed").setLevel(logging.WARNING)


@functools.cache
def _cluster() -> Any:
    with needed("distributed", "running on slots", "dask"):
        import dask
        from distributed import Scheduler, SpecCluster
    quiet()
    dask.config.set({"distributed.scheduler.http.routes": []})
    options = {"host": os.environ["TREADLE_ADDRESS"], "port": 0, "protocol": "tls", "security": _own_security(), **_CLOSED}
    cluster = SpecCluster(scheduler={"cls": Scheduler, "options": options}, security=_own_security(), name="treadle")
    events.tell("scheduler", address=cluster.scheduler_address)
    return cluster


@functools.cache
def _client(timeout_s: float) -> distributed.Client:
    import asyncio

    from distributed import Client

    client = Client(_cluster())
    expected = int(os.environ["TREADLE_PARALLELISM"])
    try:
        client.wait_for_workers(expected, timeout=timeout_s)
    except (TimeoutError, asyncio.TimeoutError) as error:
        joined = len(client.scheduler_info()["workers"])
        raise RuntimeError(
            f"{joined} of {expected} slots joined within {timeout_s:g} s; the logs of the missing slots say why "
            "(often: `distributed` is not installed on their node, or a firewall keeps them from this one)"
        ) from error
    return client


def _own_security() -> distributed.Security:
    return security(os.environ["TREADLE_TLS_CERTIFICATE"], os.environ["TREADLE_TLS_KEY"])
