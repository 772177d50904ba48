"""NVIDIA's management library (NVML) through pynvml: loaded when used, opened and closed, its errors in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from drivers.device import DriverError

_REMEDIES = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": "Install NVIDIA's driver on the node (it brings libnvidia-ml.so.1), or ask for nodes that have it.",
    "NVML_ERROR_DRIVER_NOT_LOADED": "Load the kernel module on the node (modprobe nvidia); `nvidia-smi -L` there must list the GPUs.",
    "NVML_ERROR_NO_PERMISSION": "Give the user that containers run as read and write access to /dev/nvidiactl and /dev/nvidia<number>.",
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": "The driver was updated under its loaded kernel module: reboot the node or reload the module.",
}
_OTHER_REMEDY = "Run `nvidia-smi -L` on the node as the user that containers run as; it must list the GPUs."


def load_nvml() -> ModuleType:
    """Returns the module pynvml.

    Raises:
        DriverError: when it is not installed.
    """
    try:
        import pynvml
    except ImportError as error:
        remedy = f"Install it into Treadle's environment on the nodes: {sys.executable} -m pip install nvidia-ml-py"
        raise DriverError(f"the nvidia driver needs the Python module pynvml: {error}", remedy) from error
    module: ModuleType = pynvml
    return module


@contextmanager
def session(nvml: ModuleType) -> Iterator[None]:
    """NVML counts its users, so sessions may overlap."""
    nvml.nvmlInit()
    try:
        yield
    finally:
        nvml.nvmlShutdown()


def remedy_for(nvml: ModuleType, error: Any) -> str:
    """Returns what to do about an `NVMLError`, in one line."""
    return {getattr(nvml, name): remedy for name, remedy in _REMEDIES.items()}.get(error.value, _OTHER_REMEDY)


def if_told(nvml: ModuleType, ask: Callable[[], Any]) -> Any:
    """None when this GPU or this version of the driver does not know the question."""
    try:
        return ask()
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
        return None


def text(value: str | bytes) -> str:
    """The older package `pynvml`, which has a module of the same name, answers with bytes."""
    return value.decode() if isinstance(value, bytes) else value
