"""Finds the devices of this TaskManager and leases them: all that was asked for, or an error that says what is missing and why."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from conf.settings import ExternalResource
from drivers.device import Driver, DriverError, FoundDevice
from drivers.loading import load
from task_manager.leases import Leases

logger = logging.getLogger(__name__)


def acquire(resources: Sequence[ExternalResource], leases: Leases) -> dict[str, tuple[FoundDevice, ...]]:
    """Returns the leased devices of each resource that has a driver, as many as asked for, best first.

    Raises:
        DriverError: when a driver can't be loaded or fails, or shows fewer free devices than asked for; for a resource with
            `on-missing: warn` that is a warning, and what is there is returned, as Flink does.
    """
    found = {}
    for resource in resources:
        if resource.driver is not None:
            found[resource.name] = _Acquisition(resource, resource.driver, leases).devices()
            logger.info("Leased %s: %s", resource.name, ", ".join(device.uuid for device in found[resource.name]) or "none")
    return found


def lease_key(resource: ExternalResource, device: FoundDevice) -> str:
    """Returns what a device is leased by: its UUID, the same whatever driver found it and whatever the resource is called.

    A bare number is only unique among devices of one kind, which YARN's type names best.
    """
    return f"{resource.yarn_type or resource.name}-{device.uuid}" if device.uuid.isdecimal() else device.uuid


class _Acquisition:
    """One resource's devices: the driver is asked for more as long as some of those it shows are taken by others."""

    def __init__(self, resource: ExternalResource, factory: str, leases: Leases) -> None:
        self._resource, self._factory, self._leases = resource, factory, leases
        self._own: dict[str, FoundDevice] = {}
        self._taken: dict[str, str] = {}

    def devices(self) -> tuple[FoundDevice, ...]:
        try:
            self._acquire(load(self._factory, self._resource.params))
        except DriverError as error:
            if self._resource.on_missing != "warn":
                raise
            logger.warning("Going on with %d of %d: %s. %s", len(self._own), self._resource.amount, error.cause, error.remedy)
        return tuple(self._own.values())

    def _acquire(self, driver: Driver) -> None:
        asked = self._resource.amount
        wanted = asked
        while True:
            shown = self._discover(driver, wanted)
            for device in shown:
                if len(self._own) < asked:
                    self._lease(device)
            if len(self._own) == asked:
                return
            if len(shown) < wanted:
                raise self._shortage(len(shown), str(getattr(driver, "remarks", "")))
            wanted = len(shown) + asked - len(self._own)

    def _lease(self, device: FoundDevice) -> None:
        if device.uuid in self._own or device.uuid in self._taken:
            return
        holder = self._leases.take(lease_key(self._resource, device))
        if holder is None:
            self._own[device.uuid] = device
        else:
            self._taken[device.uuid] = holder

    def _discover(self, driver: Driver, wanted: int) -> list[FoundDevice]:
        try:
            return _checked(self._resource, driver.discover(wanted))
        except DriverError as error:
            if self._taken:
                raise self._shortage(len(self._own) + len(self._taken), error.detail or error.cause) from error
            raise DriverError(f"{self._resource.name}: {error.cause}", error.remedy, error.detail) from error
        except Exception as error:
            raise DriverError(
                f"{self._resource.name}: driver {self._resource.driver} failed: {type(error).__name__}: {error}",
                "This is the driver's fault; the TaskManager's log has its traceback.",
            ) from error

    def _shortage(self, shown: int, detail: str) -> DriverError:
        asked = self._resource.amount
        held = "".join(f"; {uuid} is held by {holder}" for uuid, holder in self._taken.items())
        remedy = (
            f"Other containers of this node hold devices that YARN did not isolate: wait for their end, or lower "
            f"external-resource.{self._resource.name}.amount."
            if self._taken
            else f"Lower external-resource.{self._resource.name}.amount, or mend the node: YARN advertises more than it has."
        )
        return DriverError(f"{self._resource.name}: asked {asked}, found {shown}, of these {len(self._own)} free{held}", remedy, detail)


def _checked(resource: ExternalResource, answer: Any) -> list[FoundDevice]:
    """Returns a driver's answer, of which nothing is believed."""
    what = f"{resource.name}: driver {resource.driver} answered"
    remedy = "This is the driver's fault: it has to return a sequence of FoundDevice, each with a uuid of its own."
    if not isinstance(answer, Sequence) or not all(isinstance(device, FoundDevice) for device in answer):
        raise DriverError(f"{what} {answer!r:.200}", remedy)
    uuids = [device.uuid for device in answer]
    if len(set(uuids)) < len(uuids) or not all(uuids):
        raise DriverError(f"{what} devices whose uuids are blank or doubled: {uuids}", remedy)
    for device in answer:
        if not (_texts(device.properties) and _texts(device.visibility) and _texts({"index": device.index, "uuid": device.uuid})):
            raise DriverError(f"{what} {device!r:.200}, which holds more than text", remedy)
    return list(answer)


def _texts(mapping: Mapping[str, str]) -> bool:
    return isinstance(mapping, Mapping) and all(isinstance(text, str) for pair in mapping.items() for text in pair)
