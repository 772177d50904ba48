"""The driver `nvidia`: NVIDIA's GPUs and MIG devices as NVML lists them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from drivers.device import DeviceUsage, DriverError, FoundDevice
from drivers.nvidia_health import NvidiaHealth
from drivers.nvidia_topology import nvlink_neighbours
from drivers.nvidia_usage import usage_of
from drivers.nvml import if_told, load_nvml, remedy_for, session, text

logger = logging.getLogger(__name__)

SHARE_BUSY = "share-busy"
_MIB = 2**20


class NvidiaDriver:
    """Lists GPUs; a GPU in MIG mode is listed as its MIG devices, since CUDA can't use it as a whole.

    `index` is NVML's number of the GPU; for a MIG device `<GPU>:<MIG device>`, as NVIDIA's container toolkit writes it. Code ported from
    Flink often takes `int(index)` for CUDA's ordinal. That fails plainly on `0:1`, where a bare `1` would have taken another device; and
    it is wrong for GPUs too: in a slot CUDA counts the visible devices from 0, so code should use 0, 1, … or the uuid.

    A process can use one MIG device only, the first of `CUDA_VISIBLE_DEVICES` (NVIDIA's MIG user guide): give a slot no more than one.

    Properties: `name`, `memory` (MiB), `pci_bus_id`, `minor_number` (N of /dev/nvidia<N>), `numa_node`, `nvlink` (UUIDs of the GPUs that it
    reaches by NVLink, between blanks); of a MIG device also `parent_uuid` and `mig_profile` (`1g.5gb`). What NVML does not tell about a
    device is left out.

    A device that a process computes on is left out, unless `share-busy` is true; then it comes last, with the process ids as `busy`.

    Args:
        params: `share-busy`: `true` or `false` (default).

    Attributes:
        remarks: which devices were left out the last time, and why.
        busy: whether any was left out because a process computes on it.

    Raises:
        DriverError: on construction, when a parameter is unknown or malformed.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        if unknown := sorted(params.keys() - {SHARE_BUSY}):
            raise DriverError(f"the nvidia driver has no parameter {', '.join(unknown)}", f"It takes {SHARE_BUSY}.")
        share = params.get(SHARE_BUSY, "false").strip().lower()
        if share not in {"true", "false"}:
            raise DriverError(f"param.{SHARE_BUSY} is unknown: {params[SHARE_BUSY]!r}", "Write true or false.")
        self._share_busy = share == "true"
        self.remarks, self.busy = "", False
        self._health: NvidiaHealth | None = None

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns all devices that NVML shows this process and nobody computes on, in NVML's order.

        A GPU that fails (lost, say) is left out with a warning, as long as others are there.

        Raises:
            DriverError: pynvml or NVML is missing, NVML does not start, or every GPU fails.
        """
        nvml = load_nvml()
        try:
            with session(nvml):
                found, remarks = _devices(nvml)
                found = _with_nvlink(nvml, found)
                busy = {device.uuid: pids for device in found if (pids := _pids(nvml, device.uuid))}
        except nvml.NVMLError as error:
            raise DriverError(f"NVML says: {error}", remedy_for(nvml, error)) from error
        for device in found:
            if device.uuid in busy:
                remarks.append(f"GPU {device.index} ({device.uuid}) is busy with process {', '.join(map(str, busy[device.uuid]))}")
        self.remarks, self.busy = "; ".join(remarks), bool(busy) and not self._share_busy
        shared = [_with(device, "busy", busy[device.uuid]) for device in found if device.uuid in busy] if self._share_busy else []
        return [device for device in found if device.uuid not in busy] + shared

    def health(self, device_uuid: str) -> str | None:
        """Returns None for a healthy device, else what is wrong with it; the rules are `drivers.nvidia_health`'s.

        Raises:
            DriverError: pynvml is missing, NVML does not start, or it does not tell.
        """
        if self._health is None:
            self._health = NvidiaHealth(load_nvml())
        return self._health.of(device_uuid)

    def usage(self, device_uuids: Sequence[str]) -> Mapping[str, DeviceUsage]:
        """Returns how busy the devices are.

        Raises:
            DriverError: pynvml is missing, or NVML does not start.
        """
        return usage_of(load_nvml(), device_uuids)

    def release(self, device_uuids: Sequence[str]) -> None:
        """Ends the session with NVML that watching began."""
        if self._health is not None:
            self._health.close()
            self._health = None


def _pids(nvml: ModuleType, uuid: str) -> list[int]:
    try:
        handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        processes = if_told(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    except nvml.NVMLError as error:  # who computes there is no reason to lose a device that answers
        logger.warning("NVML does not tell who computes on %s: %s", uuid, error)
        return []
    return sorted(process.pid for process in processes or ())


def _devices(nvml: ModuleType) -> tuple[list[FoundDevice], list[str]]:
    found: list[FoundDevice] = []
    failed: dict[int, Any] = {}
    for number in range(nvml.nvmlDeviceGetCount()):
        try:
            found += _of_gpu(nvml, number, nvml.nvmlDeviceGetHandleByIndex(number))
        except nvml.NVMLError as error:
            # NVML counts GPUs that the container's cgroup denies; under YARN's isolation that is every GPU of somebody else
            denied = error.value == nvml.NVML_ERROR_NO_PERMISSION
            logger.log(logging.INFO if denied else logging.WARNING, "GPU %d is left out, NVML says: %s", number, error)
            failed[number] = error
    if failed and not found:
        words = "; ".join(f"GPU {number}: {error}" for number, error in failed.items())
        first = next(iter(failed.values()))
        raise DriverError(f"NVML gives no usable GPU: {words}", remedy_for(nvml, first)) from first
    return found, [f"GPU {number} is left out, NVML says: {error}" for number, error in failed.items()]


def _with_nvlink(nvml: ModuleType, found: Sequence[FoundDevice]) -> list[FoundDevice]:
    neighbours = nvlink_neighbours(nvml, [device.uuid for device in found if "parent_uuid" not in device.properties])
    return [_with(device, "nvlink", neighbours[device.uuid]) if device.uuid in neighbours else device for device in found]


def _with(device: FoundDevice, key: str, values: Sequence[object]) -> FoundDevice:
    return replace(device, properties={**device.properties, key: " ".join(map(str, values))})


def _of_gpu(nvml: ModuleType, number: int, gpu: Any) -> list[FoundDevice]:
    properties = {"pci_bus_id": _pci_bus_id(nvml, gpu), "minor_number": _minor_number(nvml, gpu), "numa_node": _numa_node(nvml, gpu)}
    if not _in_mig_mode(nvml, gpu):
        return [_device(nvml, str(number), gpu, properties)]
    properties["parent_uuid"] = text(nvml.nvmlDeviceGetUUID(gpu))
    return [_device(nvml, f"{number}:{mig}", handle, properties) for mig, handle in _mig_handles(nvml, gpu)]


def _device(nvml: ModuleType, index: str, handle: Any, properties: Mapping[str, str | None]) -> FoundDevice:
    uuid, name = text(nvml.nvmlDeviceGetUUID(handle)), text(nvml.nvmlDeviceGetName(handle))
    profile = name.partition(" MIG ")[2]  # "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
    known = {"name": name, "memory": _memory(nvml, handle), "mig_profile": profile, **properties}
    return FoundDevice(index, uuid, {key: value for key, value in known.items() if value}, {"CUDA_VISIBLE_DEVICES": uuid})


def _mig_handles(nvml: ModuleType, gpu: Any) -> Iterator[tuple[int, Any]]:
    for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            yield number, nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, number)
        except nvml.NVMLError_NotFound:
            continue  # numbers without a device lie anywhere in the range


def _in_mig_mode(nvml: ModuleType, gpu: Any) -> bool:
    modes = if_told(nvml, lambda: nvml.nvmlDeviceGetMigMode(gpu))
    return modes is not None and modes[0] == nvml.NVML_DEVICE_MIG_ENABLE  # [0] is in force, [1] from the next reset on


def _memory(nvml: ModuleType, handle: Any) -> str | None:
    memory = if_told(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))  # GPUs that share the host's memory have no answer
    return None if memory is None else str(memory.total // _MIB)


def _pci_bus_id(nvml: ModuleType, gpu: Any) -> str | None:
    pci = if_told(nvml, lambda: nvml.nvmlDeviceGetPciInfo(gpu))
    return None if pci is None else text(pci.busId)


def _minor_number(nvml: ModuleType, gpu: Any) -> str | None:
    number = if_told(nvml, lambda: nvml.nvmlDeviceGetMinorNumber(gpu))
    return None if number is None else str(number)


def _numa_node(nvml: ModuleType, gpu: Any) -> str | None:
    """The NUMA node whose memory is nearest; `nvmlDeviceGetNumaNodeId` is another thing, the node that a GPU itself *is* (on Grace)."""
    words = if_told(nvml, lambda: nvml.nvmlDeviceGetMemoryAffinity(gpu, _NODE_WORDS, nvml.NVML_AFFINITY_SCOPE_NODE))
    nodes = [64 * i + bit for i, word in enumerate(words or ()) for bit in range(64) if word >> bit & 1]
    return str(nodes[0]) if len(nodes) == 1 else None


_NODE_WORDS = 16
"""Words of 64 bits for a set of NUMA nodes: Linux is built for 1024 at most."""
