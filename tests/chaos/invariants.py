"""What must hold whatever happens. Each check returns what is wrong, in words."""

from __future__ import annotations

import fcntl
import os
import time
from collections import defaultdict
from collections.abc import Mapping

from chaos.arena import Arena
from chaos.container_processes import ContainerProcess

LEFT_S = 60.0
"""Within so many seconds of an application's end nothing of it may be left: longer than any fault holds, and than YARN's own delays."""

_POLL_S = 0.2


def devices_held_twice(arena: Arena) -> list[str]:
    """No device is visible to slots in two containers at a time, whatever AM and leases say."""
    holders: dict[str, dict[str, ContainerProcess]] = defaultdict(dict)
    for each in arena.processes():
        for device in each.devices:
            holders[device][each.container] = each
    return [
        f"{device} is held by {' and by '.join(map(str, slots.values()))}"
        for device, slots in holders.items()
        # the processes were not looked at at the same moment: one may have ended before the next began
        if len([each for each in slots.values() if each.process.runs()]) > 1
    ]


def devices_registered_twice(arena: Arena, application: str) -> list[str]:
    """No device belongs to two TaskManagers that the AM counts as registered."""
    shown = arena.ask(f"/proxy/{application}/pages/treadle/application") or {}
    owners: dict[str, list[str]] = defaultdict(list)
    for each in shown.get("taskmanagers", ()):
        for device in {device["uuid"] for device in each["devices"]} if each["state"] == "REGISTERED" else ():
            owners[device].append(each["id"])
    return [f"{device} is registered by {' and '.join(names)}" for device, names in owners.items() if len(names) > 1]


def left_behind(arena: Arena, application: str) -> list[str]:
    """After its end nothing of an application is left: no process, no lease. What is left is ended, to be told once."""
    deadline = time.monotonic() + LEFT_S
    while (left := [each for each in arena.processes() if each.application == application]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    for each in left:
        each.process.signal(9)  # type: ignore[arg-type]
    return [f"{each} runs {LEFT_S:g} s after the end of its application" for each in left] + ([] if left else leaked_leases(arena))


def leaked_leases(arena: Arena) -> list[str]:
    """Nobody holds a lease where no container runs."""
    if arena.processes():
        return []
    leaked = []
    for path in arena.leases.glob("*.lock"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                leaked.append(f"the lease {path.name} is held, by its own words by {os.pread(file.fileno(), 200, 0).decode().strip()}")
    return leaked


def wrong_output(found: Mapping[str, str], whole: Mapping[str, str], *, succeeded: bool) -> list[str]:
    """The output is the fault-free one bit for bit; of an application that failed it may lack files, but then also `_SUCCESS`."""
    if succeeded or "_SUCCESS" in found:
        missing, strange = whole.keys() - found.keys(), found.keys() - whole.keys()
        wrong = [f"the output lacks {', '.join(sorted(missing))}"] if missing else []
        wrong += [f"the output has {', '.join(sorted(strange))} besides"] if strange else []
    else:
        wrong = [f"the output has {name} besides" for name in sorted(found.keys() - whole.keys())]
    differing = sorted(name for name in found.keys() & whole.keys() if found[name] != whole[name])
    return [*wrong, *(f"{name} of the output differs" for name in differing)]
