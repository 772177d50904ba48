"""Which CPUs a slot's process runs on: those of the NUMA nodes that its devices are nearest to (`taskmanager.slot.cpu-affinity: numa`)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from drivers.device import FoundDevice

logger = logging.getLogger(__name__)

NODES = Path("/sys/devices/system/node")
"""Where Linux tells of its NUMA nodes, see the kernel's Documentation/ABI/stable/sysfs-devices-node."""

Cpus = frozenset[int]


def cpus_near(devices: Iterable[FoundDevice], allowed: Iterable[int], slot_id: str, nodes: Path = NODES) -> Cpus:
    """Returns the CPUs to bind a slot to, none to leave it alone; the log says which, and why.

    Args:
        devices: the slot's; what counts is the property `numa_node` of those that have it.
        allowed: the CPUs that the container may use.
        slot_id: for the log.
        nodes: the directory that holds `node<N>/cpulist`.
    """
    own = {device.properties["numa_node"] for device in devices if device.properties.get("numa_node", "").isdecimal()}
    if not own:
        logger.info("Slot %s is not bound to CPUs: no NUMA node is known of its devices", slot_id)
        return frozenset()
    names = " and ".join(sorted(own, key=int))
    try:
        near = frozenset[int]().union(*(parse_cpulist((nodes / f"node{node}/cpulist").read_text()) for node in own))
    except (OSError, ValueError) as error:
        logger.info("Slot %s is not bound to CPUs: those of NUMA node %s can't be read: %s", slot_id, names, error)
        return frozenset()
    cpus = near & frozenset(allowed)
    if not cpus:
        logger.info("Slot %s is not bound to CPUs: the container may use none of NUMA node %s", slot_id, names)
        return frozenset()
    logger.info("Slot %s is bound to CPUs %s of NUMA node %s", slot_id, format_cpulist(cpus), names)
    return cpus


def parse_cpulist(text: str) -> Cpus:
    """Returns the CPUs of a list in the kernel's format, such as `0-3,8`; a node without CPUs has an empty one.

    Raises:
        ValueError: when it is something else.
    """
    cpus: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return frozenset(cpus)


def format_cpulist(cpus: Iterable[int]) -> str:
    """Returns the CPUs in the kernel's format, ranges and all."""
    ranges: list[list[int]] = []
    for cpu in sorted(cpus):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
