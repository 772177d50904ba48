"""Watches a driver's devices as a TaskManager does, in a process of its own, since a loaded NVML stays loaded.

`watch_driver.py <factory> <params as JSON>` discovers one device at least, then answers each line of its input with a line of JSON: what
`health` says of each device, `{uuid: null | ailment | {"unknown": cause}}`. At the input's end it releases them. The log goes to stderr.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from drivers.device import DriverError
from drivers.loading import load


def health(driver: Any, uuid: str) -> Any:
    try:
        return driver.health(uuid)
    except DriverError as error:
        return {"unknown": error.cause}


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
driver: Any = load(sys.argv[1], json.loads(sys.argv[2]))
uuids = [device.uuid for device in driver.discover(1)]
for _ in sys.stdin:
    json.dump({uuid: health(driver, uuid) for uuid in uuids}, sys.stdout)
    sys.stdout.write("\n")
    sys.stdout.flush()
driver.release(uuids)
