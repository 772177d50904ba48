"""What a TaskManager holds of one resource: the devices, and the driver that found them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.device import Driver, DriverError, FoundDevice
from task_manager.time_limit import TimeLimitError, within

logger = logging.getLogger(__name__)

RELEASE_S = 2.0
"""Seconds that a driver's `release` may take; a container that is told to end is killed soon."""


@dataclass(frozen=True)
class HeldDevices:
    """The devices of one resource, leased, and their driver; None when it could not be loaded, or hangs, and `on-missing` is `warn`."""

    resource: str
    driver: Driver | None
    devices: tuple[FoundDevice, ...]


def release(resource: str, driver: Driver, uuids: Iterable[str], limit_s: float = RELEASE_S) -> None:
    """Tells a driver that offers `release` (`drivers.device.ReleasesDevices`) that its devices are free; failing or hanging is logged."""
    call = getattr(driver, "release", None)
    if call is None:
        return

    try:
        within(limit_s, f"release-{resource}", lambda: call(tuple(uuids)))
    except TimeLimitError:
        logger.warning("The driver of %s has not released its devices within %g s, going on without", resource, limit_s)
    except DriverError as error:
        logger.warning("Could not release the devices of %s: %s. %s", resource, error.cause, error.remedy)
    except Exception:
        logger.exception("Could not release the devices of %s: its driver failed", resource)
