"""Many TaskManagers of one node that start at once, as far as their devices go: each a process, with the real `acquire`.

`lease_herd.py <directory> <devices> <task managers> <amount of each> <timeout in s>` prints a line for each as it has come to an end:
`{"pid", "uuids": […]}`, or `{"pid", "cause"}` of one that was refused. Holders live until they are killed or the input ends.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from conf.settings import ExternalResource
from drivers.device import DriverError
from drivers.loading import installed
from task_manager.devices import acquire
from task_manager.leases import Leases


def task_manager(directory: Path, resource: ExternalResource, timeout_s: float) -> None:
    with Leases(directory, f"container_{os.getpid()}") as leases, ExitStack() as at_end:
        try:
            held = acquire([resource], leases, at_end, timeout_s)
            tell({"pid": os.getpid(), "uuids": [device.uuid for device in held[resource.name].devices]})
        except DriverError as error:
            tell({"pid": os.getpid(), "cause": error.cause})
        os.read(0, 1)


def tell(line: dict[str, object]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")  # one write: lines of several processes don't mix


def main() -> None:
    directory, devices, count, amount, timeout_s = sys.argv[1:]
    addresses = ";".join(f"GPU-{i}" for i in range(int(devices)))
    assert "list" in installed()
    resource = ExternalResource("gpu", int(amount), "list", "yarn.io/gpu", {"addresses": addresses})
    start, at_the_start = os.pipe()
    children = []
    for _ in range(int(count)):
        if not (child := os.fork()):
            os.close(at_the_start)
            os.read(start, 1)  # comes to its end when all are there
            task_manager(Path(directory), resource, float(timeout_s))
            os._exit(0)
        children.append(child)
    os.close(at_the_start)
    for child in children:
        os.waitpid(child, 0)


main()
