"""How NVIDIA's GPUs fare while they are held: what makes one lost.

- NVML can't reach it any more: it answers "GPU is lost" or "requires restart"; or, of a device that it has known, "not found" or "unknown
  error". (Before R470 it does not find any MIG device by its UUID: that is no loss.)
- A critical Xid that is not the application's own fault, since the watch began. Which those are is the list of NVIDIA's own Kubernetes
  device plugin (`internal/rm/health.go`, after docs.nvidia.com/deploy/xid-errors).
- An uncorrectable memory error, or a row that could not be remapped, since the watch began: older ones are in the base.

For a MIG device the events of its GPU count, but for those that name another instance. What this GPU or driver does not know is not asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from drivers.device import DriverError
from drivers.nvml import if_told, remedy_for, text

logger = logging.getLogger(__name__)

APPLICATION_XIDS = {
    13: "graphics engine exception",
    31: "GPU memory page fault",
    43: "GPU stopped processing",
    45: "preemptive cleanup, due to previous errors",
    68: "video processor exception",
    109: "context switch time-out",
}
"""Xids that are the user's code's doing and leave the GPU well."""

KNOWN_XIDS = {
    48: "double-bit ECC error",
    62: "internal micro-controller halt",
    64: "ECC page retirement or row remapping failed",
    74: "NVLink error",
    79: "GPU has fallen off the bus",
    94: "contained ECC error",
    95: "uncontained ECC error",
    119: "GSP RPC time-out",
    120: "GSP error",
}
"""Others in words, for the cause; NVIDIA's list has them all."""

_NO_INSTANCE = 0xFFFFFFFF
_MOST_EVENTS = 1000
"""Read at one go, so that a GPU that floods can't hold up the rest."""

_Instances = tuple[int, int]
"""GPU instance and compute instance of a MIG device."""


@dataclass(frozen=True)
class _Errors:
    """Of memory; what is not told counts as none."""

    uncorrectable: int
    remapping_failed: bool


@dataclass(frozen=True)
class _Watched:
    """A device as it was when the watch began; `gpu` is the UUID of its GPU."""

    gpu: str
    instances: _Instances | None
    base: _Errors


@dataclass(frozen=True)
class _Xid:
    number: int
    instances: _Instances | None

    def __str__(self) -> str:
        words = KNOWN_XIDS.get(self.number)
        return f"Xid {self.number}" + (f", {words}" if words else "")


