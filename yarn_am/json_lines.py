"""Follows a file to which another process appends JSON objects, one a line: the overlay's tap, the job's events."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Any

logger = logging.getLogger(__name__)

POLL_S = 0.05
"""Seconds between two looks at a file that has not grown. Neither writer can wake us: one is a JVM, the other user code."""


def follow(path: Path, stop: Flag) -> Iterator[dict[str, Any]]:
    """Yields each object as its line is completed, until `stop` is set and everything written before has been read.

    The file may come later than this call. A line that is no JSON object is logged and skipped; so is one with NaN, Infinity or 1e999,
    which Python's reader takes and no browser would.
    """
    rest, offset = b"", 0
    while True:
        last = stop.is_set()
        data = _read_from(path, offset)
        offset += len(data)
        *lines, rest = (rest + data).split(b"\n")
        yield from _objects(path, lines)
        if last:
            return
        if not data:
            stop.wait(POLL_S)


def _read_from(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _objects(path: Path, lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in filter(None, lines):
        try:
            tree = json.loads(line)
            json.dumps(tree, allow_nan=False)
        except (RecursionError, ValueError):
            tree = None
        if isinstance(tree, dict):
            yield tree
        else:
            logger.warning("Ignored a line of %s that is no JSON object: %r", path.name, line[:200])
