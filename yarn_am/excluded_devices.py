"""Devices that a TaskManager lost while it held them: its replacement on the same node is not to take them again. Pure."""

from __future__ import annotations

import logging

from protocol.records import DeviceLost, ExcludedDevice

logger = logging.getLogger(__name__)


class ExcludedDevices:
    """By node and UUID: an index alone, where a driver knows no more, is only unique on its node.

    Args:
        exclusion_s: how long each is kept out (`treadle.node.exclusion`): a link may come up again, and a GPU be reset.
    """

    def __init__(self, exclusion_s: float) -> None:
        self._exclusion_s = exclusion_s
        self._until: dict[tuple[str, str], tuple[ExcludedDevice, float]] = {}

    def add(self, lost: DeviceLost, node: str, now: float) -> None:
        """Keeps a device out from now on."""
        logger.warning("Excluding %s %s of %s for %g s: %s", lost.resource, lost.uuid, node, self._exclusion_s, lost.cause)
        self._until[node, lost.uuid] = ExcludedDevice(node, lost.resource, lost.uuid, lost.cause), now + self._exclusion_s

    def at(self, now: float) -> tuple[ExcludedDevice, ...]:
        """Returns those that are kept out at `now`."""
        for key in [key for key, (_, until) in self._until.items() if until <= now]:
            logger.info("%s of %s is let in again", self._until.pop(key)[0].uuid, key[0])
        return tuple(device for device, _ in self._until.values())
