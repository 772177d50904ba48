"""What a signal means to the application master: an interruption, or the stop of a local application by whoever left word of it."""

from __future__ import annotations

import signal
from pathlib import Path

from protocol.launch import STOP_FILE
from protocol.records import StopRequest
from protocol.wire import MalformedRecordError, from_bytes
from yarn_am.events import Event, Interrupted, StopAsked


def meaning(number: int, directory: Path, *, local: bool) -> Event:
    """Returns the event of a signal; a local application without such a word is interrupted like any other."""
    interrupted = Interrupted(f"Stopped by {signal.Signals(number).name}")
    if not local:
        return interrupted
    try:
        return StopAsked(from_bytes(StopRequest, (directory / STOP_FILE).read_bytes()))
    except (FileNotFoundError, MalformedRecordError):
        return interrupted
