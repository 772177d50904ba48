"""Finds the devices of this TaskManager and leases them: all that was asked for, or an error that says what is missing and why."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from conf.settings import ExternalResource
from drivers.device import Driver, DriverError, FoundDevice
from drivers.loading import load
from task_manager.assigned import YARN_TYPE, Assigned, mismatch, unknown
from task_manager.closeness import best
from task_manager.held_devices import HeldDevices, release
from task_manager.leases import Leases
from task_manager.time_limit import TimeLimitError, within

T = TypeVar("T")

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""Seconds between two rounds while devices are taken. Nothing tells when that ends: flock waits for one lock and not for any of several,
and that a process has left a GPU is only seen by asking the driver again."""


def acquire(
    resources: Sequence[ExternalResource],
    leases: Leases,
    at_end: ExitStack,
    timeout_s: float = 0.0,
    assigned: Callable[[], Assigned | None] = unknown,
    excluded: Callable[[], Mapping[str, str]] = dict,
) -> dict[str, HeldDevices]:
    """Returns the leased devices of each resource that has a driver, as many as asked for, and the driver.

    Of those that are free it takes the ones that are nearest to each other (`task_manager.closeness`), else the first.

    Args:
        resources: what is wanted.
        leases: of this TaskManager.
        at_end: gets the `release` of each driver that was asked, as soon as it was: whatever happens afterwards, but that the driver hangs.
        timeout_s: how long to wait for devices of a resource that others use now, such as the dying slots of a TaskManager that this
            one replaces. Nobody waits for devices that are not there.
        assigned: gives the GPUs that YARN has assigned to this container, where it does; no others are taken then.
        excluded: gives the devices that are not to be taken, UUID → why.

    Raises:
        DriverError: when a driver can't be loaded, fails or hangs, or shows fewer free devices than asked for; for a resource with
            `on-missing: warn` that is a warning, and what is there (after the same wait) is returned, as Flink does.
    """
    found = {}
    for resource in resources:
        if resource.driver is not None:
            held = found[resource.name] = _Acquisition(resource, resource.driver, leases, timeout_s, assigned, excluded).held(at_end)
            logger.info("Leased %s: %s", resource.name, ", ".join(device.uuid for device in held.devices) or "none")
    return found


def lease_key(resource: ExternalResource, device: FoundDevice) -> str:
    """Returns what a device is leased by: its UUID, the same whatever driver found it and whatever the resource is called.

    A bare number is only unique among devices of one kind, which YARN's type names best.
    """
    return f"{resource.yarn_type or resource.name}-{device.uuid}" if device.uuid.isdecimal() else device.uuid


