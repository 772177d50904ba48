"""Slots that give no sign of life any more: a process that touched its file, has stopped doing so, and uses no processor either.

A slot of a job's main does (`treadle.slot_worker`); a command may. One that computes without letting its event loop run is busy and not
hung, so the time that it uses counts as a sign, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from protocol.usage import SlotUsage

BUSY_PERCENT = 5.0
"""Of a core: threads that wake up now and then (gRPC's, a profiler's) use less, and whoever computes more."""


@dataclass(frozen=True)
class _Sign:
    at_s: float
    touched_ns: int


class SlotSilence:
    """What was last seen of each slot.

    Args:
        file_of: where the process of a slot touches its file; none is there before the first time.
        timeout_s: how long it may be silent, `heartbeat.timeout`.
        clock: seconds that only go up.
    """

    def __init__(self, file_of: Callable[[str], Path], timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._file_of, self.timeout_s, self._clock = file_of, timeout_s, clock
        self._signs: dict[str, _Sign] = {}

    def begin(self, slot_id: str) -> None:
        """A new process starts in the slot."""
        self._signs.pop(slot_id, None)
        self._file_of(slot_id).unlink(missing_ok=True)

    def silent(self, used: Iterable[SlotUsage]) -> list[str]:
        """Returns the slots that have been silent for too long, by what their processes have used since this was last asked."""
        now = self._clock()
        return [slot.slot_id for slot in used if self._is_silent(slot, now)]

    def _is_silent(self, slot: SlotUsage, now: float) -> bool:
        try:
            touched_ns = self._file_of(slot.slot_id).stat().st_mtime_ns
        except FileNotFoundError:  # it has not begun, or is a command that never does
            return False
        last = self._signs.get(slot.slot_id)
        gets_on = last is None or touched_ns != last.touched_ns or slot.cpu_percent >= BUSY_PERCENT
        if last is not None and not gets_on and now - last.at_s <= self.timeout_s:
            return False
        self._signs[slot.slot_id] = _Sign(now, touched_ns)
        return not gets_on
