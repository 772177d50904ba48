"""Asks a driver as a TaskManager does, twice, and prints the answers: a process of its own, since a loaded NVML stays loaded.

`ask_driver.py <factory> <params as JSON> <amount>` prints `{"answers": [[device, …], …], "remarks", "health", "usage", "released"}`
or `{"cause", "remedy"}`; and `"in_use"`, whether a session of NVML is still open. The log goes to stderr.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from typing import Any

from drivers.device import DriverError
from drivers.loading import load


def ask(factory: str, params: dict[str, str], amount: int) -> dict[str, Any]:
    try:
        driver = load(factory, params)
        answers = [[dataclasses.asdict(device) for device in driver.discover(amount)] for _ in range(2)]
        health = {device["uuid"]: driver.health(device["uuid"]) for device in answers[0]} if hasattr(driver, "health") else {}
        usage = driver.usage([device["uuid"] for device in answers[0]]) if hasattr(driver, "usage") else {}
        told = {uuid: dataclasses.asdict(each) for uuid, each in usage.items()}
        released = driver.release([device["uuid"] for device in answers[0]]) if hasattr(driver, "release") else None
        return {"answers": answers, "remarks": getattr(driver, "remarks", ""), "health": health, "usage": told, "released": released}
    except DriverError as error:
        return {"cause": error.cause, "remedy": error.remedy}


def nvml_in_use() -> bool:
    nvml = sys.modules.get("pynvml")
    if nvml is None:
        return False
    try:
        nvml.nvmlDeviceGetCount()
    except nvml.NVMLError_Uninitialized:
        return False
    return True


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
answer = ask(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
json.dump(answer | {"in_use": nvml_in_use()}, sys.stdout)
