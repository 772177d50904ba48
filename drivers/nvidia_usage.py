"""How busy NVIDIA's GPUs and MIG devices are, as NVML tells.

Of a MIG device temperature and power are those of its GPU, which has one of each; its utilization NVML does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from drivers.device import DeviceUsage, DriverError
from drivers.nvml import remedy_for, session

_MIB = 2**20
_NOTHING = DeviceUsage()


def usage_of(nvml: ModuleType, uuids: Sequence[str]) -> Mapping[str, DeviceUsage]:
    """Returns what NVML tells of each; of a lost one nothing.

    A session is opened for each call: it costs nothing while another one is open, which watching and working are.

    Raises:
        DriverError: when NVML does not start.
    """
    try:
        with session(nvml):
            return {uuid: _usage(nvml, uuid) for uuid in uuids}
    except nvml.NVMLError as error:
        raise DriverError(f"NVML says: {error}", remedy_for(nvml, error)) from error


def _usage(nvml: ModuleType, uuid: str) -> DeviceUsage:
    handle = _told(nvml, lambda: nvml.nvmlDeviceGetHandleByUUID(uuid))
    if handle is None:
        return _NOTHING
    gpu = handle
    if _told(nvml, lambda: nvml.nvmlDeviceIsMigDeviceHandle(handle)):
        gpu = _told(nvml, lambda: nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle))
    memory = _told(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    rates = _told(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    milliwatts = _told(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(gpu))
    return DeviceUsage(
        utilization=None if rates is None else int(rates.gpu),
        memory_used_mb=None if memory is None else memory.used // _MIB,
        memory_total_mb=None if memory is None else memory.total // _MIB,
        temperature_c=_told(nvml, lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)),
        power_w=None if milliwatts is None else milliwatts / 1000,
    )


def _told(nvml: ModuleType, ask: Callable[[], Any]) -> Any:
    """None when NVML refuses for whatever reason: that a device is lost is the health watch's to say."""
    try:
        return ask()
    except nvml.NVMLError:
        return None