class NvidiaHealth:
    """Asks NVML, in one session from the first question to `close`: events are kept only for those who listen.

    Args:
        nvml: the module pynvml.
    """

    def __init__(self, nvml: ModuleType) -> None:
        self._nvml = nvml
        self._is_open = False
        self._events: Any = None
        self._listening: set[str] = set()
        self._watched: dict[str, _Watched] = {}
        self._xids: dict[str, list[_Xid]] = {}

    def of(self, uuid: str) -> str | None:
        """Returns None for a healthy device, else what is wrong with it.

        Raises:
            DriverError: when NVML does not start or does not tell.
        """
        try:
            self._open()
            self._read_events()
            return self._ailment(uuid)
        except self._nvml.NVMLError as error:
            raise DriverError(f"NVML says: {error}", remedy_for(self._nvml, error)) from error

    def close(self) -> None:
        """Ends the session.

        Raises:
            DriverError: when NVML refuses.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self._events is not None:
                self._nvml.nvmlEventSetFree(self._events)
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError as error:
            raise DriverError(f"NVML says: {error}", remedy_for(self._nvml, error)) from error

    def _open(self) -> None:
        if self._is_open:
            return
        self._nvml.nvmlInit()
        self._is_open = True
        self._events = if_told(self._nvml, self._nvml.nvmlEventSetCreate)

    def _ailment(self, uuid: str) -> str | None:
        ailment = None
        try:
            handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
            self._told(lambda: self._nvml.nvmlDeviceGetMemoryInfo(handle))  # unlike the handle, this reaches the device
            if uuid not in self._watched:
                self._watched[uuid] = self._begin(handle)
            ailment = _worse(self._watched[uuid].base, self._errors(handle))
        except self._nvml.NVMLError as error:
            if not self._is_lost(error, known=uuid in self._watched):
                raise
            ailment = f"NVML says: {error}"
        xid = self._xid_of(uuid)
        return "; ".join(str(words) for words in (xid, ailment) if words) or None

    def _is_lost(self, error: Any, *, known: bool) -> bool:
        nvml = self._nvml
        if error.value in {nvml.NVML_ERROR_NOT_FOUND, nvml.NVML_ERROR_UNKNOWN}:
            return known
        return error.value in {nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED}

    def _told(self, ask: Callable[[], Any]) -> Any:
        """None when NVML refuses for any reason but a lost device: MIG devices and virtual GPUs know less, and say so with many errors."""
        try:
            return ask()
        except self._nvml.NVMLError as error:
            if self._is_lost(error, known=False):
                raise
            return None

    def _begin(self, handle: Any) -> _Watched:
        nvml = self._nvml
        gpu_handle, instances = handle, None
        if if_told(nvml, lambda: nvml.nvmlDeviceIsMigDeviceHandle(handle)):
            gpu_handle = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
            instances = (nvml.nvmlDeviceGetGpuInstanceId(handle), nvml.nvmlDeviceGetComputeInstanceId(handle))
        gpu = text(nvml.nvmlDeviceGetUUID(gpu_handle))
        if gpu not in self._listening:
            self._listening.add(gpu)
            self._listen(gpu, gpu_handle)
        return _Watched(gpu, instances, self._errors(handle))

    def _listen(self, gpu: str, handle: Any) -> None:
        nvml, xids = self._nvml, self._nvml.nvmlEventTypeXidCriticalError
        told = if_told(nvml, lambda: nvml.nvmlDeviceGetSupportedEventTypes(handle)) or 0
        if self._events is None or not told & xids:
            logger.info("NVML does not tell of the Xids of %s", gpu)
            return
        try:
            nvml.nvmlDeviceRegisterEvents(handle, xids, self._events)
        except nvml.NVMLError as error:  # a container may use a GPU and not listen to it
            if self._is_lost(error, known=False):
                raise
            logger.warning("The Xids of %s are not watched, NVML says: %s", gpu, error)

    def _errors(self, handle: Any) -> _Errors:
        nvml = self._nvml
        kinds = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        uncorrectable = self._told(lambda: nvml.nvmlDeviceGetTotalEccErrors(handle, *kinds))
        rows = self._told(lambda: nvml.nvmlDeviceGetRemappedRows(handle))
        return _Errors(uncorrectable or 0, bool(rows and rows[3]))  # correctable, uncorrectable, pending, failed

    def _read_events(self) -> None:
        if self._events is None or not self._listening:
            return
        try:
            for _ in range(_MOST_EVENTS):
                self._note(self._nvml.nvmlEventSetWait(self._events, 0))
        except self._nvml.NVMLError as error:  # such as "GPU is lost", of any of them: each one says so itself
            if error.value != self._nvml.NVML_ERROR_TIMEOUT:
                logger.debug("NVML does not tell of Xids: %s", error)

    def _note(self, event: Any) -> None:
        if event.eventType != self._nvml.nvmlEventTypeXidCriticalError:
            return
        try:
            gpu = text(self._nvml.nvmlDeviceGetUUID(event.device))
        except self._nvml.NVMLError as error:
            logger.warning("Xid %d of a GPU that NVML can't name: %s", event.eventData, error)
            return
        if event.eventData in APPLICATION_XIDS:
            logger.info("Xid %d of %s is the application's: %s", event.eventData, gpu, APPLICATION_XIDS[event.eventData])
            return
        instances = (event.gpuInstanceId, event.computeInstanceId)
        self._xids.setdefault(gpu, []).append(_Xid(event.eventData, None if _NO_INSTANCE in instances else instances))

    def _xid_of(self, uuid: str) -> _Xid | None:
        watched = self._watched.get(uuid)
        if watched is None:
            return None
        related = (None, watched.instances)
        return next((xid for xid in self._xids.get(watched.gpu, ()) if xid.instances in related or not watched.instances), None)


def _worse(base: _Errors, now: _Errors) -> str | None:
    if now.uncorrectable > base.uncorrectable:
        return f"{now.uncorrectable - base.uncorrectable} uncorrectable memory errors (ECC) since it was taken"
    return "a memory row could not be remapped" if now.remapping_failed and not base.remapping_failed else None
