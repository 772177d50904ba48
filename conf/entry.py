"""One key of a configuration as it was written: text and where it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """The text of a key and its origin: `default`, `<file>:<line>`, or the flag that gave it, such as `-D`."""

    value: str
    origin: str
