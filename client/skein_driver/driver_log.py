"""Finds the line that says what happened in what a JVM wrote, and how far skein's driver came."""

from __future__ import annotations

import re
from pathlib import Path

_NOISE = re.compile(r"^\s*(at |\.\.\. \d+ more|Failed to start java process|Unable to connect to|Failed to submit application, exception:)")
_PREFIX = re.compile(r"^(Caused by: )?([\w$]+\.)+(?P<simple>[\w$]+(Exception|Error)): ")
_TELLING = re.compile(r"(Exception|Error\b|ERROR|Caused by|refused|denied)")

_UPLOADS = re.compile(r"Uploading application resources to (\S+)")
_SUBMITS = "Submitting application..."
"""What skein's driver says before it writes to the file system, and when it has, before it turns to YARN."""

_LONGEST = 600
"""Characters of a line that are shown."""


def meaningful_line(message: str, log: str) -> str:
    """Returns the most telling line of an error's message, or of the log when the message says nothing."""
    found = _pick(message, 0) or _pick(log, -1) or message.strip() or "no reason was given"
    return found[:_LONGEST]


def uploading_to(log: str) -> str | None:
    """Returns where skein's driver was uploading to when it stopped, None when it was not."""
    _, *parts = _UPLOADS.split(log)
    return parts[-2] if parts and _SUBMITS not in parts[-1] else None


def read(log: Path) -> str:
    """Returns what a log holds, nothing when there is none."""
    return log.read_text(errors="replace") if log.exists() else ""


def lines(text: str) -> list[str]:
    """Returns the lines that are no stack trace and no mere frame of a message."""
    return [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line)]


def _pick(text: str, otherwise: int) -> str:
    """Returns the line that names an error; where none does, the one at the index `otherwise`."""
    found = lines(text)
    telling = [line for line in found if _TELLING.search(line)]
    caused = [line for line in telling if line.startswith("Caused by")]
    line = (caused[-1:] or telling[-1:] or [found[otherwise]])[0] if found else ""
    return _PREFIX.sub(r"\g<simple>: ", line)
