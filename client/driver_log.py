"""Finds the line that says what happened in what a JVM wrote."""

from __future__ import annotations

import re
from pathlib import Path

_NOISE = re.compile(r"^\s*(at |\.\.\. \d+ more|Failed to start java process|Unable to connect to|Failed to submit application, exception:)")
_PREFIX = re.compile(r"^(Caused by: )?([\w$]+\.)+(?P<simple>[\w$]+(Exception|Error)): ")
_TELLING = re.compile(r"(Exception|Error\b|ERROR|Caused by|refused|denied)")

_LONGEST = 600
"""Characters of a line that are shown."""


def meaningful_line(message: str, log: str) -> str:
    """Returns the most telling line of an error's message, or of the log when the message says nothing."""
    found = _pick(message) or _pick(log) or message.strip() or "no reason was given"
    return found[:_LONGEST]


def read(log: Path) -> str:
    """Returns what a log holds, nothing when there is none."""
    return log.read_text(errors="replace") if log.exists() else ""


def _pick(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line)]
    telling = [line for line in lines if _TELLING.search(line)]
    caused = [line for line in telling if line.startswith("Caused by")]
    line = (caused[-1:] or telling[-1:] or lines[-1:] or [""])[0]
    return _PREFIX.sub(r"\g<simple>: ", line)
