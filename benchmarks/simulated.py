"""`python -m benchmarks.simulated …`: TaskManagers without containers, many in one process, as the application master sees them.

Each registers, watches for its job and gives signs of life with the very records, keys and store that a real one uses. Not as real: the
TaskManagers of a process share a connection, and their keys are not owned, since skein has no container that could own them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from protocol import keys
from protocol.launch import CERTIFICATE, KEY
from protocol.records import VERSION, Device, Registration, Slot
from protocol.skein_import import import_skein
from protocol.skein_store import SkeinStore
from protocol.store import Store, StoreClosedError
from protocol.usage import DeviceUsage, Heartbeat, SlotUsage
from protocol.wire import to_bytes


def registration(number: int, container: str) -> Registration:
    """Returns that of a TaskManager with one slot and one device."""
    name = f"tm-{number}"
    device = Device("gpu", "0", f"GPU-simulated-{number:06d}", {"index": "0", "uuid": f"GPU-simulated-{number:06d}"})
    return Registration(
        VERSION, name, container, "127.0.0.11", "127.0.0.11", (20001, 20002, 20003, 20004), 1, (Slot(f"{name}/slot-0", (device,)),)
    )


def heartbeat(of: Registration, number: int) -> Heartbeat:
    """Returns a sign of life in which everything has changed since the last."""
    slot = of.slots[0]
    slots = (SlotUsage(slot.id, 400 + number % 100, float(number % 101), float(number)),)
    devices = tuple(DeviceUsage(each.resource, each.uuid, number % 101, 20_000 + number, 40_960, 60, 250.0) for each in slot.devices)
    return Heartbeat(VERSION, of.task_manager_id, of.container_id, number, 500 + number % 100, float(number % 101), slots, devices)


def live(store: Store, registrations: list[Registration], interval_s: float) -> None:
    """Registers all, then gives their signs of life, spread over the interval, until the application master has gone."""
    for each in registrations:
        store.watch(keys.JOB)
        store.put(keys.registration(each.task_manager_id), to_bytes(each))
    print("registered", flush=True)
    begin, number = time.monotonic(), 0
    while True:
        number += 1
        for place, each in enumerate(registrations):
            time.sleep(max(0.0, begin + interval_s * (number - 1 + place / len(registrations)) - time.monotonic()))
            store.put(keys.heartbeat(each.task_manager_id), to_bytes(heartbeat(each, number)))


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated", description=__doc__)
    parser.add_argument("--address", required=True, help="host:port of the application master's store")
    parser.add_argument("--application", required=True, help="the application's id")
    parser.add_argument("--credentials", required=True, type=Path, help="the directory that has its TLS pair")
    parser.add_argument("--first", required=True, type=int, help="number of the first TaskManager")
    parser.add_argument("--count", required=True, type=int, help="how many")
    parser.add_argument("--interval", required=True, type=float, help="seconds between two signs of life")
    options = parser.parse_args()
    skein = import_skein()
    security = skein.Security(cert_file=str(options.credentials / CERTIFICATE), key_file=str(options.credentials / KEY))
    store = SkeinStore(skein.ApplicationClient(options.address, options.application, security=security), None)
    numbers = range(options.first, options.first + options.count)
    try:
        live(store, [registration(number, f"container_simulated_{number:06d}") for number in numbers], options.interval)
    except StoreClosedError:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
