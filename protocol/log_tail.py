"""The last lines of a log, short enough to travel: what somebody wants to read first when a process failed."""

from __future__ import annotations

from pathlib import Path

LINES = 20
BYTES = 4096


def tail_of(path: Path, start: int = 0) -> str:
    """Returns the last lines of a file from byte `start` on, at most 20 and 4 KiB.

    Bytes that are no UTF-8 are replaced; a missing file has no lines.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(start, size - BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-LINES:])
