"""A Dask worker that ends in bounded time and knows why: what `treadle.dask_slot` runs."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import distributed

from treadle.dask_cluster import group_resource, quiet, security
from treadle.runtime_context import get_runtime_context

logger = logging.getLogger(__name__)

_JOIN_TIMEOUT_S = 60.0
"""Seconds to reach the scheduler: it listens before its address is told, so that this is about the network only."""

_CLOSE_TIMEOUT_S = 5.0
"""Seconds from the decision to end to the end, whatever user code still does: the slot's devices are to be free again."""

_PLENTY = 1e9
"""A task that has seceded, which it does while its file is committed, still holds its resources."""

_SIGN_S = 1.0
"""Between two signs of life."""

_SCHEDULER_LOST = "worker-handle-scheduler-connection-broken"
"""The reason that `distributed.Worker.handle_scheduler` gives."""


@dataclass(frozen=True)
class SlotSettings:
    """What a Dask slot is told."""

    name: str
    group: str
    scheduler: str
    address: str
    certificate: str
    key: str
    sign_of_life: Path

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> SlotSettings:
        """Returns the settings; name and group come with the runtime context.

        Raises:
            KeyError: for a missing variable.
        """
        return cls(
            name=get_runtime_context().slot,
            group=get_runtime_context().group,
            scheduler=environment["TREADLE_SCHEDULER"],
            address=environment["TREADLE_ADDRESS"],
            certificate=environment["TREADLE_TLS_CERTIFICATE"],
            key=environment["TREADLE_TLS_KEY"],
            sign_of_life=Path(environment["TREADLE_SIGN_OF_LIFE"]),
        )


class SlotWorker(distributed.Worker):  # type: ignore[misc]  # distributed is not typed for us
    """A `distributed.Worker` that remembers why it was closed first, and does not outlive that by much."""

    end_reason = ""

    async def close(self, *args: Any, reason: str = "worker-close", **kwargs: Any) -> str | None:
        """Closes the worker; user code that does not come to its end is cut off."""
        if not self.end_reason:
            self.end_reason = reason
            asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT_S, self._cut_off)
        return await super().close(*args, reason=reason, **kwargs)  # type: ignore[no-any-return]

    def _cut_off(self) -> None:
        logger.error("User code in slot %s still runs %g s after the end (%s); leaving it", self.name, _CLOSE_TIMEOUT_S, self.end_reason)
        logging.shutdown()
        os._exit(1)


async def _give_signs_of_life(file: Path) -> None:
    """From the event loop, which is what has to get on for the slot to work; the TaskManager ends a slot that has stopped doing this."""
    while True:
        file.touch()
        await asyncio.sleep(_SIGN_S)


async def serve(settings: SlotSettings) -> int:
    """Works for the scheduler until it closes the slot or SIGTERM comes (0), or the scheduler is lost (1)."""
    quiet()
    # Dask starts an HTTP server regardless, without authentication: no pages, loopback only
    dask.config.set({"distributed.worker.http.routes": []})
    worker = SlotWorker(
        settings.scheduler,
        name=settings.name,
        nthreads=1,
        resources={group_resource(settings.group): _PLENTY},
        host=settings.address,
        protocol="tls",
        security=security(settings.certificate, settings.key),
        memory_limit=0,
        local_directory=os.curdir,
        dashboard=False,
        dashboard_address="127.0.0.1:0",
        death_timeout=_JOIN_TIMEOUT_S,
    )
    loop, closing = asyncio.get_running_loop(), set[asyncio.Task[Any]]()
    loop.add_signal_handler(signal.SIGTERM, lambda: closing.add(loop.create_task(worker.close(reason="SIGTERM"))))
    await worker
    logger.info("Slot %s has joined the scheduler at %s", settings.name, settings.scheduler)
    alive = loop.create_task(_give_signs_of_life(settings.sign_of_life))
    await worker.finished()
    alive.cancel()
    logger.info("Slot %s ends: %s", settings.name, worker.end_reason)
    return int(worker.end_reason == _SCHEDULER_LOST)