class _Acquisition:
    """One resource's devices: the driver is asked for more as long as some of those it shows are taken by others.

    All are leased or none, so that nobody waits with devices in his hand that would make up another's amount; only where `on-missing` is
    `warn` some will do.
    """

    def __init__(
        self,
        resource: ExternalResource,
        factory: str,
        leases: Leases,
        timeout_s: float,
        assigned: Callable[[], Assigned | None],
        excluded: Callable[[], Mapping[str, str]],
    ) -> None:
        self._resource, self._factory, self._leases, self._timeout_s = resource, factory, leases, timeout_s
        self._assigned = assigned if resource.yarn_type == YARN_TYPE else unknown
        self._excluded = excluded
        self._least = 0 if resource.on_missing == "warn" else resource.amount
        self._own: dict[str, FoundDevice] = {}
        self._shown: list[FoundDevice] = []
        self._taken: dict[str, str] = {}
        self._free, self._waited, self._hangs = 0, False, False

    def held(self, at_end: ExitStack) -> HeldDevices:
        driver: Driver | None = None
        try:
            driver = self._answer(lambda: load(self._factory, self._resource.params))
            at_end.callback(self._release, driver)
            self._acquire(driver)
        except DriverError as error:
            if self._resource.on_missing != "warn":
                raise
            if self._hangs:
                self._give_back()
                driver = None
            logger.warning("Going on with %d of %d: %s. %s", len(self._own), self._resource.amount, error.cause, error.remedy)
        return HeldDevices(self._resource.name, driver, tuple(self._own.values()))

    def _answer(self, call: Callable[[], T]) -> T:
        """Returns what the driver answers; once it hangs it is not called any more."""
        resource = self._resource
        try:
            return within(resource.discovery_timeout_s, f"discover-{resource.name}", call)
        except TimeLimitError as error:
            self._hangs = True
            raise DriverError(
                f"{resource.name}: driver {self._factory} has not answered for {resource.discovery_timeout_s:g} s",
                f"It or its device hangs: try it on the node, or raise external-resource.{resource.name}.discovery-timeout.",
            ) from error

    def _release(self, driver: Driver) -> None:
        if not self._hangs:
            release(self._resource.name, driver, self._own)

    def _acquire(self, driver: Driver) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._ask(driver)
            except DriverError as error:
                left = deadline - time.monotonic()
                if left <= 0 or not self._may_pass(driver):
                    raise
                if not self._waited:
                    logger.info("Waiting up to %g s: %s", self._timeout_s, error.cause)
            self._waited = True
            self._give_back()
            time.sleep(min(POLL_S, left))

    def _may_pass(self, driver: Driver) -> bool:
        """Whether a shortage is due to others, who may go; a device of another resource of ours never gets free."""
        if self._hangs:
            return False
        taken = [device for device in self._shown if device.uuid in self._taken]
        by_others = any(not self._leases.holds(lease_key(self._resource, device)) for device in taken)
        return _is_busy(driver) or (by_others and len(self._shown) >= self._resource.amount)

    def _ask(self, driver: Driver) -> None:
        """Leases all that is asked for, or raises."""
        asked = wanted = self._resource.amount
        self._shown, self._taken = [], {}
        while True:
            self._shown = self._discover(driver, wanted)
            self._lease()
            if len(self._own) == asked:
                return
            if len(self._shown) < wanted:
                raise self._shortage(len(self._shown), str(getattr(driver, "remarks", "")), _is_busy(driver))
            wanted = len(self._shown) + asked - self._free

    def _lease(self) -> None:
        """Leases as many of the devices shown as are asked for, or none when too few are free."""
        assigned, excluded = self._assigned(), self._excluded()  # which may take their time, so not in our turn
        with self._leases.turn():
            self._taken = {}
            for device in self._shown:
                if device.uuid not in {*self._own, *excluded} and (assigned is None or assigned.includes(device)):
                    self._take(device)
            self._free = len(self._own)
            self._keep(best(list(self._own.values()), self._resource.amount) if self._free >= self._least else ())

    def _give_back(self) -> None:
        self._keep(())

    def _keep(self, devices: Sequence[FoundDevice]) -> None:
        kept = {device.uuid for device in devices}
        for uuid in self._own.keys() - kept:
            self._leases.give_back([lease_key(self._resource, self._own.pop(uuid))])

    def _take(self, device: FoundDevice) -> None:
        holder = self._leases.take(lease_key(self._resource, device))
        if holder is None:
            self._own[device.uuid] = device
        else:
            self._taken[device.uuid] = holder

    def _discover(self, driver: Driver, wanted: int) -> list[FoundDevice]:
        try:
            return _checked(self._resource, self._answer(lambda: driver.discover(wanted)))
        except DriverError as error:
            if self._hangs:
                raise
            if self._taken or (self._shown and self._assigned() is not None):
                raise self._shortage(len(self._shown), error.detail or error.cause, busy=False) from error
            raise DriverError(f"{self._resource.name}: {error.cause}", error.remedy, error.detail) from error
        except Exception as error:
            raise DriverError(
                f"{self._resource.name}: driver {self._resource.driver} failed: {type(error).__name__}: {error}",
                "This is the driver's fault; the TaskManager's log has its traceback.",
            ) from error

    def _shortage(self, shown: int, detail: str, busy: bool) -> DriverError:
        asked, name = self._resource.amount, self._resource.name
        assigned = self._assigned()
        if assigned is not None and not self._taken:
            return mismatch(name, asked, assigned, self._shown, detail)
        after = f" after {self._timeout_s:g} s" if self._waited else ""
        excluded = self._excluded()
        lost = [f"; {device.uuid} was lost before: {excluded[device.uuid]}" for device in self._shown if device.uuid in excluded]
        held = "".join([*(f"; {uuid} is held by {holder}" for uuid, holder in self._taken.items()), *lost])
        lower = f"lower external-resource.{name}.amount"
        if self._taken:
            remedy = f"Other containers of this node hold devices that YARN did not isolate: wait for their end, or {lower}."
        elif lost:
            remedy = f"Have the lost devices looked at, or {lower}."
        elif busy:
            remedy = f"Other processes of this node use the rest, see below: end them, or {lower}."
        else:
            remedy = f"{lower.capitalize()}, or mend the node: YARN advertises more than it has."
        return DriverError(f"{name}: asked {asked}, found {shown}, of these {self._free} free{after}{held}", remedy, detail)


def _is_busy(driver: Driver) -> bool:
    return bool(getattr(driver, "busy", False))


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
