"""Sees to it that no slot holds a MIG device in vain: CUDA uses one only, and nothing beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from conf.settings import ExternalResource
from drivers.device import DriverError
from task_manager.dealing import Hand, lost_beside_mig

logger = logging.getLogger(__name__)


def check(resource: ExternalResource, hands: Sequence[Hand]) -> None:
    """Looks whether some slot has more than CUDA can use; with assignment `task-manager`, where slots may choose, that is a warning.

    Raises:
        DriverError: when it is so, unless `on-missing` is `warn`.
    """
    lost = lost_beside_mig(hands)
    if not lost:
        return
    key = f"external-resource.{resource.name}"
    cause = f"{resource.name}: a slot would get {', '.join(device.uuid for device in lost)}, but CUDA uses the first MIG device alone"
    slots = f"set taskmanager.numberOfTaskSlots to {_devices(hands)}"
    remedy = f"Give each device a slot of its own: {slots}, or {key}.amount to {len(hands)}"
    if resource.assignment == "task-manager":
        logger.warning("%s. Let each slot choose one and set CUDA_VISIBLE_DEVICES to it, or set %s.assignment to slot.", cause, key)
    elif resource.on_missing == "warn":
        logger.warning("%s. %s.", cause, remedy)
    else:
        raise DriverError(cause, f"{remedy}; {key}.on-missing: warn goes on with it.")


def _devices(hands: Sequence[Hand]) -> int:
    return len({device.uuid for hand in hands for device in hand})
