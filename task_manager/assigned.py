"""Which GPUs YARN has assigned to this container, where its NodeManager tells: with the LinuxContainerExecutor and YARN's GPU plugin.

Source: `NMWebServices.getNMResourceInfo` and `NMGpuResourceInfo` of Hadoop. With the DefaultContainerExecutor nothing is ever assigned.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from conf.settings import ExternalResource
from drivers.device import DriverError, FoundDevice

logger = logging.getLogger(__name__)

YARN_TYPE = "yarn.io/gpu"
"""The one type that YARN assigns and tells of."""

LIMIT_S = 2.0
"""Seconds that the NodeManager may take to answer; it runs nvidia-smi for it, so the drivers look for devices meanwhile."""

_PATH = "/ws/v1/node/resources/yarn.io%2Fgpu"
_MOST_BYTES = 2**20


@dataclass(frozen=True)
class Assigned:
    """GPUs of this container.

    Attributes:
        minor_numbers: N of their /dev/nvidia<N>, by which YARN tells them apart.
        of_uuid: UUID → minor number of each GPU of the node, as far as the NodeManager tells.
    """

    minor_numbers: frozenset[str]
    of_uuid: Mapping[str, str]

    def includes(self, device: FoundDevice) -> bool:
        """Returns whether the container may use the device, or the GPU that it is a part of; True also when it can't be found out."""
        uuid = device.properties.get("parent_uuid", device.uuid)
        minor_number = device.properties.get("minor_number", self.of_uuid.get(uuid))
        return minor_number is None or minor_number in self.minor_numbers

    def __str__(self) -> str:
        return ", ".join(f"/dev/nvidia{number}" for number in sorted(self.minor_numbers, key=int))


def parse(answer: object, container_id: str) -> Assigned | None:
    """Returns what a NodeManager's answer, JSON already read, says of this container; None when it says that nothing is assigned.

    Key names and lists differ between Hadoop's versions: a list of one may be its element, numbers may be text.

    Raises:
        ValueError: when it has GPUs but is not told which: Hadoop 3.5.0 names the container of each, and no numbers.
    """
    own = [gpu for gpu in _entries(answer, "assignedGpuDevices") if gpu.get("containerId") == container_id]
    minor_numbers = frozenset(str(gpu["minorNumber"]) for gpu in own if str(gpu.get("minorNumber")).isdecimal())
    if len(minor_numbers) < len(own):
        raise ValueError(f"it lists {len(own)} without their numbers, as Hadoop 3.5.0 does")
    information = answer.get("gpuDeviceInformation") if isinstance(answer, dict) else None
    gpus = (gpu for key in ("gpu", "gpus") for gpu in _entries(information, key))
    of_uuid = {str(gpu["uuid"]): number for gpu in gpus if "uuid" in gpu and (number := _minor_number(gpu)).isdecimal()}
    return Assigned(minor_numbers, of_uuid) if minor_numbers else None


def _minor_number(gpu: Mapping[str, Any]) -> str:
    """Is -1 where nvidia-smi tells none."""
    return str(gpu.get("minor_number", gpu.get("minorNumber")))


def _entries(record: object, key: str) -> Iterator[Mapping[str, Any]]:
    found = record.get(key) if isinstance(record, dict) else None
    for entry in found if isinstance(found, list) else [found]:
        if isinstance(entry, dict):
            yield entry


def mismatch(name: str, asked: int, assigned: Assigned, shown: Sequence[FoundDevice], detail: str) -> DriverError:
    """Returns what is to be said when a driver does not show the GPUs that YARN assigned for the resource `name`."""
    own = ", ".join(device.uuid for device in shown if assigned.includes(device))
    among = f"among the {len(shown)} devices that the driver shows are of these: {own or 'none'}"
    cause = f"{name}: asked {asked}, YARN assigned {assigned} to this container, {among}"
    remedy = (
        "On this node `nvidia-smi -L`, as the user that containers run as, must list them; the NodeManager's "
        "yarn.nodemanager.resource-plugins.gpu.allowed-gpu-devices must name minor numbers that it has."
    )
    return DriverError(cause, remedy, detail)


def unknown() -> Assigned | None:
    """The answer where nobody can be asked."""
    return None


def ask(resources: Iterable[ExternalResource], environment: Mapping[str, str], limit_s: float = LIMIT_S) -> Callable[[], Assigned | None]:
    """Returns what gives the GPUs of this container, None when nothing is assigned or told; its NodeManager is asked from now on.

    Args:
        resources: nobody is asked unless a driver is to find GPUs that YARN counted.
        environment: a container's, as YARN makes it; without NM_HOST, NM_HTTP_PORT and CONTAINER_ID nobody is asked either.
        limit_s: seconds from now until an answer counts no more.
    """
    host, port, container_id = (environment.get(name, "") for name in ("NM_HOST", "NM_HTTP_PORT", "CONTAINER_ID"))
    if not (host and port and container_id and any(resource.driver and resource.yarn_type == YARN_TYPE for resource in resources)):
        return unknown
    deadline = time.monotonic() + limit_s
    told: Future[Assigned | None] = Future()
    address = f"{host}:{port}"
    # a daemon, so that a NodeManager that hangs holds nobody up
    threading.Thread(target=_fill, args=(told, address, container_id, limit_s), name="assigned GPUs", daemon=True).start()

    @cache
    def answer() -> Assigned | None:
        try:
            assigned = told.result(max(0.0, deadline - time.monotonic()))
        except (FutureTimeoutError, OSError, http.client.HTTPException, ValueError) as error:
            why = str(error) or f"no answer within {limit_s:g} s"
            logger.info("The NodeManager %s does not tell this container's GPUs, leases decide: %s", address, why)
            return None
        logger.info("YARN assigned this container %s", assigned or "no GPU in particular (DefaultContainerExecutor), leases decide")
        return assigned

    return answer


def _fill(told: Future[Assigned | None], address: str, container_id: str, limit_s: float) -> None:
    try:
        told.set_result(parse(json.loads(_get(address, limit_s)), container_id))
    except BaseException as error:
        told.set_exception(error)


def _get(address: str, limit_s: float) -> bytes:
    """Asks directly: a proxy that the user's environment names is none for a cluster's nodes."""
    with closing(http.client.HTTPConnection(address, timeout=limit_s)) as connection:
        connection.request("GET", _PATH, headers={"Accept": "application/json"})
        with connection.getresponse() as response:
            if response.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"HTTP {response.status} {response.reason}")
            return response.read(_MOST_BYTES)
