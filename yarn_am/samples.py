"""What TaskManagers, slots and devices used over the last while, for charts. Pure.

Each quantity has a ring of numbers, 4 bytes each: with 1,000 TaskManagers of 8 slots and 8 devices all rings are less than 80 MiB,
however long the application runs and however often TaskManagers are replaced.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from protocol.usage import Heartbeat

KEPT = 360
"""Samples of each quantity: an hour at the default `heartbeat.interval`."""

SLOT_QUANTITIES = ("memory_mb", "cpu_percent")
DEVICE_QUANTITIES = ("utilization", "memory_used_mb", "temperature_c", "power_w")


@dataclass(frozen=True)
class Quantity:
    """What a ring is of: the `name` of a field of the record of a TaskManager, a slot or a device.

    `of` is the slot's id, or the device's resource and uuid; nothing for the TaskManager itself.
    """

    name: str
    of: tuple[str, ...] = ()


class Samples:
    """The last samples of one TaskManager, taken together with each sign of life.

    Args:
        kept: how many.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._count = kept, 0
        self._times = array("d", bytes(8 * kept))
        self._rings: dict[Quantity, array[float]] = {}

    def add(self, heartbeat: Heartbeat, now: float) -> None:
        """Adds what a heartbeat says at time `now` in seconds; the oldest sample goes when there are too many."""
        place = self._count % self._kept
        self._count += 1
        self._times[place] = now
        for ring in self._rings.values():
            ring[place] = math.nan
        for quantity, value in _values(heartbeat):
            if quantity not in self._rings:
                self._rings[quantity] = array("f", [math.nan]) * self._kept
            self._rings[quantity][place] = value

    def times(self) -> list[float]:
        """Returns when the samples were taken, the oldest first."""
        return self._in_order(self._times)

    def values(self) -> Mapping[Quantity, list[float | None]]:
        """Returns the samples of each quantity in the order of `times`; None where it was not told. One that never was is not there."""
        return {
            quantity: [None if math.isnan(value) else round(value, 1) for value in self._in_order(ring)]
            for quantity, ring in self._rings.items()
        }

    def _in_order(self, ring: array[float]) -> list[float]:
        if self._count < self._kept:
            return list(ring[: self._count])
        oldest = self._count % self._kept
        return [*ring[oldest:], *ring[:oldest]]


def _values(heartbeat: Heartbeat) -> Iterator[tuple[Quantity, float]]:
    told: Iterable[tuple[Quantity, float | None]] = [
        *((Quantity(name), getattr(heartbeat, name)) for name in SLOT_QUANTITIES),
        *((Quantity(name, (slot.slot_id,)), getattr(slot, name)) for slot in heartbeat.slots for name in SLOT_QUANTITIES),
        *(
            (Quantity(name, (device.resource, device.uuid)), getattr(device, name))
            for device in heartbeat.devices
            for name in DEVICE_QUANTITIES
        ),
    ]
    yield from ((quantity, value) for quantity, value in told if value is not None)
