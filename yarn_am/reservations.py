"""What YARN had set aside for TaskManagers, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from yarn_am.events import Completed, Event, Granted

_SECONDS_PER_HOUR = 3600.0


class Reservations:
    """Counts from a container's grant to its completion."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[float, Mapping[str, int]]] = {}
        self._seconds: dict[str, float] = {}

    def note(self, event: Event, now: float) -> None:
        """Takes an event at time `now`, in seconds of any clock."""
        if isinstance(event, Granted):
            self._open[event.container_id] = (now, event.resources)
        elif isinstance(event, Completed) and (held := self._open.pop(event.container_id, None)):
            _add(self._seconds, held, now)

    def hours(self, now: float) -> dict[str, float]:
        """Returns resource type → amount times hours until `now` (`memory-mb` in MiB)."""
        total = dict(self._seconds)
        for held in self._open.values():
            _add(total, held, now)
        return {name: round(seconds / _SECONDS_PER_HOUR, 6) for name, seconds in sorted(total.items())}


def _add(total: dict[str, float], held: tuple[float, Mapping[str, int]], now: float) -> None:
    since, resources = held
    for name, amount in resources.items():
        if amount:
            total[name] = total.get(name, 0.0) + amount * (now - since)
