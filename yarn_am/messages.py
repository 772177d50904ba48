"""What TaskManagers say, by the keys of the store: read, checked against its key, and refused once when it makes no sense."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from protocol import keys
from protocol.records import DeviceLost, Registration, RegistrationFailure, SlotResult, StopRequest
from protocol.store import Change
from protocol.usage import Heartbeat
from protocol.wire import MalformedRecordError, from_bytes
from yarn_am.events import Event, Heard, LostDevice, Registered, RegistrationFailed, RegistrationLost, SlotEnded, StopAsked

logger = logging.getLogger(__name__)

T = TypeVar("T")

_COMPLAINTS = 1000
"""So many keys are complained of; whoever writes nonsense under more is not to fill the log."""


class Messages:
    """Turns changes of the store into events. A key that holds nonsense is logged the first time."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def event_of(self, change: Change) -> Event | None:
        """Returns what a change means, None when nothing or nonsense."""
        try:
            return _event_of(change.key, change.value)
        except MalformedRecordError as error:
            if change.key not in self._refused and len(self._refused) < _COMPLAINTS:
                self._refused.add(change.key)
                logger.warning("Ignored a malformed value under %.200r: %s", change.key, error)
        return None


@dataclass(frozen=True)
class _Kind(Generic[T]):
    """Records of one kind: below which prefix they lie, under which key each, and what one means."""

    prefix: str
    record: type[T]
    key_of: Callable[[T], str]
    event: Callable[[T], Event]

    def read(self, key: str, value: bytes) -> Event:
        record = from_bytes(self.record, value)
        try:
            expected = self.key_of(record)
        except UnicodeEncodeError as error:
            raise MalformedRecordError(f"{self.record.__name__}: {error}") from error
        if expected != key:
            raise MalformedRecordError(f"{self.record.__name__}: it belongs under {expected[:200]!r}")
        return self.event(record)


_KINDS: tuple[_Kind[Any], ...] = (
    _Kind(keys.REGISTRATIONS, Registration, lambda record: keys.registration(record.task_manager_id), Registered),
    _Kind(keys.HEARTBEATS, Heartbeat, lambda record: keys.heartbeat(record.task_manager_id), Heard),
    _Kind(keys.FAILURES, RegistrationFailure, lambda record: keys.failure(record.task_manager_id), RegistrationFailed),
    _Kind(keys.LOST_DEVICES, DeviceLost, lambda record: keys.lost_device(record.task_manager_id, record.uuid), LostDevice),
    _Kind(keys.STOP, StopRequest, lambda _: keys.STOP, StopAsked),
    _Kind(keys.RESULTS, SlotResult, lambda record: keys.result(record.slot_id), SlotEnded),
)


def _event_of(key: str, value: bytes | None) -> Event | None:
    if value is None:
        return RegistrationLost(key[len(keys.REGISTRATIONS) :]) if key.startswith(keys.REGISTRATIONS) else None
    kind = next((kind for kind in _KINDS if key.startswith(kind.prefix)), None)
    return kind.read(key, value) if kind else None
