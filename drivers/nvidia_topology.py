"""How GPUs of one node are joined, as NVML tells it: what keeps the devices of a slot together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from types import ModuleType


def nvlink_neighbours(nvml: ModuleType, uuids: Sequence[str]) -> dict[str, list[str]]:
    """Returns the GPUs that each of these reaches by NVLink, directly or over an NVSwitch, as `nvidia-smi topo -p2p n` shows them.

    GPUs without any are left out, and so is what NVML does not tell: it is asked within its session.
    """
    neighbours: dict[str, list[str]] = {}
    for one, other in combinations(uuids, 2):
        if _are_linked(nvml, one, other):
            neighbours.setdefault(one, []).append(other)
            neighbours.setdefault(other, []).append(one)
    return neighbours


def _are_linked(nvml: ModuleType, one: str, other: str) -> bool:
    try:
        handles = (nvml.nvmlDeviceGetHandleByUUID(one), nvml.nvmlDeviceGetHandleByUUID(other))
        status = nvml.nvmlDeviceGetP2PStatus(*handles, nvml.NVML_P2P_CAPS_INDEX_NVLINK)
    except nvml.NVMLError:  # an old driver, no NVLink, a GPU lost just now: how they are joined is no reason to lose one
        return False
    return bool(status == nvml.NVML_P2P_STATUS_OK)
