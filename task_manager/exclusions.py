"""Which devices of this node the application master keeps out: those that a TaskManager before this one has lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from protocol import keys
from protocol.records import DeviceExclusions
from protocol.store import Store
from protocol.wire import MalformedRecordError, from_bytes

logger = logging.getLogger(__name__)


def excluded_devices(store: Store, node: str) -> Mapping[str, str]:
    """Returns UUID → cause of each, nothing where none is kept out or what is written can't be read."""
    written = store.get(keys.EXCLUDED_DEVICES).get(keys.EXCLUDED_DEVICES)
    if not written:
        return {}
    try:
        found = {each.uuid: each.cause for each in from_bytes(DeviceExclusions, written).devices if each.node == node}
    except MalformedRecordError as error:
        logger.warning("Ignored malformed exclusions of devices: %s", error)
        return {}
    for uuid, cause in found.items():
        logger.info("Leaving out %s, which was lost on this node: %s", uuid, cause)
    return found
